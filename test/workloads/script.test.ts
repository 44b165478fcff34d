import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { script } from '../../workloads/generator/script.ts';
import { askAll, askOnce } from './ask.ts';

const MS = 1_000_000;

function op(atNs: number, thread: number, value: number) {
  return { atNs, thread, f: 'put', value };
}

const scripts = fc
  .array(fc.record({ atNs: fc.nat(50 * MS), thread: fc.nat(3), value: fc.nat() }), {
    maxLength: 40,
  })
  .map((ops) => ops.map((each) => ({ ...each, f: 'put' })).sort((a, b) => a.atNs - b.atNs));

describe('a script', () => {
  test('asks each thread for exactly its operations, in order, none before its time', () => {
    fc.assert(
      fc.property(scripts, (ops) => {
        const asked = askAll(script(ops));
        for (let thread = 0; thread < 4; thread++) {
          const own = ops.filter((each) => each.thread === thread);
          const got = asked.filter((each) => each.thread === thread);
          expect(got.map((each) => each.op.value)).toEqual(own.map((each) => each.value));
          // Every operation completes at once here, so each has exactly its time.
          expect(got.map((each) => each.timeNs)).toEqual(own.map((each) => each.atNs));
        }
      }),
      { seed: 1 },
    );
  });

  test('gives f and value, and nothing of where they come from', () => {
    const step = askOnce(script([op(0, 0, 7)]));
    expect(step).toMatchObject({ type: 'op', op: { f: 'put', value: 7 } });
    expect(step.type === 'op' && Object.keys(step.op)).toEqual(['f', 'value']);
  });

  test('lets a thread without operations wait, and ends when the last one is asked for', () => {
    const generator = script([op(5 * MS, 1, 1), op(9 * MS, 1, 2)]);
    expect(askOnce(generator, 0, 0)).toMatchObject({ type: 'pending', untilNs: Infinity });
    expect(askOnce(generator, 0, 1)).toMatchObject({ type: 'pending', untilNs: 5 * MS });
    const first = askOnce(generator, 6 * MS, 1);
    if (first.type !== 'op') throw new Error('the time has come');
    expect(askOnce(first.generator, 6 * MS, 1)).toMatchObject({ untilNs: 9 * MS });
    // A thread that is behind makes up for it at once.
    const second = askOnce(first.generator, 20 * MS, 1);
    if (second.type !== 'op') throw new Error('the time has come');
    expect(second.op.value).toBe(2);
    expect(askOnce(second.generator, 20 * MS, 1)).toEqual({ type: 'done' });
  });

  test('is a value: the same question has the same answer', () => {
    const generator = script([op(0, 0, 1), op(0, 0, 2)]);
    expect(askOnce(generator)).toMatchObject({ op: { value: 1 } });
    expect(askOnce(generator)).toMatchObject({ op: { value: 1 } });
  });

  test('without operations is done, and one that goes back in time is refused', () => {
    expect(askOnce(script([]))).toEqual({ type: 'done' });
    expect(() => script([op(2, 0, 1), op(1, 0, 2)])).toThrow('order of time');
    // Threads are not compared with each other.
    expect(() => script([op(2, 0, 1), op(1, 1, 2)])).not.toThrow();
  });
});
