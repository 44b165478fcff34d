/** What directed links between members do to the traffic on them, as data. */
import { err, ok, type Result } from '../../src/lib/result.ts';

/** How single delays lie around the one that is asked for. */
export type DelayDistribution =
  /** Evenly between `delayMs` - `jitterMs` and `delayMs` + `jitterMs`. */
  | 'uniform'
  /** Bell-shaped, `jitterMs` is the standard deviation; cut off at three of them. */
  | 'normal'
  /** Never below `delayMs`, in the mean `jitterMs` above it, a few far above. */
  | 'pareto';

/** One direction of one pair of members. */
export interface DirectedLink {
  readonly from: string;
  readonly to: string;
}

export interface LinkQuality {
  /** Of all messages (sim), segments (proxies) or packets (kernel). */
  readonly lossPercent: number;
  /** Of those that may be delivered twice by the contract of the Network port. */
  readonly duplicatePercent: number;
  /** One way, on top of what the link takes by itself. */
  readonly delayMs: number;
  /** See {@link DelayDistribution}. */
  readonly jitterMs: number;
  readonly distribution: DelayDistribution;
  /** Later messages may overtake earlier ones. */
  readonly reorders: boolean;
  /** Bytes per second; 0: as fast as it goes. */
  readonly rateBytesPerS: number;
}

/** A link and what it does. */
export interface DirectedQuality extends DirectedLink {
  readonly quality: LinkQuality;
}

export const GOOD_LINKS: LinkQuality = {
  lossPercent: 0,
  duplicatePercent: 0,
  delayMs: 0,
  jitterMs: 0,
  distribution: 'uniform',
  reorders: false,
  rateBytesPerS: 0,
};

/** More than this is a cut, and has a fault of its own. */
export const DELAY_MS_MAX = 60_000;
export const RATE_BYTES_PER_S_MAX = 1e10;

const DISTRIBUTIONS: readonly string[] = ['uniform', 'normal', 'pareto'];

export function isGood(quality: LinkQuality): boolean {
  const { lossPercent, duplicatePercent, delayMs, jitterMs, reorders, rateBytesPerS } = quality;
  return lossPercent + duplicatePercent + delayMs + jitterMs + rateBytesPerS === 0 && !reorders;
}

/** One link after the other: delays add up, either may lose, the thinner one counts. */
export function inSeries(first: LinkQuality, second: LinkQuality): LinkQuality {
  if (isGood(first)) return second;
  if (isGood(second)) return first;
  const wider = first.jitterMs >= second.jitterMs ? first : second;
  return {
    lossPercent: eitherPercent(first.lossPercent, second.lossPercent),
    duplicatePercent: eitherPercent(first.duplicatePercent, second.duplicatePercent),
    delayMs: first.delayMs + second.delayMs,
    jitterMs: Math.hypot(first.jitterMs, second.jitterMs),
    distribution: wider.distribution,
    reorders: first.reorders || second.reorders,
    rateBytesPerS: thinner(first.rateBytesPerS, second.rateBytesPerS),
  };
}

/** The quality in words, `good` if there is nothing to say. */
export function describeQuality(quality: LinkQuality): string {
  const { lossPercent, duplicatePercent, delayMs, jitterMs, rateBytesPerS } = quality;
  const jitter = jitterMs > 0 ? ` ± ${jitterMs} ms (${quality.distribution})` : '';
  const words = [
    ...(delayMs > 0 || jitterMs > 0 ? [`${delayMs} ms${jitter} late`] : []),
    ...(lossPercent > 0 ? [`${lossPercent} % lost`] : []),
    ...(duplicatePercent > 0 ? [`${duplicatePercent} % twice`] : []),
    ...(quality.reorders ? ['in any order'] : []),
    ...(rateBytesPerS > 0 ? [`${rateBytesPerS / 1000} kB/s`] : []),
  ];
  return words.join(', ') || 'good';
}

/** The quality in a piece of JSON; fields left out are good. In one line what is wrong with it. */
export function parseQuality(field: string, value: unknown): Result<LinkQuality, string> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return err(`${field}: give an object of ${Object.keys(GOOD_LINKS).join(', ')}`);
  }
  for (const [name, given] of Object.entries(value)) {
    const allowed = whatIsAllowed(name, given);
    if (allowed !== undefined) {
      return err(`${field}.${name}: ${JSON.stringify(given)}: ${allowed}`);
    }
  }
  return ok({ ...GOOD_LINKS, ...value });
}

/** What may stand there; undefined: what stands there. */
function whatIsAllowed(name: string, given: unknown): string | undefined {
  const within = (most: number): string | undefined =>
    typeof given === 'number' && given >= 0 && given <= most
      ? undefined
      : `give a number from 0 to ${most}`;
  switch (name) {
    case 'lossPercent':
    case 'duplicatePercent':
      return within(100);
    case 'delayMs':
    case 'jitterMs':
      return within(DELAY_MS_MAX);
    case 'rateBytesPerS':
      return within(RATE_BYTES_PER_S_MAX);
    case 'reorders':
      return typeof given === 'boolean' ? undefined : 'give true or false';
    case 'distribution':
      return typeof given === 'string' && DISTRIBUTIONS.includes(given)
        ? undefined
        : `give one of ${DISTRIBUTIONS.join(', ')}`;
    default:
      return `unknown; use ${Object.keys(GOOD_LINKS).join(', ')}`;
  }
}

function eitherPercent(first: number, second: number): number {
  return first + second - (first * second) / 100;
}

function thinner(first: number, second: number): number {
  if (first === 0 || second === 0) return Math.max(first, second);
  return Math.min(first, second);
}
