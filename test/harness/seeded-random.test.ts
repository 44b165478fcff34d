import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { drawOrder } from '../../harness/draw.ts';
import { SEED_BOUND, seededRandom } from '../../harness/seeded-random.ts';

const seeds = fc.integer({ min: 0, max: SEED_BOUND - 1 });
const parameters = { seed: 1, numRuns: 100 };

function take(random: { below(bound: number): number }, count: number): number[] {
  return Array.from({ length: count }, () => random.below(1_000_000));
}

describe('seeded random', () => {
  test('same seed, same stream; neighbouring seeds differ', () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        expect(take(seededRandom(seed), 8)).toEqual(take(seededRandom(seed), 8));
        const neighbour = seededRandom((seed + 1) % SEED_BOUND);
        expect(take(seededRandom(seed), 8)).not.toEqual(take(neighbour, 8));
      }),
      parameters,
    );
  });

  test('a fork depends on seed and name, not on draws made before', () => {
    const fresh = seededRandom(5);
    const used = seededRandom(5);
    take(used, 100);
    expect(take(used.fork('network'), 8)).toEqual(take(fresh.fork('network'), 8));
    expect(take(fresh.fork('a'), 8)).not.toEqual(take(fresh.fork('b'), 8));
    expect(take(fresh.fork('a').fork('b'), 8)).not.toEqual(take(fresh.fork('b').fork('a'), 8));
  });

  test('draws stay below the bound, and reach every value of a small one', () => {
    fc.assert(
      fc.property(seeds, fc.integer({ min: 1, max: 20 }), (seed, bound) => {
        const random = seededRandom(seed);
        const drawn = new Set(Array.from({ length: bound * 50 }, () => random.below(bound)));
        expect([...drawn].sort((a, b) => a - b)).toEqual(Array.from(Array(bound).keys()));
      }),
      parameters,
    );
  });

  test('64-bit values use both halves', () => {
    const random = seededRandom(9);
    const drawn = Array.from({ length: 64 }, () => random.uint64());
    expect(drawn.every((value) => value >= 0n && value < 1n << 64n)).toBe(true);
    expect(drawn.some((value) => value >> 63n === 1n)).toBe(true);
    expect(new Set(drawn.map((value) => value & 0xffffffffn)).size).toBe(64);
  });

  test('an order keeps all items', () => {
    fc.assert(
      fc.property(seeds, fc.array(fc.nat(), { maxLength: 12 }), (seed, items) => {
        expect(drawOrder(seededRandom(seed), items).sort()).toEqual([...items].sort());
      }),
      parameters,
    );
  });
});
