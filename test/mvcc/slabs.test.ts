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
