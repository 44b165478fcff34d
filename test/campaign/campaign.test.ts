/** Campaigns: which cells run when, what is kept of them, and how they end. */
import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { CellJob } from '../../harness/campaign/cell-runner.ts';
import { readCampaign } from '../../harness/campaign/results.ts';
import { CampaignLab, endedWith } from './campaign-lab.ts';

const FOUR = '{targets: [stormraft, etcd:/bin/sh], faults: [kill, pause], seeds: 1}';

let lab: CampaignLab;
let directory: string;

beforeEach(() => {
  lab = new CampaignLab();
  directory = join(lab.root, 'campaign');
});
afterEach(() => lab[Symbol.dispose]());

function linesOf(path: string): string[] {
  return readFileSync(path, 'utf8').trimEnd().split('\n');
}

describe('a campaign', () => {
  test('runs every cell, writes a line for each, prints one, and a table', async () => {
    const junitFile = join(lab.root, 'storm.xml');
    expect(await lab.campaign(FOUR, () => endedWith(0), { junitFile })).toBe(0);
    expect(lab.ran).toHaveLength(4);
    const [head, ...results] = linesOf(join(directory, 'campaign.jsonl')).map(
      (line) => JSON.parse(line) as Record<string, unknown>,
    );
    expect(head).toMatchObject({ format: 'storm-campaign/1', cells: 4 });
    expect(results.map(({ id }) => id)).toEqual(lab.ran);
    expect(results[0]).toMatchObject({
      ...{ target: 'stormraft', versions: { target: 'etcd 9' }, verdict: 'valid', exitCode: 0 },
      ...{ seconds: 0, runDirectory: 'cells/x/run', again: 'storm again', why: '' },
    });
    expect(lab.lines.filter((line) => /^campaign: \d\/4 .*: valid in/.test(line))).toHaveLength(4);
    expect(lab.lines.slice(-6)).toEqual([
      'target        faults  valid  invalid  unknown  no verdict  missing',
      'stormraft     kill        1        0        0           0        0',
      'stormraft     pause       1        0        0           0        0',
      'etcd:/bin/sh  kill        1        0        0           0        0',
      'etcd:/bin/sh  pause       1        0        0           0        0',
      'campaign: 4 cells: 4 valid',
    ]);
    expect(readFileSync(junitFile, 'utf8')).toContain('tests="4" failures="0" errors="0"');
  });

  test.each<[string, readonly number[], number, number]>([
    ['all valid', [0, 0, 0, 0], 0, 4],
    ['unknown is told, and goes on', [0, 2, 2, 0], 2, 4],
    ['invalid stops it', [0, 1, 0, 0], 1, 2],
    ['no verdict stops it', [3, 0, 0, 0], 3, 1],
  ])('%s', async (_, codes, status, ran) => {
    expect(await lab.campaign(FOUR, () => endedWith(codes[lab.ran.length - 1]!))).toBe(status);
    expect(lab.ran).toHaveLength(ran);
  });

  test('keeps going when told to, and the worst verdict decides', async () => {
    const codes = [3, 1, 2, 0];
    const ending = () => endedWith(codes[lab.ran.length - 1]!);
    expect(await lab.campaign(FOUR, ending, { keepGoing: true })).toBe(1);
    expect(lab.ran).toHaveLength(4);
    expect(lab.lines.at(-2)).toMatch(
      /^campaign: 4 cells: 1 valid, 1 invalid, 1 unknown, 1 without/,
    );
  });

  test('goes on where it was interrupted', async () => {
    const interruption = new AbortController();
    await lab.campaign(
      FOUR,
      () => {
        if (lab.ran.length === 3) interruption.abort();
        return endedWith(lab.ran.length === 3 ? 3 : 0);
      },
      { signal: interruption.signal },
    );
    const before = lab.takeRan();
    expect(before).toHaveLength(3);
    // It died in the middle of a line, too.
    appendFileSync(join(directory, 'campaign.jsonl'), '{"id":"etcd-m3-ki');
    expect(await lab.campaign(FOUR, () => endedWith(0))).toBe(0);
    const after = lab.takeRan();
    expect(after).toHaveLength(2);
    expect(after[0]).toBe(before[2]);
    expect(linesOf(join(directory, 'campaign.jsonl'))).toHaveLength(5);
    expect(await lab.campaign(FOUR, () => endedWith(1))).toBe(0);
    expect(lab.takeRan()).toEqual([]);
  });

  test('repeats what has no verdict, all when told to; the last result counts', async () => {
    await lab.campaign(FOUR, () => endedWith(lab.ran.length === 2 ? 3 : 0), { keepGoing: true });
    const ran = lab.takeRan();
    expect(await lab.campaign(FOUR, () => endedWith(2))).toBe(2);
    expect(lab.takeRan()).toEqual([ran[1]]);
    expect(await lab.campaign(FOUR, () => endedWith(0), { again: true })).toBe(0);
    expect(lab.takeRan()).toEqual(ran);
    const saved = readCampaign(directory);
    expect([...saved!.results.values()].map(({ verdict }) => verdict)).toEqual(
      Array(4).fill('valid'),
    );
  });

  test('keeps the results of cells when the matrix grows', async () => {
    await lab.campaign('{seeds: 1..2}', () => endedWith(0));
    const first = lab.takeRan();
    await lab.campaign('{seeds: 1..3}', () => endedWith(0));
    expect(lab.takeRan()).toHaveLength(1);
    expect(readCampaign(directory)!.head.cells).toBe(3);
    expect([...readCampaign(directory)!.results.keys()].slice(0, 2)).toEqual(first);
  });

  test('does its shard only', async () => {
    const shards = [1, 2, 3].map((index) => ({ index, count: 3 }));
    for (const shard of shards) {
      const more = { shard, directory: join(lab.root, `shard-${shard.index}`) };
      expect(await lab.campaign(FOUR, () => endedWith(0), more)).toBe(0);
    }
    expect(new Set(lab.ran).size).toBe(4);
    expect(lab.ran).toHaveLength(4);
    expect(lab.lines[0]).toContain('2 in shard 1 of 3');
  });

  test('is alone in its directory', async () => {
    let inner: Promise<number> | undefined;
    await lab.campaign(FOUR, async () => {
      inner ??= lab.campaign(FOUR, () => endedWith(0));
      await expect(inner).rejects.toThrow(/process \d+ runs a campaign there; give another$/);
      return endedWith(0);
    });
    expect(existsSync(join(directory, 'campaign.lock'))).toBe(false);
    writeFileSync(join(directory, 'campaign.lock'), '{"pid":1,"startTime":"of a dead one"}');
    expect(await lab.campaign(FOUR, () => endedWith(0))).toBe(0);
  });
});

describe('hosts', () => {
  const TWO_HOSTS = '{seeds: 1..6, hosts: ["unix:///a.sock", "unix:///b.sock"]}';

  test('each has one cell at a time, and a slow one holds up no other', async () => {
    const busy = new Map<string, number>();
    let release: (() => void) | undefined;
    const slow = new Promise<void>((resolve) => {
      release = resolve;
    });
    const taken: string[] = [];
    const ending = async ({ host }: CellJob) => {
      const { address } = host!;
      busy.set(address, (busy.get(address) ?? 0) + 1);
      expect(busy.get(address)).toBe(1);
      taken.push(address);
      if (address === 'unix:///a.sock') await slow;
      await Promise.resolve();
      busy.set(address, busy.get(address)! - 1);
      if (taken.length === 6) release?.();
      return endedWith(0);
    };
    expect(await lab.campaign(TWO_HOSTS, ending)).toBe(0);
    expect(taken.filter((address) => address === 'unix:///a.sock')).toHaveLength(1);
    expect(taken).toHaveLength(6);
    const hosts = [...readCampaign(directory)!.results.values()].map(({ host }) => host);
    expect(new Set(hosts)).toEqual(new Set(['unix:///a.sock', 'unix:///b.sock']));
  });

  test('when one has no verdict no host takes another cell', async () => {
    const ending = ({ host }: CellJob) => endedWith(host!.name === 'unix:///a.sock' ? 3 : 0);
    expect(await lab.campaign(TWO_HOSTS, ending)).toBe(3);
    expect(lab.ran.length).toBeLessThan(6);
    expect(lab.lines).toContain('campaign: stopping here; --keep-going would go on');
  });
});

describe('a file of results', () => {
  test.each<[string, string, RegExp]>([
    ['no head', '{"id":"a","verdict":"valid","options":{}}\n', /line 1: no head; restore/],
    ['another format', '{"format":"storm-campaign/9"}\n', /line 1: field format: not storm-camp/],
    ['no matrix', '{"format":"storm-campaign/1","matrix":{}}\n', /line 1: field matrix; restore/],
    ['no JSON', 'HEAD\n', /line 1: not JSON; restore/],
    ['no verdict', '{"id":"a","verdict":"good"}\n', /line 1: field verdict: not one of valid, i/],
  ])('with %s is refused', async (_, text, message) => {
    await lab.campaign(FOUR, () => endedWith(0));
    writeFileSync(join(directory, 'campaign.jsonl'), text);
    await expect(lab.campaign(FOUR, () => endedWith(0))).rejects.toThrow(message);
  });

  test('cut off in its head is a new one', async () => {
    await lab.campaign(FOUR, () => endedWith(0));
    lab.takeRan();
    writeFileSync(join(directory, 'campaign.jsonl'), '{"format":"storm-cam');
    expect(await lab.campaign(FOUR, () => endedWith(0))).toBe(0);
    expect(lab.ran).toHaveLength(4);
    expect(readCampaign(directory)!.results.size).toBe(4);
  });
});
