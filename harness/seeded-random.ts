/**
 * The Random port over a seed: everything a run draws comes from here, so that one seed means
 * one plan and one sequence of asked-for operations.
 */
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plusFromState } from 'pure-rand/generator/xoroshiro128plus';
import type { RandomGenerator } from 'pure-rand/types/RandomGenerator';
import { assert } from '../src/lib/assert.ts';
import type { Random } from '../src/ports/random.ts';

/** Seeds are integers in [0, SEED_BOUND). */
export const SEED_BOUND: number = 2 ** 32;

/** A stream for the seed; its forks depend on the seed and their names, never on draws made. */
export function seededRandom(seed: number): Random {
  assert(Number.isInteger(seed) && seed >= 0 && seed < SEED_BOUND, `seed out of range: ${seed}`);
  return new SeededRandom(String(seed));
}

class SeededRandom implements Random {
  /** Seed and fork names, joined: the identity of the stream. */
  readonly #path: string;
  readonly #generator: RandomGenerator;

  constructor(path: string) {
    this.#path = path;
    this.#generator = xoroshiro128plusFromState([1, 2, 3, 4].map((salt) => hash32(path, salt)));
  }

  below(bound: number): number {
    assert(Number.isSafeInteger(bound) && bound > 0 && bound <= 2 ** 32, `bad bound: ${bound}`);
    return uniformInt(this.#generator, 0, bound - 1);
  }

  uint64(): bigint {
    const high = BigInt(this.#generator.next() >>> 0);
    const low = BigInt(this.#generator.next() >>> 0);
    return (high << 32n) | low;
  }

  fork(name: string): Random {
    return new SeededRandom(`${this.#path}/${name}`);
  }
}

/** FNV-1a with MurmurHash3's finaliser: neighbouring seeds must give unlike states. */
function hash32(text: string, salt: number): number {
  let hash = 0x811c9dc5 ^ Math.imul(salt, 0x9e3779b1);
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}
