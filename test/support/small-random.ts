import type { Random } from '../../src/ports/random.ts';

/** A few draws from a seed, for tests that need chance without a simulator. */
export function smallRandom(seed: number): Pick<Random, 'below'> {
  let state = seed >>> 0;
  return {
    below(bound: number): number {
      state = (state + 0x9e3779b9) >>> 0;
      let mixed = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
      mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
      return ((mixed ^ (mixed >>> 15)) >>> 0) % bound;
    },
  };
}
