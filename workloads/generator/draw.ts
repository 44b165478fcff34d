/** Draws that generators make from the run's randomness. */
import type { Random } from '../../src/ports/random.ts';

const FRACTIONS = 2 ** 32;

/** Uniform in [0, 1). */
export function drawFraction(random: Random): number {
  return random.below(FRACTIONS) / FRACTIONS;
}

/** Exponential with the given mean: the gaps between events that know nothing of each other. */
export function drawExponential(random: Random, mean: number): number {
  return -Math.log(1 - drawFraction(random)) * mean;
}

/** A position in `weights` (whole, ≥ 0, not all 0), in proportion to its weight. */
export function drawWeighted(random: Random, weights: readonly number[]): number {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  let left = random.below(total);
  return weights.findIndex((weight) => {
    left -= weight;
    return left < 0;
  });
}
