import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AssertionError } from '../../src/lib/assert.ts';
import { nameOf } from '../../src/lib/key-name.ts';
import { KeyTable } from '../../src/mvcc/key-table.ts';
import { OrderedIndex } from '../../src/mvcc/ordered-index.ts';

const SEED = 20260403;

/** An index of names, one character per byte. */
class Names {
  readonly keys = new KeyTable();
  readonly #ids = new Map<string, number>();
  index = new OrderedIndex(this.keys);

  idOf(name: string): number {
    const known = this.#ids.get(name);
    if (known !== undefined) return known;
    const id = this.keys.add(bytesOf(name), 0);
    this.#ids.set(name, id);
    return id;
  }

  insert(name: string): void {
    this.index.insert(this.idOf(name));
  }

  remove(name: string): void {
    this.index.remove(this.idOf(name));
  }

  visited(from = '', end?: string): string[] {
    const names: string[] = [];
    this.index.visit(bytesOf(from), end === undefined ? undefined : bytesOf(end), (id) => {
      names.push(nameOf(this.keys.bytes(id)));
      return true;
    });
    return names;
  }
}

function bytesOf(name: string): Uint8Array {
  return Uint8Array.from(name, (character) => character.charCodeAt(0));
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
        const index = new Names();
        for (const each of inserted) index.insert(each);
        const removed = inserted.filter((_, at) => (seed >> (at % 31)) & 1);
        for (const each of removed) index.remove(each);
        const left = inserted.filter((each) => !removed.includes(each)).sort();
        const inRange = left.filter((each) => each >= from && each < end);
        expect(index.index.size).toBe(left.length);
        expect(index.visited()).toEqual(left);
        expect(index.visited(from, end)).toEqual(inRange);
      }),
      { seed: SEED, numRuns: 300 },
    );
  });

  test('stays in order over many blocks that split and merge', () => {
    const names = manyNames(20_000);
    const index = new Names();
    for (const name of names) index.insert(name);
    expect(index.visited()).toEqual(names.toSorted());
    const sorted = names.toSorted();
    for (const at of [383, 384, 5_000, 19_998]) {
      expect(index.visited(sorted[at - 300], sorted[at])).toEqual(sorted.slice(at - 300, at));
    }
    const left = names.filter((_, at) => at % 97 === 0);
    for (const [at, name] of names.entries()) if (at % 97 !== 0) index.remove(name);
    expect(index.visited()).toEqual(left.toSorted());
    for (const name of left) index.remove(name);
    expect(index.index.size).toBe(0);
    expect(index.visited()).toEqual([]);
  });

  test('built from sorted keys is the same index', () => {
    const names = manyNames(5_000).sort();
    const built = new Names();
    const ids = Uint32Array.from(names, (name) => built.idOf(name));
    built.index = OrderedIndex.fromSorted(built.keys, ids);
    expect(built.index.size).toBe(5_000);
    expect(built.visited(names[700], names[4_300])).toEqual(names.slice(700, 4_300));
    built.insert('000000x');
    built.remove(names[0]!);
    expect(built.visited().slice(0, 2)).toEqual(['000000x', names[1]]);
  });

  test('stops when it is told to', () => {
    const names = new Names();
    for (const name of ['c', 'a', 'b']) names.insert(name);
    let visits = 0;
    names.index.visit(bytesOf(''), undefined, () => ++visits < 2);
    expect(visits).toBe(2);
  });

  test('refuses what only a bug would ask for', () => {
    const index = new Names();
    index.insert('a');
    expect(() => index.insert('a')).toThrow(AssertionError);
    expect(() => index.remove('b')).toThrow(AssertionError);
    const unsorted = Uint32Array.from(manyNames(500), (name) => index.idOf(name));
    expect(() => OrderedIndex.fromSorted(index.keys, unsorted.reverse())).toThrow(AssertionError);
  });
});
