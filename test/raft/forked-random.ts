/** The Random port from a seed, for raft's tests. */
import type { Random } from '../../src/ports/random.ts';
import { smallRandom } from '../support/small-random.ts';

export function forkedRandom(seed: number): Random {
  const { below } = smallRandom(seed);
  return {
    below,
    uint64: () => (BigInt(below(2 ** 31)) << 31n) | BigInt(below(2 ** 31)),
    fork: (name) =>
      forkedRandom([...name].reduce((h, c) => Math.imul(h, 31) + c.charCodeAt(0), seed)),
  };
}
