import { describe, expect, test } from 'vitest';
import { AssertionError } from '../../src/lib/assert.ts';
import { equalBytes } from '../../src/lib/bytes.ts';
import { Slabs } from '../../src/mvcc/slabs.ts';

function filled(lengthBytes: number, byte: number): Uint8Array {
  return new Uint8Array(lengthBytes).fill(byte);
}

describe('slabs', () => {
  test('give back what was added, short and long, empty and larger than a slab', () => {
    const slabs = new Slabs();
    const strings = [0, 1, 7, 8, 9, 33, 4096, 70_000, 5_000_000, 40_000_000].map((length, at) =>
      filled(length, at + 1),
    );
    const addresses = strings.map((bytes) => slabs.add(bytes));
    for (const [at, bytes] of strings.entries()) {
      const view = slabs.view(addresses[at]!, bytes.length);
      expect(view.length).toBe(bytes.length);
      expect(equalBytes(view, bytes)).toBe(true);
    }
  });

  test('start small', () => {
    const slabs = new Slabs();
    slabs.add(filled(10, 1));
    expect(slabs.allocatedBytes).toBeLessThanOrEqual(4096);
    for (let at = 0; at < 1000; at++) slabs.add(filled(100, 1));
    expect(slabs.allocatedBytes).toBeLessThanOrEqual(3 * slabs.liveBytes);
  });

  test('are given back when all in them was freed; views stay right', () => {
    const slabs = new Slabs();
    const addresses = Array.from({ length: 2000 }, (_, at) => slabs.add(filled(200, at)));
    const view = slabs.view(addresses[3]!, 200);
    const before = slabs.allocatedBytes;
    for (const address of addresses) slabs.free(address, 200);
    expect(slabs.liveBytes).toBe(0);
    expect(slabs.allocatedBytes).toBeLessThan(before);
    for (let at = 0; at < 2000; at++) slabs.add(filled(200, 255));
    expect(view.every((byte) => byte === 3)).toBe(true);
  });

  test('marked as sparse are emptied by moving, others are not touched', () => {
    const slabs = new Slabs();
    const addresses = Array.from({ length: 2000 }, (_, at) => slabs.add(filled(200, at)));
    expect(slabs.markSparse(0.5)).toBe(0);
    const kept = addresses.filter((_, at) => at % 10 === 0);
    for (const [at, address] of addresses.entries()) if (at % 10 !== 0) slabs.free(address, 200);
    const before = slabs.allocatedBytes;
    const wonBytes = slabs.sparseBytes(0.5);
    expect(wonBytes).toBeGreaterThan(before / 4);
    expect(slabs.markSparse(0.5)).toBe(wonBytes);
    const moved = kept.map((address) => slabs.moved(address, 200));
    expect(moved.some((address, at) => address !== kept[at])).toBe(true);
    expect(slabs.sparseBytes(0.5)).toBe(0);
    expect(slabs.allocatedBytes).toBeLessThan(before);
    for (const [at, address] of moved.entries()) {
      expect(slabs.view(address, 200)).toEqual(filled(200, at * 10));
    }
  });

  test('compare as bytes do', () => {
    const slabs = new Slabs();
    const address = slabs.add(Uint8Array.of(1, 2, 200));
    const order = (...bytes: number[]): number =>
      Math.sign(slabs.compare(address, 3, Uint8Array.from(bytes)));
    expect(order(1, 2, 200)).toBe(0);
    expect(order(1, 2)).toBe(1);
    expect(order(1, 2, 200, 0)).toBe(-1);
    expect(order(1, 2, 201)).toBe(-1);
    expect(order()).toBe(1);
  });

  test('to free more than was added is a bug', () => {
    const slabs = new Slabs();
    const address = slabs.add(filled(10, 1));
    slabs.free(address, 10);
    expect(() => slabs.free(address, 10)).toThrow(AssertionError);
  });
});

describe('a large array that is taken over', () => {
  const ARRAY_BYTES = 2 ** 21;

  /** Strings of it, and where they begin: nowhere in particular. */
  function stringsOf(array: Uint8Array): Uint8Array[] {
    for (let at = 0; at < array.length; at++) array[at] = (at * 7) >>> 5;
    return [3, 501, 1_000, 70_001, ARRAY_BYTES - 300].map((from, nth) =>
      array.subarray(from, from + [200, 1, 4_097, 33, 300][nth]!),
    );
  }

  test('is not copied', () => {
    const slabs = new Slabs();
    const array = new Uint8Array(ARRAY_BYTES);
    const strings = stringsOf(array);
    const addresses = strings.map((string) => slabs.adopt(string));
    expect(slabs.allocatedBytes).toBe(ARRAY_BYTES);
    expect(slabs.liveBytes).toBe(strings.reduce((sum, { length }) => sum + length, 0));
    for (const [at, string] of strings.entries()) {
      const view = slabs.view(addresses[at]!, string.length);
      expect(view.buffer).toBe(array.buffer);
      expect(view).toEqual(string);
      expect(slabs.compare(addresses[at]!, string.length, string)).toBe(0);
      expect(slabs.byteAt(addresses[at]!, string.length - 1)).toBe(string.at(-1));
    }
  });

  test('is given back when all of it was freed or moved', () => {
    const slabs = new Slabs();
    const strings = stringsOf(new Uint8Array(ARRAY_BYTES));
    const [first, ...others] = strings.map((string) => slabs.adopt(string));
    expect(slabs.markSparse(0.5)).toBeGreaterThan(ARRAY_BYTES / 2);
    for (const [at, address] of others.entries()) slabs.free(address, strings[at + 1]!.length);
    const moved = slabs.moved(first!, strings[0]!.length);
    expect(slabs.view(moved, strings[0]!.length)).toEqual(strings[0]);
    expect(slabs.allocatedBytes).toBeLessThan(ARRAY_BYTES);
    expect(() => slabs.free(first!, strings[0]!.length)).toThrow(AssertionError);
  });

  test('stays one, whatever is taken over in between', () => {
    const slabs = new Slabs();
    const arrays = [new Uint8Array(ARRAY_BYTES), new Uint8Array(ARRAY_BYTES)];
    const strings = arrays.map(stringsOf);
    for (let at = 0; at < 5; at++) for (const each of strings) slabs.adopt(each[at]!);
    expect(slabs.allocatedBytes).toBe(2 * ARRAY_BYTES);
  });

  test('is copied if it is small, or larger than what can be addressed', () => {
    const slabs = new Slabs();
    for (const sizeBytes of [2 ** 20 - 1, 2 ** 22 + 1]) {
      const string = new Uint8Array(sizeBytes).fill(9).subarray(100, 200);
      const address = slabs.adopt(string);
      expect(slabs.view(address, 100)).toEqual(string);
      expect(slabs.view(address, 100).buffer).not.toBe(string.buffer);
    }
    const edge = new Uint8Array(2 ** 22).fill(5);
    expect(slabs.view(slabs.adopt(edge.subarray(2 ** 22 - 9)), 9).buffer).toBe(edge.buffer);
  });
});
