import { describe, expect, test } from 'vitest';
import type { Op, OpType } from '../../checkers/history/op.ts';
import { markFaults } from '../../reports/fault-marks.ts';
import type { FaultRecord, MemberSeries } from '../../reports/run-record.ts';
import { completionsOf, latencyNs, OUTCOMES } from '../../reports/series/completions.ts';
import { figuresOf } from '../../reports/series/figures.ts';
import { fsyncsOverTime } from '../../reports/series/fsyncs.ts';
import { leadershipsOf, roleSpansOf } from '../../reports/series/leadership.ts';
import { quantilesOverTime, ratesOverTime } from '../../reports/series/rates.ts';
import { SCATTER_POINTS_MAX, thinScatter } from '../../reports/series/scatter.ts';
import { cutIntoWindows, windowAt, windowEndNs } from '../../reports/series/time-windows.ts';
import { emptyRecord } from './sample-record.ts';

const SECOND_NS = 1e9;

/** One operation a process: invoked at, took, ended. */
function historyOf(operations: readonly (readonly [number, number, OpType])[]): Op[] {
  const events = operations.flatMap(([time, tookNs, type], process) => {
    const common = { process, f: 'write', value: null };
    return [
      { ...common, time, type: 'invoke' as const },
      { ...common, time: time + tookNs, type },
    ];
  });
  return events.sort((a, b) => a.time - b.time).map((event, index) => ({ ...event, index }));
}

function faultFrom(startS: number, endS: number, effect: FaultRecord['effect'] = 'observed') {
  return {
    kind: 'kill',
    description: 'kill -9 of n1',
    nodes: ['n1'],
    injectStartNs: startS * SECOND_NS,
    injectEndNs: startS * SECOND_NS,
    healStartNs: endS * SECOND_NS,
    healEndNs: endS * SECOND_NS,
    effect,
    observation: '',
  };
}

describe('completions', () => {
  test('leave out the nemesis, what never completed, and what nobody invoked', () => {
    const history: Op[] = [
      { index: 0, time: 1, process: 1, type: 'invoke', f: 'read', value: null },
      { index: 1, time: 2, process: 'nemesis', type: 'info', f: 'kill', value: null },
      { index: 2, time: 3, process: 2, type: 'ok', f: 'read', value: null },
      { index: 3, time: 4, process: 3, type: 'invoke', f: 'read', value: null },
      { index: 4, time: 9, process: 3, type: 'fail', f: 'read', value: null },
    ];
    const completions = completionsOf(history);
    expect(completions.count).toBe(1);
    expect(completions.unfinished).toBe(1);
    expect(OUTCOMES[completions.outcomes[0]!]).toBe('fail');
    expect(latencyNs(completions, 0)).toBe(5);
  });
});

describe('figures', () => {
  test('count outcomes, rate and silence of the storm, latency of what ended ok', () => {
    const history = historyOf([
      [0, 2e6, 'ok'],
      [1e9, 4e6, 'ok'],
      [2e9, 500e6, 'info'],
      [7e9, 900e6, 'fail'],
      [11e9, 8e6, 'ok'],
    ]);
    const record = { ...emptyRecord(), history, stormEndNs: 10e9, endNs: 12e9 };
    const figures = figuresOf(record, completionsOf(history));
    expect(figures).toMatchObject({ ok: 3, fail: 1, info: 1, unfinished: 0, stormPerSecond: 0.4 });
    expect(figures.longestSilence).toEqual({ fromNs: 1.004e9, lengthNs: 8.996e9 });
    expect(figures.latency!.maxNs).toBe(8e6);
    expect(Math.abs(figures.latency!.p50Ns - 4e6)).toBeLessThan(4e6 / 500);
  });

  test('of nothing ok have no latency', () => {
    const history = historyOf([[0, 1e6, 'info']]);
    const figures = figuresOf({ ...emptyRecord(), history }, completionsOf(history));
    expect(figures.latency).toBeUndefined();
    expect(figures.stormPerSecond).toBe(0);
  });
});

describe('the scatter', () => {
  test('keeps everything that fits, in the order of invocation', () => {
    const history = historyOf([
      [5, 100, 'ok'],
      [3, 1, 'fail'],
    ]);
    const completions = completionsOf(history);
    const { rows, thinned } = thinScatter(completions, SECOND_NS);
    expect(thinned).toBe(false);
    expect(rows.map((row) => completions.invokedNs[row])).toEqual([3, 5]);
  });

  test('is bounded, and keeps the slowest, the fastest and the rare', () => {
    const count = 100_000;
    const operations = Array.from({ length: count }, (_, at): [number, number, OpType] => [
      Math.floor((at / count) * 60e9),
      at === 41_234 ? 9e9 : at === 77_777 ? 1 : 1e6 + (at % 97),
      at === 50_001 ? 'fail' : at % 1_000 === 0 ? 'info' : 'ok',
    ]);
    const completions = completionsOf(historyOf(operations));
    const { rows, thinned } = thinScatter(completions, 60e9);
    const kept = rows.map((row) => latencyNs(completions, row));
    expect(thinned).toBe(true);
    expect(rows.length).toBeLessThanOrEqual(SCATTER_POINTS_MAX);
    expect(rows.length).toBeGreaterThan(SCATTER_POINTS_MAX / 10);
    expect(new Set(rows).size).toBe(rows.length);
    expect(Math.max(...kept)).toBe(9e9);
    expect(Math.min(...kept)).toBe(1);
    const outcomes = rows.map((row) => OUTCOMES[completions.outcomes[row]!]);
    expect(outcomes.filter((outcome) => outcome === 'fail').length).toBe(1);
    expect(outcomes.filter((outcome) => outcome === 'info').length).toBe(100);
  });

  test('stays bounded when everything falls into one moment', () => {
    const operations = Array.from({ length: 30_000 }, (): [number, number, OpType] => [7, 5, 'ok']);
    const { rows } = thinScatter(completionsOf(historyOf(operations)), 60e9);
    expect(rows.length).toBeGreaterThan(0);
    expect(rows.length).toBeLessThan(100);
  });
});

describe('windows', () => {
  test.each([
    [0, 120],
    [1, 120],
    [5e9, 120],
    [60e9, 120],
    [3_600e9, 120],
    [1e6 * 3_600e9, 600],
  ])('of a run of %d ns are at most as many as asked', (endNs, windowsMax) => {
    const windows = cutIntoWindows(endNs, windowsMax);
    expect(windows.count).toBeGreaterThan(0);
    expect(windows.count).toBeLessThanOrEqual(windowsMax);
    expect(windowEndNs(windows, windows.count - 1)).toBeGreaterThanOrEqual(endNs);
    expect(windowAt(windows, endNs)).toBe(windows.count - 1);
    expect(windowAt(windows, -1)).toBe(0);
  });

  test('rates add up to what completed, in the window of the completion', () => {
    const history = historyOf([
      [0.5e9, 1e9, 'ok'],
      [0.6e9, 1e9, 'ok'],
      [2e9, 1e6, 'fail'],
    ]);
    const { perSecond } = ratesOverTime(completionsOf(history), 12e9);
    expect(perSecond[0]).toEqual([0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    expect(perSecond[1]).toEqual([0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
  });

  test('quantiles are of the window of the invocation, and none where nothing ended ok', () => {
    const history = historyOf([
      [0.5e9, 3e9, 'ok'],
      [4e9, 1e6, 'info'],
    ]);
    const { quantiles } = quantilesOverTime(completionsOf(history), 12e9);
    expect(quantiles[0]!.maxNs).toBe(3e9);
    expect(quantiles.slice(1).every((each) => each === undefined)).toBe(true);
  });
});

describe('leadership', () => {
  const sample = (seconds: number, isLeader: boolean, term: number, reachable = true) => ({
    timeNs: seconds * SECOND_NS,
    reachable,
    isLeader,
    term,
    commitIndex: 0,
    appliedIndex: 0,
  });
  const memberOf = (node: string, status: MemberSeries['status']): MemberSeries => ({
    node,
    status,
    fsync: [],
  });

  test('samples of one role make one span; a new term begins another', () => {
    const status = [
      sample(0, false, 1),
      sample(1, false, 2),
      sample(2, true, 2),
      sample(3, true, 3),
    ];
    const spans = roleSpansOf(memberOf('n1', [...status, sample(4, false, 3, false)]), 5e9);
    expect(
      spans.map(({ role, term, fromNs, toNs }) => [role, term, fromNs / 1e9, toNs / 1e9]),
    ).toEqual([
      ['follower', 1, 0, 2],
      ['leader', 2, 2, 3],
      ['leader', 3, 3, 4],
      ['unreachable', 3, 4, 5],
    ]);
  });

  test('a sample does not speak for a long silence', () => {
    const [span] = roleSpansOf(memberOf('n1', [sample(0, true, 1), sample(50, true, 1)]), 60e9);
    expect(span!.toNs).toBeLessThan(5e9);
  });

  test('two leaders of one term are both told', () => {
    const members = [memberOf('n1', [sample(1, true, 4)]), memberOf('n2', [sample(1, true, 4)])];
    const leaderships = leadershipsOf({ ...emptyRecord(), members, endNs: 3e9 });
    expect(leaderships.map(({ node, term }) => [node, term])).toEqual([
      ['n1', 4],
      ['n2', 4],
    ]);
  });
});

describe('fsyncs', () => {
  const sample = (seconds: number, count: number, p99Ms: number) => ({
    timeNs: seconds * SECOND_NS,
    count,
    meanMs: 2,
    p50Ms: 1,
    p99Ms,
  });

  test('the worst of each window; none where nothing was synced or sampled', () => {
    const fsync = [sample(0.5, 10, 4), sample(1.5, 30, 64), sample(2.5, 0, 0), sample(9.5, 1, 8)];
    const { members } = fsyncsOverTime(
      [
        { node: 'n1', status: [], fsync },
        { node: 'n2', status: [], fsync: [] },
      ],
      12e9,
    );
    expect(members.length).toBe(1);
    expect(members[0]).toMatchObject({ node: 'n1', count: 41, meanMs: 2, worstP99Ms: 64 });
    const nothing = [null, null, null, null, null, null, null];
    expect(members[0]!.p99Ms).toEqual([64, 64, ...nothing, 8, null, null]);
  });
});

describe('marks of faults', () => {
  test('overlapping faults are in different rows, skipped ones are not marked', () => {
    const marks = markFaults([
      faultFrom(0, 5),
      faultFrom(1, 2),
      faultFrom(3, 4, 'skipped'),
      { ...faultFrom(5, 6, 'no-effect'), kind: 'pause' },
    ]);
    expect(marks.map(({ number, row, colour }) => [number, row, colour])).toEqual([
      [1, 0, 'fault-0'],
      [2, 1, 'fault-0'],
      [4, 0, 'fault-1'],
    ]);
  });

  test('many at once share the last row', () => {
    const marks = markFaults(Array.from({ length: 20 }, () => faultFrom(0, 1)));
    expect(Math.max(...marks.map((mark) => mark.row))).toBe(3);
  });
});
