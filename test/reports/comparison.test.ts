/** Runs side by side: how they are paired and what is worked out of each. */
import { describe, expect, test } from 'vitest';
import { pairFaults, sideOf } from '../../reports/comparison/comparison.ts';
import { renderComparisonPage } from '../../reports/comparison/page.ts';
import { availabilityOf, servedAgainNs, servedOps } from '../../reports/comparison/served-again.ts';
import type { FaultRecord, RunRecord } from '../../reports/run-record.ts';
import { completionsOf } from '../../reports/series/completions.ts';
import { emptyRecord, sampleRecord } from './sample-record.ts';

const S = 1e9;

function fault(kind: string, healStartNs: number, nodes: readonly string[] = []): FaultRecord {
  const times = { injectStartNs: S, injectEndNs: S, healStartNs, healEndNs: healStartNs };
  return { kind, description: kind, nodes, ...times, effect: 'observed', observation: 'seen' };
}

/** Operations of one process each: member, begin and end in seconds, outcome. */
function recordOf(
  ops: readonly (readonly [node: string, from: number, to: number, type: 'ok' | 'fail'])[],
  faults: readonly FaultRecord[] = [],
): RunRecord {
  const history = ops.flatMap(([node, from, to, type], process) => [
    { time: from * S, process, type: 'invoke' as const, f: 'read', value: null, node },
    { time: to * S, process, type, f: 'read', value: null, node },
  ]);
  history.sort((a, b) => a.time - b.time);
  return {
    ...emptyRecord(),
    history: history.map((op, index) => ({ ...op, index })),
    faults,
    stormEndNs: 10 * S,
    endNs: 11 * S,
  };
}

describe('served again', () => {
  const served = servedOps(
    recordOf([
      ['n1', 1, 6, 'ok'],
      ['n2', 5, 5.5, 'ok'],
      ['n1', 5.2, 7, 'fail'],
      ['n1', 6, 8, 'ok'],
    ]),
  );

  test('counts what was asked for after the heal began, through a member that was hit', () => {
    expect(servedAgainNs(served, fault('kill', 5 * S, ['n1']))).toBe(3 * S);
    expect(servedAgainNs(served, fault('kill', 5 * S, ['n1', 'n2']))).toBe(0.5 * S);
    expect(servedAgainNs(served, fault('kill', 5 * S))).toBe(0.5 * S);
    expect(servedAgainNs(served, fault('kill', 5 * S, ['n3']))).toBeUndefined();
  });

  test('availability is the share of windows with an answer', () => {
    const record = recordOf(
      Array.from({ length: 100 }, (_, at) => [
        'n1',
        at / 10,
        at / 10 + 0.01,
        at < 50 ? 'ok' : 'fail',
      ]),
    );
    const { windowNs, share } = availabilityOf(completionsOf(record.history), record.stormEndNs);
    expect(windowNs).toBe(2 * S);
    // 0 to 6 s: the third window ends within the silence and has answers yet.
    expect(share).toBeCloseTo(3 / 5);
  });
});

describe('a comparison', () => {
  test('pairs faults by kind and turn; a side that lacks one shows a gap', () => {
    const one = recordOf([], [fault('kill', 2 * S), fault('pause', 3 * S), fault('kill', 4 * S)]);
    const other = recordOf([], [fault('kill', 2 * S), fault('kill', 5 * S)]);
    const sides = [one, other].map((record, at) => sideOf({ name: `t${at}`, record, href: '' }));
    const pairs = pairFaults(sides);
    expect(pairs.map(({ number, kind }) => [number, kind])).toEqual([
      [1, 'kill'],
      [2, 'pause'],
      [3, 'kill'],
    ]);
    expect(pairs.map(({ faults }) => faults.map((each) => each?.healStartNs))).toEqual([
      [2 * S, 2 * S],
      [3 * S, undefined],
      [4 * S, 5 * S],
    ]);
  });

  test('has both, with charts of their own on one scale, and escapes names', () => {
    const fast = sampleRecord({ operations: 300, seconds: 10 });
    const slow = sampleRecord({ operations: 100, seconds: 20 });
    const page = renderComparisonPage(
      {
        title: 'two',
        validity: 'valid',
        commands: [{ what: 'check again', command: 'storm check x' }],
        runs: [
          { name: 'stormraft', record: fast, href: 'a/report.html' },
          { name: 'etcd <3', record: slow, href: 'b/report.html' },
        ],
      },
      { chartScript: '', chartStyle: '' },
    );
    const [, json] = /id="chart-data">(.*?)<\/script>/s.exec(page)!;
    const { charts, endSeconds } = JSON.parse(json!);
    expect(endSeconds).toBe(20);
    expect(charts.map(({ id }: { id: string }) => id)).toEqual(['latency-1', 'latency-2']);
    expect(charts[0].extent).toEqual(charts[1].extent);
    expect(charts[0].bands[0].seconds).not.toEqual(charts[1].bands[0].seconds);
    expect(page).toContain('etcd &lt;3');
    expect(page).not.toContain('etcd <3');
    expect(page).toContain('href="b/report.html"');
  });

  test('of runs in which nothing happened is a page, too', () => {
    const runs = ['a', 'b'].map((name) => ({ name, record: emptyRecord(), href: name }));
    const comparison = { title: 'none', validity: 'unknown', commands: [], runs } as const;
    const page = renderComparisonPage(comparison, { chartScript: '', chartStyle: '' });
    expect(page).toContain('No faults were injected.');
  });
});
