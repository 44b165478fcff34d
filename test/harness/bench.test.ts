/** `storm bench`: its arithmetic, its tables, and what it refuses. */
import { describe, expect, test } from 'vitest';
import { figuresTable, ratiosTable } from '../../harness/bench/bench-table.ts';
import { parseCells } from '../../harness/bench/cell.ts';
import { type LoadResult, Tally } from '../../harness/bench/load.ts';
import {
  type Measurement,
  perSecond,
  processorFigures,
  ratiosOf,
} from '../../harness/bench/measurement.ts';
import { parseMachine, parseProcess, processorUse } from '../../harness/bench/processor-time.ts';
import { benchRequest } from '../../harness/cli/bench.ts';

function loadOf(ok: number, p50Ns: number, problems: Record<string, number> = {}): LoadResult {
  const latency = { meanNs: p50Ns, p50Ns, p99Ns: 2 * p50Ns, maxNs: 3 * p50Ns };
  return { ok, problems, durationNs: 2e9, latency };
}

function measured(
  round: number,
  system: Measurement['system'],
  load: LoadResult,
  cell = 'put:1',
): Measurement {
  return { round, system, cell, load, processors: undefined };
}

describe('the tally', () => {
  test('counts only what is answered between begin and end', () => {
    const tally = new Tally();
    tally.add(5, undefined);
    tally.begin();
    for (let us = 1; us <= 1_000; us++) tally.add(us * 1000, undefined);
    tally.add(1, 'grpc-status 14');
    tally.add(1, 'grpc-status 14');
    tally.end();
    tally.add(9e9, undefined);
    tally.lose(3);
    const { ok, problems, latency } = tally.result();
    expect(ok).toBe(1_000);
    expect(problems).toEqual({ 'grpc-status 14': 2, 'no answer': 3 });
    // Three significant digits.
    expect(latency.p50Ns / 500_000).toBeCloseTo(1, 2);
    expect(latency.p99Ns / 990_000).toBeCloseTo(1, 2);
    expect(latency.meanNs / 500_500).toBeCloseTo(1, 2);
    expect(latency.maxNs / 1_000_000).toBeCloseTo(1, 2);
  });
});

describe('ratios', () => {
  test('are medians of the rounds, each round against itself', () => {
    const measurements = [
      measured(1, 'stormraft', loadOf(300, 10)),
      measured(1, 'etcd', loadOf(100, 20)),
      measured(2, 'etcd', loadOf(1_000, 40)),
      measured(2, 'stormraft', loadOf(1_000, 10)),
      measured(3, 'stormraft', loadOf(200, 30)),
      measured(3, 'etcd', loadOf(100, 30)),
    ];
    const ratios = ratiosOf('put:1', measurements);
    expect(ratios?.rounds).toBe(3);
    expect(ratios?.throughput).toEqual({ median: 2, least: 1, most: 3 });
    expect(ratios?.p50).toEqual({ median: 0.5, least: 0.25, most: 1 });
    expect(perSecond(loadOf(300, 1))).toBe(150);
  });

  test('need both systems to have answered', () => {
    const alone = [measured(1, 'stormraft', loadOf(3, 1)), measured(2, 'etcd', loadOf(3, 1))];
    expect(ratiosOf('put:1', alone)).toBeUndefined();
    const silent = [measured(1, 'stormraft', loadOf(3, 1)), measured(1, 'etcd', loadOf(0, 0))];
    expect(ratiosOf('put:1', silent)).toBeUndefined();
    expect(ratiosTable(['put:1'], silent)).toEqual([]);
  });
});

test('tables have a line for each cell and system, with errors summed', () => {
  const measurements = [
    measured(1, 'stormraft', loadOf(200, 1e6, { 'grpc-status 14': 2 })),
    measured(2, 'stormraft', loadOf(400, 3e6, { 'no answer': 1 })),
    measured(1, 'etcd', loadOf(100, 2e6)),
  ];
  const lines = figuresTable(['put:1', 'range:1'], ['stormraft', 'etcd'], measurements);
  expect(lines.map((line) => line.split(/ {2,}/).slice(0, 7))).toEqual([
    ['cell', 'system', 'req/s', 'p50 ms', 'p99 ms', 'max ms', 'errors'],
    ['put:1', 'stormraft', '150', '2.00', '4.00', '6.00', '3'],
    ['put:1', 'etcd', '50', '2.00', '4.00', '6.00', '0'],
  ]);
});

describe('processor time', () => {
  test('is user and system time, whatever the name of the program', () => {
    const stat = '42 (a ) b) S 1 42 42 0 -1 4194560 1 2 3 4 150 50 0 0 20 0 11 0 99';
    expect(parseProcess(stat)).toBe(2_000_000);
    const machine = parseMachine('cpu  10 1 20 400 30 2 3 4 5 6\ncpu0 1 2 3\n');
    expect(machine).toEqual({ busyUs: 400_000, totalUs: 4_700_000 });
  });

  test('that none of the processes used is other work', () => {
    const reading = (first: number, second: number, busyUs: number, totalUs: number) => ({
      processUs: new Map([
        [1, first],
        [2, second],
      ]),
      busyUs,
      totalUs,
    });
    const use = processorUse(reading(10, 20, 1_000, 5_000), reading(110, 50, 1_330, 6_000));
    expect(use.otherShare).toBeCloseTo(0.2);
    const pids = { leaderPid: 1, followerPids: [2], clientPid: 3 };
    const figures = processorFigures(use, pids, loadOf(10, 1));
    expect(figures).toMatchObject({ leaderUs: 10, followerUs: [3], clientUs: 0 });
  });
});

describe('cells', () => {
  test('say how many connections there are', () => {
    const cells = parseCells('--cells', 'put:1,range:100,put:25,put:1000x2');
    expect(cells.map(({ connections, streams }) => [connections, streams])).toEqual([
      [1, 1],
      [10, 10],
      [25, 1],
      [1000, 2],
    ]);
  });

  test.each(['', 'put', 'put:0', 'get:1', 'put:1x', 'put:20000', 'put:3000x1', 'put:1,,put:2'])(
    '%j is refused',
    (text) => {
      expect(() => parseCells('--cells', text)).toThrow(/^--cells/);
    },
  );
});

test.each([
  [{ etcd: '/nonexistent/etcd' }, /^--etcd \/nonexistent\/etcd: no executable there/],
  [{}, /^--etcd: no etcd in PATH/],
  [{ only: 'zookeeper' }, /^--only zookeeper: unknown/],
  [{ only: 'stormraft', rounds: '0' }, /^--rounds 0: give a whole number from 1/],
  [{ only: 'stormraft', seconds: '1.5' }, /^--seconds 1\.5: /],
  [{ only: 'stormraft', valueSize: '20000' }, /^--value-size 20000: .* to 16000/],
  [{ only: 'stormraft', dir: '/nonexistent' }, /^--dir \/nonexistent: no such directory/],
  [{ only: 'stormraft', json: '/nonexistent/x' }, /^--json \/nonexistent\/x: no such directory/],
  [{ only: 'stormraft', server: '/nonexistent' }, /^--server \/nonexistent: no src\/main\.ts/],
])('%j is refused in words', (raw, message) => {
  expect(() => benchRequest(raw, '/nonexistent')).toThrow(message);
});
