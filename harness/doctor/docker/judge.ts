/** From what traffic did before, during and after to yes or no. Pure. */

import type { Outcome, Sample } from '../inside/traffic.ts';
import { inMs, inPercent, no, type ProbeResult, yes } from '../probe.ts';

/** A measured strength must lie within this factor of the one that was asked for. */
const TOLERANCE = 0.4;

/** Established traffic stops (or is reset), and traffic flows again after the heal. */
export function judgeCut(outcome: Outcome, wanted: 'silent' | 'reset'): ProbeResult {
  if (!outcome.ok) return no(outcome.error);
  const { before, during, after, injectMs, healMs } = outcome;
  if (before.kind !== 'answers') return no(`traffic was ${describe(before)} before the rule`);
  if (during.kind !== wanted) return no(`the rule is taken, and traffic is ${describe(during)}`);
  if (after.kind !== 'answers') return no(`traffic is ${describe(after)} after the heal`);
  return yes(`traffic is ${during.kind}; set in ${inMs(injectMs)}, healed in ${inMs(healMs)}`);
}

/** The round trip takes `addedMs` longer. */
export function judgeDelay(outcome: Outcome, addedMs: number): ProbeResult {
  if (!outcome.ok) return no(outcome.error);
  const { before, during, after } = outcome;
  if (before.kind !== 'answers' || during.kind !== 'answers' || after.kind !== 'answers') {
    return no(`traffic was ${[before, during, after].map(describe).join(', then ')}`);
  }
  const added = during.medianMs - before.medianMs;
  const words = `${addedMs} ms asked for, ${inMs(added)} measured`;
  if (!isNear(added, addedMs)) return no(words);
  if (after.medianMs - before.medianMs > addedMs / 2) return no(`${words}, and it did not heal`);
  return yes(words);
}

/** `asked` of all datagrams are lost: a share, 0 to 1. */
export function judgeLoss(outcome: Outcome, asked: number): ProbeResult {
  if (!outcome.ok) return no(outcome.error);
  const [before, during, after] = [outcome.before, outcome.during, outcome.after].map((sample) =>
    sample.kind === 'loss' ? sample.share : Number.NaN,
  ) as [number, number, number];
  const words = `${inPercent(asked)} asked for, ${inPercent(during)} measured`;
  if (!isNear(during - before, asked)) return no(words);
  if (!(after < asked / 2)) return no(`${words}, and ${inPercent(after)} after the heal`);
  return yes(words);
}

/** No more than `askedBytesPerSecond` gets through; before, much more did. */
export function judgeBandwidth(outcome: Outcome, askedBytesPerSecond: number): ProbeResult {
  if (!outcome.ok) return no(outcome.error);
  const [before, during, after] = [outcome.before, outcome.during, outcome.after].map((sample) =>
    sample.kind === 'transfer' ? sample.bytesPerSecond : Number.NaN,
  ) as [number, number, number];
  const measured = `${inMegabytes(during)} measured, ${inMegabytes(before)} before`;
  const words = `${inMegabytes(askedBytesPerSecond)} asked for, ${measured}`;
  if (!isNear(during, askedBytesPerSecond)) return no(words);
  if (!(after > 2 * during)) return no(`${words}, and ${inMegabytes(after)} after the heal`);
  return yes(words);
}

function isNear(measured: number, asked: number): boolean {
  return Math.abs(measured - asked) <= TOLERANCE * asked;
}

function describe(sample: Sample): string {
  switch (sample.kind) {
    case 'answers':
      return `answered in ${inMs(sample.medianMs)}`;
    case 'silent':
    case 'reset':
      return sample.kind;
    case 'loss':
      return `lost by ${inPercent(sample.share)}`;
    case 'transfer':
      return inMegabytes(sample.bytesPerSecond);
    default:
      return sample satisfies never;
  }
}

function inMegabytes(bytesPerSecond: number): string {
  return `${(bytesPerSecond / 1e6).toFixed(1)} MB/s`;
}
