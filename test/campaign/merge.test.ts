/** Results of shards as one. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readCampaign } from '../../harness/campaign/results.ts';
import { CampaignLab, endedWith } from './campaign-lab.ts';

const MATRIX = '{targets: [stormraft, etcd:/bin/sh], faults: [kill, none], seeds: 1..2}';

let lab: CampaignLab;

beforeEach(() => {
  lab = new CampaignLab();
});
afterEach(() => lab[Symbol.dispose]());

/** A shard of 2 into the directory; cells end with the codes in turn, the last one for ever. */
async function shard(index: number, name: string, codes: readonly number[], version?: string) {
  const ending = () => endedWith(codes[Math.min(lab.ran.length, codes.length) - 1]!, version);
  lab.takeRan();
  await lab.campaign(MATRIX, ending, {
    shard: { index, count: 2 },
    directory: join(lab.root, name),
    keepGoing: true,
  });
  lab.lines.splice(0);
}

test('shards make a whole, which can be merged again', async () => {
  await shard(1, 'one', [0]);
  await shard(2, 'two', [0]);
  const junitFile = join(lab.root, 'all.xml');
  expect(await lab.merge(['one', 'two'], junitFile)).toBe(0);
  expect(lab.lines.at(-1)).toMatch(/^merge: 8 cells: 8 valid, in .*campaign\.jsonl$/);
  expect(lab.lines).toContain('stormraft     kill        2        0        0           0        0');
  const { head, results } = readCampaign(join(lab.root, 'merged'))!;
  expect(head.part).toBe('merged');
  expect([...results.values()].map(({ runDirectory }) => runDirectory)).toEqual(
    Array.from({ length: 8 }, (_, at) => `../${at % 2 === 0 ? 'one' : 'two'}/cells/x/run`),
  );
  expect(readFileSync(junitFile, 'utf8')).toContain('tests="8" failures="0" errors="0"');
  expect(await lab.merge(['merged', 'one'])).toBe(0);
});

test.each<[string, readonly number[], number, RegExp]>([
  ['invalid decides', [1, 2, 3, 0], 1, /8 cells: 5 valid, 1 invalid, 1 unknown, 1 without verdict/],
  ['else unknown', [2, 0], 2, /8 cells: 7 valid, 1 unknown/],
  ['no verdict is no proof', [3, 0], 2, /8 cells: 7 valid, 1 without verdict/],
])('%s', async (_, codes, status, words) => {
  await shard(1, 'one', codes);
  await shard(2, 'two', [0]);
  const junitFile = join(lab.root, 'all.xml');
  expect(await lab.merge(['one', 'two'], junitFile)).toBe(status);
  expect(lab.lines.at(-1)).toMatch(words);
  expect(readFileSync(junitFile, 'utf8')).toMatch(
    codes.includes(1) ? /failures="1"/ : /errors="1"/,
  );
});

test('a shard that is missing is no success', async () => {
  await shard(1, 'one', [0]);
  expect(await lab.merge(['one'])).toBe(2);
  expect(lab.lines.at(-1)).toMatch(/^merge: 8 cells: 4 valid, 4 missing/);
});

test('duplicates that agree are one; others are named, and the worse one stays', async () => {
  await shard(1, 'one', [0]);
  await shard(1, 'same', [0]);
  await shard(1, 'other', [0, 2, 1, 3]);
  await shard(2, 'two', [0]);
  expect(await lab.merge(['one', 'same', 'two'])).toBe(0);
  lab.lines.splice(0);
  expect(await lab.merge(['other', 'one', 'two'])).toBe(1);
  const conflicts = lab.lines.filter((line) => line.startsWith('merge: conflict: '));
  expect(conflicts).toEqual([
    expect.stringMatching(/: unknown and valid in .*other and .*one$/),
    expect.stringMatching(/: invalid and valid in .*other and .*one$/),
  ]);
  // One try had no verdict and the other has: nothing contradicts, and the verdict counts.
  expect(lab.lines.at(-1)).toMatch(/^merge: 8 cells: 6 valid, 1 invalid, 1 unknown, in/);
});

test('valid of two versions is not proven of either', async () => {
  await shard(1, 'one', [0], 'etcd 3.4');
  await shard(1, 'other', [0], 'etcd 3.5');
  await shard(2, 'two', [0]);
  expect(await lab.merge(['one', 'other', 'two'])).toBe(2);
  expect(lab.lines[0]).toMatch(/^merge: conflict: stormraft-m3-.*: of etcd 3\.4 and etcd 3\.5 in/);
});

test.each<[string, readonly string[], RegExp]>([
  ['a directory without results', ['one', 'nothing'], /nothing: no campaign\.jsonl there; give/],
  ['another matrix', ['one', 'campaign'], /one and .*campaign are of different matrices; give sha/],
])('%s is refused', async (_, directories, message) => {
  await shard(1, 'one', [0]);
  await lab.campaign('{seeds: 9}', () => endedWith(0));
  await expect(lab.merge(directories)).rejects.toThrow(message);
});

test('results of a campaign are not overwritten', async () => {
  await shard(1, 'merged', [0]);
  await shard(2, 'two', [0]);
  await expect(lab.merge(['two'])).rejects.toThrow(
    /^--into .*merged: has the results of a campaig/,
  );
  await expect(lab.merge(['two', 'merged'])).rejects.toThrow(/is one of the directories to merge/);
  expect(readCampaign(join(lab.root, 'merged'))!.results.size).toBe(4);
});

test('results of cells that the matrix has no more are left out', async () => {
  await lab.campaign('{seeds: 1..3}', () => endedWith(1), { keepGoing: true });
  await lab.campaign('{seeds: 3}', () => endedWith(0), { again: true });
  lab.lines.splice(0);
  expect(await lab.merge(['campaign'])).toBe(0);
  expect(lab.lines[0]).toBe('merge: 2 results of cells not in the matrix are left out');
});
