import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AssertionError } from '../../src/lib/assert.ts';
import { OrderedIndex } from '../../src/mvcc/ordered-index.ts';

const SEED = 20260403;

function visited(index: OrderedIndex<string>, from = '', end?: string): string[] {
  const values: string[] = [];
  index.visit(from, end, (value) => values.push(value));
  return values;
}

/** Enough names for several blocks, in an order that is neither sorted nor reversed. */
function manyNames(count: number): string[] {
  return Array.from({ length: count }, (_, at) => String((at * 7919) % 100_003).padStart(6, '0'));
}

describe('the ordered index', () => {
  test('agrees with a sorted array after any insertions and removals', () => {
    const name = fc.string({ unit: fc.constantFrom('a', 'b', 'c', '\0', '\xff'), maxLength: 3 });
    const names = fc.uniqueArray(name, { maxLength: 80, size: 'max' });
    fc.assert(
      fc.property(names, fc.nat(), name, name, (inserted, seed, from, end) => {
        const index = new OrderedIndex<string>();
        for (const each of inserted) index.insert(each, `value of ${each}`);
        const removed = inserted.filter((_, at) => (seed >> (at % 31)) & 1);
        for (const each of removed) index.remove(each);
        const left = inserted.filter((each) => !removed.includes(each)).sort();
        const inRange = left.filter((each) => each >= from && each < end);
        expect(index.size).toBe(left.length);
        expect(visited(index)).toEqual(left.map((each) => `value of ${each}`));
        expect(visited(index, from, end)).toEqual(inRange.map((each) => `value of ${each}`));
      }),
      { seed: SEED, numRuns: 300 },
    );
  });

  test('stays in order over many blocks that split and merge', () => {
    const names = manyNames(20_000);
    const index = new OrderedIndex<string>();
    for (const name of names) index.insert(name, name);
    expect(visited(index)).toEqual(names.toSorted());
    const left = names.filter((_, at) => at % 97 === 0);
    for (const [at, name] of names.entries()) if (at % 97 !== 0) index.remove(name);
    expect(visited(index)).toEqual(left.toSorted());
    for (const name of left) index.remove(name);
    expect(index.size).toBe(0);
    expect(visited(index)).toEqual([]);
  });

  test('built from sorted names is the same index', () => {
    const names = manyNames(5_000).sort();
    const built = OrderedIndex.fromSorted(names, (name) => name);
    expect(built.size).toBe(5_000);
    expect(visited(built, names[700], names[4_300])).toEqual(names.slice(700, 4_300));
    built.insert('000000x', '000000x');
    built.remove(names[0]!);
    expect(visited(built).slice(0, 2)).toEqual(['000000x', names[1]]);
  });

  test('refuses what only a bug would ask for', () => {
    const index = new OrderedIndex<string>();
    index.insert('a', 'a');
    expect(() => index.insert('a', 'a')).toThrow(AssertionError);
    expect(() => index.remove('b')).toThrow(AssertionError);
  });
});
