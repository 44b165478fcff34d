/**
 * Randomness, forked by name so that one more draw in one place does not move every draw
 * elsewhere: `random.fork('network')` gives the same stream for the same parent and name.
 */
export interface Random {
  /** Uniform integer in [0, bound), `bound` a positive safe integer ≤ 2^32. */
  below(bound: number): number;
  /** Uniform 64-bit value. */
  uint64(): bigint;
  fork(name: string): Random;
}
