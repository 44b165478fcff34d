/** `storm repro` over clusters without servers: lines, exit status, and what is left behind. */
import {
  appendFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ClusterError } from '../../harness/cluster/cluster.ts';
import { listCommand } from '../../harness/commands/list.ts';
import { type ReproRequest, reproCommand } from '../../harness/commands/repro.ts';
import { reproAllCommand, type SeriesRequest } from '../../harness/commands/repro-all.ts';
import { SCENARIOS } from '../../harness/scenarios/registry.ts';
import {
  type Outcome,
  reproduced,
  type Scenario,
  sound,
  Undecided,
} from '../../harness/scenarios/scenario.ts';
import type { Services } from '../../harness/services.ts';
import { FakeCluster } from '../harness/fake-cluster.ts';
import { VirtualClock } from '../harness/virtual-clock.ts';

let runs: string;
let lines: string[];
let clusters: FakeCluster[];
let ending: AbortController;
beforeEach(() => {
  runs = mkdtempSync(join(tmpdir(), 'storm-repro-'));
  [lines, clusters, ending] = [[], [], new AbortController()];
});
afterEach(() => rmSync(runs, { recursive: true, force: true }));

const never = (): never => {
  throw new Error('not for these tests');
};

function services(open?: () => Promise<never>): Services {
  const fake = async (): Promise<FakeCluster> => {
    const cluster = new FakeCluster({});
    clusters.push(cluster);
    return cluster;
  };
  const available = { available: true, detail: 'fake' };
  return {
    backends: {
      docker: {
        probe: async () => ({ ...available, available: false }),
        open: never,
        sweep: never,
      },
      process: { probe: async () => available, open: open ?? fake, sweep: async () => ({}) },
    },
    clock: new VirtualClock(),
    progress: { print: (line) => lines.push(line), live: () => undefined },
    processId: 1,
    signal: ending.signal,
    openProbe: never,
    openKeyClient: never,
    workload: never,
    renderReport: never,
  };
}

function scenario(run: Scenario['run'], extra: Partial<Scenario> = {}): Scenario {
  const expected = { outcome: 'sound', words: 'as it should be' } as const;
  return {
    ...{ name: 'some-mode', story: 'a story', affected: 'none', trigger: 'nothing' },
    checker: 'none',
    expected: { stormraft: expected, etcd: { ...expected, outcome: 'reproduced' } },
    timeLimitMs: 60_000,
    run,
    ...extra,
  };
}

function request(one: Scenario, count = 1, more: Partial<ReproRequest> = {}): ReproRequest {
  return {
    scenario: one,
    target: { kind: 'stormraft', root: '/nowhere' },
    cluster: 'auto',
    count,
    seed: 1,
    runsDirectory: runs,
    ...more,
  };
}

const kept = (): string[] => readdirSync(runs).filter((name) => name !== 'latest');

test('as expected: 0, every cluster is closed, and no directory is left', async () => {
  const one = scenario(async (lab) => {
    await lab.open({ members: 3 });
    await lab.sleep(2_000);
    return sound('three of three');
  });
  expect(await reproCommand(services(), request(one, 3))).toBe(0);
  expect(lines).toEqual([
    'some-mode: a story',
    'expected of stormraft: sound: as it should be',
    expect.stringMatching(/^1\/3 sound \d+\.\d s: three of three$/),
    expect.stringMatching(/^2\/3 sound /),
    expect.stringMatching(/^3\/3 sound /),
    expect.stringMatching(/^some-mode on stormraft: sound in 3 of 3, median \d+\.\d s$/),
  ]);
  expect(clusters.map(({ disposed }) => disposed)).toEqual([true, true, true]);
  expect(kept()).toEqual([]);
});

test('the same end is wrong for one target and right for another', async () => {
  const one = scenario(async (lab) => {
    await lab.open({ members: 3 });
    return reproduced('two leaders');
  });
  expect(await reproCommand(services(), request(one))).toBe(1);
  expect(lines.at(-1)).toMatch(/^some-mode on stormraft: sound in 0 of 1/);
  // The logs of what was not expected stay.
  expect(kept()).toHaveLength(1);
  expect(lines.some((line) => line === `logs: ${join(runs, kept()[0]!)}`)).toBe(true);
  const etcd = { target: { kind: 'etcd', path: '/bin/etcd' } } as const;
  expect(await reproCommand(services(), request(one, 1, etcd))).toBe(0);
});

test.each<[string, () => Promise<Outcome>]>([
  ['says so', () => Promise.reject(new Undecided('no trigger'))],
  ['the cluster fails on the way', () => Promise.reject(new ClusterError('n1 has ended'))],
])('undecided is 2: %s', async (_, end) => {
  const one = scenario(async (lab) => {
    await lab.open({ members: 3 });
    return end();
  });
  expect(await reproCommand(services(), request(one))).toBe(2);
  expect(clusters[0]!.disposed).toBe(true);
});

test('a try that takes too long is undecided, whether it notices or not', async () => {
  const waits = scenario(async (lab) => {
    await lab.open({ members: 3 });
    await lab.need('what never comes', 1e9, () => undefined);
    return sound('never');
  });
  expect(await reproCommand(services(), request(waits))).toBe(2);
  const hangs = scenario(async (lab) => {
    await lab.open({ members: 3 });
    return new Promise<Outcome>(() => undefined);
  });
  expect(await reproCommand(services(), request(hangs))).toBe(2);
  expect(lines.filter((line) => line.includes('the time limit of a try'))).toHaveLength(2);
  expect(clusters.map(({ disposed }) => disposed)).toEqual([true, true]);
});

test('interrupted: the cluster is closed, and there is no verdict', async () => {
  const one = scenario(async (lab) => {
    await lab.open({ members: 3 });
    ending.abort();
    await lab.sleep(1_000);
    return sound('never');
  });
  await expect(reproCommand(services(), request(one))).rejects.toThrow('interrupted');
  expect(clusters[0]!.disposed).toBe(true);
});

test('no cluster to be had, and a bug of the scenario, are no verdict either', async () => {
  const one = scenario(async (lab) => {
    await lab.open({ members: 3 });
    throw new TypeError('a bug');
  });
  const refused = services(() => Promise.reject(new ClusterError('no ports')));
  await expect(reproCommand(refused, request(one))).rejects.toThrow('no ports');
  await expect(reproCommand(services(), request(one))).rejects.toThrow('a bug');
  expect(clusters.map(({ disposed }) => disposed)).toEqual([true]);
});

test('a scenario that needs files is not for docker, and none is for the simulator', async () => {
  const one = scenario(async () => sound('never'), { needsFiles: true });
  const docker = request(one, 1, { cluster: 'docker' });
  await expect(reproCommand(services(), docker)).rejects.toThrow(/needs the members' files/);
  const sim = request(one, 1, { cluster: 'sim' });
  await expect(reproCommand(services(), sim)).rejects.toThrow(/--cluster sim/);
  expect(existsSync(join(runs, 'latest'))).toBe(false);
});

describe('a series', () => {
  const series = (
    scenarios: readonly Scenario[],
    more: Partial<SeriesRequest> = {},
  ): SeriesRequest => ({
    ...{ scenarios, target: { kind: 'stormraft', root: '/nowhere' } as const, cluster: 'process' },
    ...{ count: 2, seed: 1, runsDirectory: runs, out: undefined, again: false },
    ...more,
  });
  const out = (): string => join(runs, 'table.md');
  const ends = (name: string, end: () => Outcome): Scenario =>
    scenario(
      async (lab) => {
        await lab.open({ members: 3 });
        await lab.sleep(2_000);
        return end();
      },
      { name },
    );

  test('all modes in turn, then the table, which is in the file too', async () => {
    const modes = [ends('good', () => sound('yes')), ends('bad', () => reproduced('no'))];
    expect(await reproAllCommand(services(), series(modes, { out: out() }))).toBe(1);
    const table = readFileSync(out(), 'utf8').trimEnd().split('\n');
    expect(lines.slice(-4)).toEqual(table);
    expect(table).toEqual([
      '| mode | target | expected | hit | undecided | median | slowest |',
      '| --- | --- | --- | ---: | ---: | ---: | ---: |',
      '| `good` | stormraft | sound | 2 of 2 | 0 | 2.0 s | 2.0 s |',
      '| `bad` | stormraft | sound | 0 of 2 | 0 | 2.0 s | 2.0 s |',
    ]);
    expect(clusters.map(({ disposed }) => disposed)).toEqual([true, true, true, true]);
  });

  test('undecided tries have no time, and make the status 2', async () => {
    const doubtful = ends('doubtful', () => ({ type: 'undecided', reason: 'no trigger' }));
    expect(await reproAllCommand(services(), series([doubtful, ends('x', () => sound(''))]))).toBe(
      2,
    );
    expect(lines.at(-2)).toBe('| `doubtful` | stormraft | sound | 0 of 2 | 2 |  |  |');
  });

  test('interrupted, it goes on where it was, also behind a line that is torn', async () => {
    let tries = 0;
    const mode = ends('counted', () => {
      tries++;
      if (tries === 3) ending.abort();
      return sound('yes');
    });
    const request = series([mode], { out: out(), count: 5 });
    await expect(reproAllCommand(services(), request)).rejects.toThrow('interrupted');
    expect(existsSync(out())).toBe(false);
    appendFileSync(join(runs, 'table.jsonl'), '{"mode":"counted","tar');
    ending = new AbortController();
    await expect(reproAllCommand(services(), request)).rejects.toThrow(/go on with --again/);
    expect(await reproAllCommand(services(), { ...request, again: true })).toBe(0);
    // The third was cut off before it was written down.
    expect(tries).toBe(6);
    expect(lines.at(-1)).toMatch(/^\| `counted` .* 5 of 5 /);
    expect(await reproAllCommand(services(), { ...request, again: true })).toBe(0);
    expect(tries).toBe(6);
  });

  test('what docker cannot do is left out, and says so', async () => {
    const files = { ...ends('files', () => sound('never')), needsFiles: true as const };
    const request = series([files], { cluster: 'docker' });
    const swept = services();
    const docker = { ...swept.backends.docker, sweep: async () => ({}) };
    const backends = { ...swept.backends, docker };
    expect(await reproAllCommand({ ...swept, backends }, request)).toBe(0);
    expect(lines).toContain("files: left out: it needs the members' files, which docker keeps");
  });

  test.each<[Partial<SeriesRequest>, RegExp]>([
    [{ again: true }, /--again: it needs --out/],
    [{ out: 'table.txt' }, /must end with \.md or \.jsonl/],
  ])('bad options are refused: %j', async (more, message) => {
    await expect(reproAllCommand(services(), series([], more))).rejects.toThrow(message);
  });

  test('a file of something else is not a series', async () => {
    const path = join(runs, 'table.jsonl');
    appendFileSync(path, '{"mode":1}\n{"mode":2}\n');
    const request = series([], { out: path, again: true });
    await expect(reproAllCommand(services(), request)).rejects.toThrow(/line 1 is no try/);
  });
});

test('the list has every name, story and expectation', async () => {
  expect(await listCommand(services())).toBe(0);
  const text = lines.join('\n');
  for (const { name, story } of SCENARIOS) {
    expect(text).toContain(name);
    expect(text).toContain(story);
  }
  expect(lines.filter((line) => /stormraft: \w+; etcd: \w+$/.test(line))).toHaveLength(
    SCENARIOS.length,
  );
});
