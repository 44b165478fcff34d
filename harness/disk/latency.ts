/** How long a disk takes, as a distribution: what is added to an operation's own time. */

import type { Random } from '../../src/ports/random.ts';

export type Distribution =
  | { readonly type: 'constant'; readonly ms: number }
  | { readonly type: 'uniform'; readonly leastMs: number; readonly mostMs: number }
  /** `sigma` is of the logarithm: 0.5 puts 1 of 40 beyond 2.7 times the median. */
  | {
      readonly type: 'lognormal';
      readonly medianMs: number;
      readonly sigma: number;
      readonly mostMs: number;
    }
  /** Pareto: the chance of more than x falls with x to the power of `-alpha`, up to `mostMs`. */
  | {
      readonly type: 'heavy-tail';
      readonly leastMs: number;
      readonly alpha: number;
      readonly mostMs: number;
    };

/** What is added to syncs and to writes; absent: nothing. */
export interface DiskLatency {
  readonly sync?: Distribution;
  readonly write?: Distribution;
}

/** Longest delay that can be asked for. */
export const DELAY_MS_MAX = 600_000;

/** One draw, in ms, not below 0. */
export function drawMs(distribution: Distribution, random: Random): number {
  switch (distribution.type) {
    case 'constant':
      return distribution.ms;
    case 'uniform':
      return (
        distribution.leastMs + (distribution.mostMs - distribution.leastMs) * drawShare(random)
      );
    case 'lognormal': {
      const drawnMs = distribution.medianMs * Math.exp(distribution.sigma * drawNormal(random));
      return Math.min(drawnMs, distribution.mostMs);
    }
    case 'heavy-tail': {
      const drawnMs = distribution.leastMs / (1 - drawShare(random)) ** (1 / distribution.alpha);
      return Math.min(drawnMs, distribution.mostMs);
    }
    default:
      return distribution satisfies never;
  }
}

/** Half of the draws are below it. */
export function medianMs(distribution: Distribution): number {
  switch (distribution.type) {
    case 'constant':
      return distribution.ms;
    case 'uniform':
      return (distribution.leastMs + distribution.mostMs) / 2;
    case 'lognormal':
      return Math.min(distribution.medianMs, distribution.mostMs);
    case 'heavy-tail':
      return Math.min(distribution.leastMs * 2 ** (1 / distribution.alpha), distribution.mostMs);
    default:
      return distribution satisfies never;
  }
}

/** Undefined unless `value` is a distribution with sound numbers and no other fields. */
export function parseDistribution(value: unknown): Distribution | undefined {
  if (typeof value !== 'object' || value === null || !('type' in value)) return undefined;
  const fields = FIELDS[String(value.type)];
  if (fields === undefined || Object.keys(value).length !== fields.length + 1) return undefined;
  const isSound = fields.every((field) => {
    const number: unknown = Reflect.get(value, field);
    return typeof number === 'number' && number >= 0 && number <= DELAY_MS_MAX;
  });
  if (!isSound || ('alpha' in value && value.alpha === 0)) return undefined;
  return value as Distribution;
}

const FIELDS: Readonly<Record<string, readonly string[] | undefined>> = {
  constant: ['ms'],
  uniform: ['leastMs', 'mostMs'],
  lognormal: ['medianMs', 'sigma', 'mostMs'],
  'heavy-tail': ['leastMs', 'alpha', 'mostMs'],
};

/** Uniform in [0, 1). */
function drawShare(random: Random): number {
  return random.below(2 ** 32) / 2 ** 32;
}

/** Mean 0, deviation 1 (Box and Muller). */
function drawNormal(random: Random): number {
  const radius = Math.sqrt(-2 * Math.log(1 - drawShare(random)));
  return radius * Math.cos(2 * Math.PI * drawShare(random));
}
