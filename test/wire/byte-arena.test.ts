import fc from 'fast-check';
import { expect, test } from 'vitest';
import { allocateBytes } from '../../src/wire/byte-arena.ts';

test('what is given out is zero, has its size, and is nobody else’s', () => {
  const sizes = fc.array(fc.integer({ min: 0, max: 6_000 }), { maxLength: 100 });
  fc.assert(
    fc.property(sizes, (wanted) => {
      const given = wanted.map((size, at) => {
        const bytes = allocateBytes(size);
        expect(bytes).toHaveLength(size);
        expect(bytes.every((byte) => byte === 0)).toBe(true);
        return bytes.fill((at % 255) + 1);
      });
      given.forEach((bytes, at) => {
        expect(bytes.every((byte) => byte === (at % 255) + 1)).toBe(true);
      });
    }),
    { numRuns: 50 },
  );
});

test('small ones share an allocation, large ones have their own', () => {
  const [first, second] = [allocateBytes(100), allocateBytes(100)];
  const large = allocateBytes(5_000);
  expect(first.buffer.byteLength).toBeGreaterThan(100);
  expect(new Set([first.buffer, second.buffer, allocateBytes(100).buffer]).size).toBeLessThan(3);
  expect(large.buffer.byteLength).toBe(5_000);
});
