import { describe, expect, test } from 'vitest';
import type { Json, Op, OpType } from '../../checkers/history/op.ts';
import { bentAxis } from '../../reports/evidence/bent-axis.ts';
import {
  CONTEXT_OPS_MAX,
  CORE_OPS_MAX,
  evidenceOps,
  type ShownOp,
} from '../../reports/evidence/evidence-ops.ts';
import { askedWords, briefWords, outcomeWords } from '../../reports/evidence/op-words.ts';
import { layOutTimeline } from '../../reports/evidence/timeline-layout.ts';
import { timelineSvg } from '../../reports/evidence/timeline-svg.ts';

interface Step {
  readonly process: number;
  readonly type: OpType;
  readonly f: string;
  readonly value: Json;
  readonly error?: string;
}

/** One step a millisecond. */
function historyOf(steps: readonly Step[]): Op[] {
  return steps.map((step, index) => ({ ...step, index, time: index * 1e6 }));
}

function shown(f: string, asked: Json, completion?: Omit<Step, 'process' | 'f'>): ShownOp {
  const [invoke, answer] = historyOf([
    { process: 1, type: 'invoke', f, value: asked },
    ...(completion === undefined ? [] : [{ process: 1, f, ...completion }]),
  ]);
  return { process: 1, invoke: invoke!, completion: answer };
}

describe('an operation in words', () => {
  const ok = (value: Json) => ({ type: 'ok' as const, value });

  test.each<[ShownOp, string, string, string]>([
    [
      shown('write', { key: 'r1', value: 7 }, ok({ key: 'r1', value: 7 })),
      'write r1 = 7',
      'ok',
      'write 7',
    ],
    [
      shown('read', { key: 'r1' }, ok({ key: 'r1', value: null })),
      'read r1',
      '= null',
      'read = null',
    ],
    [
      shown('cas', { key: 'r1', from: 1, to: 2 }, ok({ key: 'r1', from: 1, to: 2, swapped: true })),
      'cas r1 from=1 to=2',
      'swapped=true',
      'cas 1 2 swapped=true',
    ],
    [shown('add', { element: 5 }, ok({ element: 5 })), 'add element=5', 'ok', 'add 5'],
    [
      shown('add', { element: 5 }, { type: 'info', value: null, error: 'timeout' }),
      'add element=5',
      'info: timeout',
      'add 5 info',
    ],
    [shown('add', 3), 'add 3', 'no answer', 'add 3 info'],
    [shown('list', null, ok([1, 2])), 'list', '[1 2]', 'list [1 2]'],
  ])('%#', (op, asked, outcome, brief) => {
    expect([askedWords(op), outcomeWords(op), briefWords(op)]).toEqual([asked, outcome, brief]);
  });
});

describe('the operations of a picture', () => {
  /** Operations one after the other, on two keys in turn. */
  const history = historyOf(
    Array.from({ length: 400 }, (_, at): Step[] => {
      const step = { process: at, f: 'write', value: { key: `k${at % 2}`, value: at } };
      return [
        { ...step, type: 'invoke' },
        { ...step, type: 'ok' },
      ];
    }).flat(),
  );
  const evidenceOf = (ops: readonly Op[]) => ({
    sentence: 'it is wrong',
    ops,
    fromIndex: ops[0]!.index,
    toIndex: ops.at(-1)!.index,
  });

  test('are the core, and those of its key that are nearest', () => {
    const { core, context } = evidenceOps(evidenceOf(history.slice(200, 202)), history);
    expect(core.map((op) => op.process)).toEqual([100]);
    expect(context.length).toBe(CONTEXT_OPS_MAX);
    expect(context.every((op) => op.process % 2 === 0 && op.process !== 100)).toBe(true);
    expect(context.every((op) => Math.abs(op.process - 100) <= CONTEXT_OPS_MAX + 1)).toBe(true);
  });

  test('of a large core are the last, and the table has the rest', () => {
    const { core, drawn } = evidenceOps(evidenceOf(history.slice(0, 80)), history);
    expect(core.length).toBe(40);
    expect(drawn.map((op) => op.process)).toEqual(
      Array.from({ length: CORE_OPS_MAX }, (_, at) => 40 - CORE_OPS_MAX + at),
    );
  });

  test('of a core without keys share its functions', () => {
    const steps = historyOf([
      { process: 1, type: 'invoke', f: 'add', value: 1 },
      { process: 1, type: 'ok', f: 'add', value: 1 },
      { process: 2, type: 'invoke', f: 'other', value: 1 },
      { process: 2, type: 'ok', f: 'other', value: 1 },
      { process: 3, type: 'invoke', f: 'add', value: 2 },
    ]);
    const { context } = evidenceOps(evidenceOf(steps.slice(0, 2)), steps);
    expect(context.map((op) => op.process)).toEqual([3]);
  });

  test('are drawn in order: what ended before is to the left of what began after', () => {
    const ops = evidenceOps(evidenceOf(history.slice(200, 212)), history);
    const { core } = layOutTimeline(ops, []);
    for (const [at, bar] of core.slice(1).entries()) {
      const before = core[at]!;
      expect(before.x + before.width).toBeLessThan(bar.x);
    }
  });

  test('are open to the right when nobody knows how they ended', () => {
    const steps = historyOf([
      { process: 1, type: 'invoke', f: 'write', value: { key: 'k', value: 1 } },
      { process: 1, type: 'info', f: 'write', value: null, error: '</svg><script>' },
    ]);
    const ops = evidenceOps(evidenceOf(steps), steps);
    const layout = layOutTimeline(ops, []);
    expect(layout.core[0]!.isOpen).toBe(true);
    expect(layout.core[0]!.x + layout.core[0]!.width).toBe(layout.right);
    const { markup } = timelineSvg(layout, 'it is wrong');
    expect(markup).toContain('class="open-end"');
    expect(markup).not.toContain('<script');
    expect(markup).not.toContain('NaN');
  });

  test('are drawn also when only one event is known', () => {
    const steps = historyOf([{ process: 1, type: 'invoke', f: 'read', value: { key: 'k' } }]);
    const layout = layOutTimeline(evidenceOps(evidenceOf(steps), steps), []);
    expect(layout.core.length).toBe(1);
    expect(timelineSvg(layout, '').markup).not.toContain('NaN');
  });
});

describe('the bent axis', () => {
  test('keeps the order of times that are microseconds and minutes apart', () => {
    const timesNs = [0, 1_000, 2_000, 60e9, 60e9 + 500, 3_600e9];
    const { xOf, widthPx } = bentAxis({
      timesNs,
      demands: [{ fromNs: 1_000, toNs: 2_000, widthPx: 300 }],
      focus: { fromNs: 1_000, toNs: 60e9 + 500, besidePxMax: 50 },
    });
    const xs = timesNs.map(xOf);
    expect(xs).toEqual(xs.toSorted((a, b) => a - b));
    expect(new Set(xs).size).toBe(xs.length);
    expect(xs[2]! - xs[1]!).toBeGreaterThanOrEqual(300);
    expect(xs[1]! - xs[0]!).toBeLessThanOrEqual(50);
    expect(xOf(-1)).toBe(0);
    expect(xOf(1e15)).toBe(widthPx);
  });
});
