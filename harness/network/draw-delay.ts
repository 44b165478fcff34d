/** One delay, drawn as a link's quality says. */
import type { Random } from '../../src/ports/random.ts';
import type { LinkQuality } from './link-quality.ts';

const DRAW_BOUND = 2 ** 32;
/** A normal delay lies within so many standard deviations. */
const DEVIATIONS_MOST = 3;
/** Tail index: mean and variance are finite. The mean of what is above 1 is then a half. */
const PARETO_INDEX = 3;
const PARETO_EXCESS_MEAN = 1 / (PARETO_INDEX - 1);
/** Of the tail, so many times the jitter: a delay of minutes would be a cut. */
const PARETO_JITTERS_MOST = 20;

/** In ms, never negative. */
export function drawDelayMs(
  random: Random,
  { delayMs, jitterMs, distribution }: LinkQuality,
): number {
  if (jitterMs === 0) return delayMs;
  return Math.max(0, delayMs + jitterMs * drawDeviation(random, distribution));
}

/** In units of the jitter. */
function drawDeviation(random: Random, distribution: LinkQuality['distribution']): number {
  switch (distribution) {
    case 'uniform':
      return 2 * unit(random) - 1;
    case 'normal': {
      const radius = Math.sqrt(-2 * Math.log(1 - unit(random)));
      const deviation = radius * Math.cos(2 * Math.PI * unit(random));
      return Math.max(-DEVIATIONS_MOST, Math.min(DEVIATIONS_MOST, deviation));
    }
    case 'pareto': {
      const excess = (1 - unit(random)) ** (-1 / PARETO_INDEX) - 1;
      return Math.min(PARETO_JITTERS_MOST, excess / PARETO_EXCESS_MEAN);
    }
  }
}

/** In [0, 1). */
function unit(random: Random): number {
  return random.below(DRAW_BOUND) / DRAW_BOUND;
}
