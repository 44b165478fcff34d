import fc from 'fast-check';
import { expect, test } from 'vitest';
import { IntervalSet } from '../../src/mvcc/interval-set.ts';
import type { KeySpan } from '../../src/mvcc/key-span.ts';

const SEED = 20260404;
const name = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), minLength: 1, maxLength: 2 });
const span: fc.Arbitrary<KeySpan> = fc.oneof(
  name.map((point): KeySpan => ({ type: 'point', name: point })),
  fc
    .tuple(name, fc.option(name, { nil: undefined, freq: 8 }))
    .map(([from, end]): KeySpan => ({ type: 'interval', from, end })),
);

function covers(one: KeySpan, key: string): boolean {
  if (one.type === 'point') return one.name === key;
  return one.from <= key && (one.end === undefined || key < one.end);
}

test('a set covers what any of its intervals covers', () => {
  fc.assert(
    fc.property(fc.array(span, { maxLength: 12, size: 'max' }), fc.array(name), (spans, keys) => {
      const [first, second] = [new IntervalSet(), new IntervalSet()];
      for (const [at, one] of spans.entries()) (at % 2 === 0 ? first : second).add(one);
      first.addAll(second);
      for (const key of [...keys, 'a', 'b', 'c', 'bb']) {
        expect(first.covers(key)).toBe(spans.some((one) => covers(one, key)));
      }
    }),
    { seed: SEED, numRuns: 1000 },
  );
});

test('an interval that ends before it starts covers nothing', () => {
  const set = new IntervalSet();
  set.add({ type: 'interval', from: 'c', end: 'a' });
  for (const key of ['a', 'b', 'c', 'd']) expect(set.covers(key)).toBe(false);
});
