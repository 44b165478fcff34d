import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { limit, timeLimit } from '../../workloads/generator/bounds.ts';
import type { Generator } from '../../workloads/generator/generator.ts';
import { mix } from '../../workloads/generator/mix.ts';
import { delay, sleep, stagger, startingAt } from '../../workloads/generator/pace.ts';
import { EMPTY, list, once, phases, repeat, unfold } from '../../workloads/generator/sequence.ts';
import { eachThread, onThreads, reserve } from '../../workloads/generator/threads.ts';
import { validated } from '../../workloads/generator/validated.ts';
import { askAll, askOnce, fsOf } from './ask.ts';

const op = (f: string) => ({ f, value: null });
const endless = (f: string): Generator => repeat(() => op(f));
const MS = 1_000_000;

describe('sequences', () => {
  test('give their operations once and in order', () => {
    expect(fsOf(askAll(list([op('a'), op('b')])))).toEqual(['a', 'b']);
    expect(fsOf(askAll(once(op('a'))))).toEqual(['a']);
    expect(askAll(EMPTY)).toEqual([]);
    expect(fsOf(askAll(phases(once(op('a')), EMPTY, list([op('b'), op('c')]))))).toEqual([
      'a',
      'b',
      'c',
    ]);
  });

  test('carry a state, until it gives nothing', () => {
    const countdown = unfold(3, (left) =>
      left === 0 ? undefined : { op: { f: 'add', value: left }, state: left - 1 },
    );
    expect(askAll(countdown).map((asked) => asked.op.value)).toEqual([3, 2, 1]);
  });

  test('are values: the same question has the same answer', () => {
    const generator = list([op('a'), op('b')]);
    expect(askOnce(generator)).toMatchObject({ type: 'op', op: { f: 'a' } });
    expect(askOnce(generator)).toMatchObject({ type: 'op', op: { f: 'a' } });
  });
});

describe('bounds', () => {
  test('by count: as many as there are, up to the limit', () => {
    fc.assert(
      fc.property(fc.nat(30), fc.nat(30), (count, available) => {
        const inner = list(Array.from({ length: available }, () => op('a')));
        expect(askAll(limit(count, inner))).toHaveLength(Math.min(count, available));
      }),
      { seed: 3 },
    );
  });

  test('by time, from the first question on, also while waiting', () => {
    const every10ms = stagger({ meanNs: 10 * MS, gaps: 'uniform' }, endless('a'));
    const asked = askAll(phases(sleep(50 * MS), timeLimit(100 * MS, every10ms), once(op('z'))));
    expect(asked.at(0)?.timeNs).toBe(50 * MS);
    expect(asked.at(-1)).toMatchObject({ op: { f: 'z' }, timeNs: 150 * MS });
    expect(askOnce(timeLimit(5, delay(100, endless('a'))))).toMatchObject({ untilNs: 5 });
  });
});

describe('pace', () => {
  test.each(['exponential', 'uniform'] as const)('keeps its mean with %s gaps', (gaps) => {
    const asked = askAll(stagger({ meanNs: 3 * MS, gaps }, endless('a')), { opsMax: 3_000 });
    const meanNs = asked.at(-1)!.timeNs / asked.length;
    expect(meanNs).toBeGreaterThan(2.8 * MS);
    expect(meanNs).toBeLessThan(3.2 * MS);
  });

  test('makes up for lateness, but not for a stall', () => {
    const first = askOnce(stagger({ meanNs: 2 * MS, gaps: 'uniform' }, endless('a')), 0);
    let step = first;
    let made = 0;
    while (step.type === 'op') {
      step = askOnce(step.generator, 10_000 * MS);
      made += step.type === 'op' ? 1 : 0;
    }
    expect(made).toBeGreaterThan(5);
    expect(made).toBeLessThan(200);
    expect(step.type).toBe('pending');
  });

  test('delays and sleeps', () => {
    expect(askAll(delay(7, once(op('a'))))).toMatchObject([{ timeNs: 7 }]);
    expect(askAll(startingAt(9, once(op('a'))))).toMatchObject([{ timeNs: 9 }]);
    expect(askAll(phases(sleep(5), once(op('a'))))).toMatchObject([{ timeNs: 5 }]);
    expect(askAll(sleep(5))).toEqual([]);
  });
});

describe('mixtures', () => {
  test('follow their weights', () => {
    const choices = [
      { weight: 3, generator: endless('a') },
      { weight: 1, generator: endless('b') },
      { weight: 0, generator: endless('never') },
    ];
    const fs = fsOf(askAll(mix(choices), { opsMax: 4_000 }));
    const share = fs.filter((f) => f === 'a').length / fs.length;
    expect(share).toBeGreaterThan(0.72);
    expect(share).toBeLessThan(0.78);
    expect(fs).not.toContain('never');
  });

  test('go on without what is exhausted, and end with the last', () => {
    const choices = [
      { weight: 1, generator: list([op('a'), op('a')]) },
      { weight: 1, generator: list([op('b'), op('b'), op('b')]) },
    ];
    expect(fsOf(askAll(mix(choices))).toSorted()).toEqual(['a', 'a', 'b', 'b', 'b']);
  });

  test('wait with the one that was drawn', () => {
    const step = askOnce(mix([{ weight: 1, generator: delay(5, once(op('a'))) }]));
    expect(step).toMatchObject({ type: 'pending', untilNs: 5 });
  });
});

describe('threads', () => {
  test('only those that are picked, numbered anew', () => {
    const inner = repeat((context) => ({ f: 'a', value: [context.thread, context.concurrency] }));
    const asked = askAll(
      limit(
        4,
        onThreads((thread) => thread % 2 === 1, inner),
      ),
    );
    expect(asked.map(({ thread, op: { value } }) => [thread, value])).toEqual([
      [1, [0, 2]],
      [3, [1, 2]],
      [1, [0, 2]],
      [3, [1, 2]],
    ]);
  });

  test('nobody is picked: done', () => {
    expect(askOnce(onThreads(() => false, endless('a')))).toEqual({ type: 'done' });
  });

  test('each does all of it', () => {
    const asked = askAll(eachThread(list([op('a'), op('b')])), { concurrency: 3 });
    const byThread = [0, 1, 2].map((thread) => fsOf(asked.filter((one) => one.thread === thread)));
    expect(byThread).toEqual([
      ['a', 'b'],
      ['a', 'b'],
      ['a', 'b'],
    ]);
  });

  test('some of them: exhausted when these are', () => {
    const asked = askAll(
      phases(
        onThreads((thread) => thread < 2, eachThread(once(op('a')))),
        once(op('z')),
      ),
    );
    expect(asked.map(({ thread, op: { f } }) => f + thread)).toEqual(['a0', 'a1', 'z1']);
  });

  test('are shared out in order', () => {
    const generator = reserve(
      [
        { threads: 1, generator: list([op('a')]) },
        { threads: 2, generator: list([op('b'), op('b'), op('b')]) },
      ],
      list([op('c')]),
    );
    const asked = askAll(generator).map((one) => one.op.f + one.thread);
    expect(asked.toSorted()).toEqual(['a0', 'b1', 'b1', 'b2', 'c3']);
    expect(askAll(reserve([{ threads: 9, generator: list([op('a')]) }]))).toHaveLength(1);
  });
});

test('a guard stops wrong operations', () => {
  expect(() => askOnce(validated(['b'], endless('a')))).toThrow(
    'generator asks for a, not one of b',
  );
  const notJson = repeat(() => ({ f: 'a', value: Number.NaN }));
  expect(() => askOnce(validated(['a'], notJson))).toThrow(
    'the value of a generated a is not JSON',
  );
  expect(fsOf(askAll(validated(['a'], once(op('a')))))).toEqual(['a']);
});
