import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AssertionError } from '../../src/lib/assert.ts';
import { utf8Encode } from '../../src/lib/utf8.ts';
import { hashBytes, KeyHash } from '../../src/mvcc/key-hash.ts';
import { KeyTable, NO_KEY } from '../../src/mvcc/key-table.ts';

const SEED = 20260502;

/** Keys `key0`, `key1`, … with hashes that the test chooses. */
class Fixture {
  readonly keys = new KeyTable();
  readonly hash = new KeyHash(this.keys, 0);
  readonly #ids = new Map<number, number>();
  readonly #hashFor: (number: number) => number;

  constructor(hashFor: (number: number) => number) {
    this.#hashFor = hashFor;
  }

  toggle(number: number): void {
    const id = this.#ids.get(number);
    if (id === undefined) {
      const added = this.keys.add(utf8Encode(`key${number}`), this.#hashFor(number));
      this.hash.add(added);
      this.#ids.set(number, added);
    } else {
      this.hash.remove(id);
      this.keys.remove(id);
      this.#ids.delete(number);
    }
  }

  expectRight(numbers: number): void {
    for (let number = 0; number < numbers; number++) {
      const found = this.hash.find(utf8Encode(`key${number}`), this.#hashFor(number));
      expect(found).toBe(this.#ids.get(number) ?? NO_KEY);
    }
  }
}

describe('the hash of keys', () => {
  test('finds what is in it, however hashes collide', () => {
    const toggles = fc.array(fc.nat(60), { maxLength: 150, size: 'max' });
    fc.assert(
      fc.property(toggles, fc.constantFrom(1, 5, 1000), (numbers, hashes) => {
        // High bits all set: searches run over the end of the slots.
        const fixture = new Fixture((number) => (0xffff_ff00 | (number % hashes)) >>> 0);
        for (const number of numbers) fixture.toggle(number);
        fixture.expectRight(61);
      }),
      { seed: SEED, numRuns: 300 },
    );
  });

  test('grows by splitting, and is emptied again', () => {
    const fixture = new Fixture((number) => hashBytes(utf8Encode(`key${number}`), 7));
    for (let number = 0; number < 20_000; number++) fixture.toggle(number);
    fixture.expectRight(20_500);
    for (let number = 0; number < 20_000; number += 1 + (number % 3)) fixture.toggle(number);
    fixture.expectRight(20_000);
  });

  test('holds more keys with one hash than a segment has slots', () => {
    const fixture = new Fixture(() => 0x1234_5678);
    for (let number = 0; number < 2_500; number++) fixture.toggle(number);
    fixture.expectRight(2_510);
  });

  test('another seed gives other hashes', () => {
    const key = utf8Encode('key');
    expect(hashBytes(key, 1)).not.toBe(hashBytes(key, 2));
    expect(hashBytes(key, 1)).toBe(hashBytes(utf8Encode('key'), 1));
  });

  test('to remove what is not there is a bug', () => {
    const { keys, hash } = new Fixture(() => 1);
    const id = keys.add(utf8Encode('a'), 1);
    expect(() => hash.remove(id)).toThrow(AssertionError);
  });
});
