/** When operations are due: rates, delays and pauses. Times are ns since the run's base. */
import { drawExponential, drawFraction } from './draw.ts';
import type { Generator, GeneratorContext } from './generator.ts';
import { DONE, generator, wait, wrap } from './steps.ts';

export interface Pace {
  /** Mean time from one operation to the next, over all threads together. */
  readonly meanNs: number;
  /** `exponential`: clients that know nothing of each other; `uniform`: 0 to twice the mean. */
  readonly gaps: 'exponential' | 'uniform';
}

/**
 * How much lateness is made up for. Timers are late by a millisecond or so, and without this
 * the rate would fall short; after a stall of all clients a flood would follow without a bound.
 */
const CATCH_UP_NS_MAX = 50_000_000;

/** Spreads the operations of `inner` over time. The first is due at once. */
export function stagger(pace: Pace, inner: Generator): Generator {
  return generator((context) => dueAt(context.timeNs, pace, inner).next(context));
}

function dueAt(dueNs: number, pace: Pace, inner: Generator): Generator {
  return generator((context) => {
    if (context.timeNs < dueNs) return wait(dueNs, dueAt(dueNs, pace, inner));
    return wrap(inner.next(context), (next, emitted) => {
      if (!emitted) return dueAt(dueNs, pace, next);
      const earliestNs = context.timeNs - CATCH_UP_NS_MAX;
      return dueAt(Math.max(dueNs, earliestNs) + drawGapNs(pace, context), pace, next);
    });
  });
}

function drawGapNs(pace: Pace, context: GeneratorContext): number {
  const { meanNs, gaps } = pace;
  if (gaps === 'exponential') return Math.round(drawExponential(context.random, meanNs));
  return Math.round(drawFraction(context.random) * 2 * meanNs);
}

/** `inner` for `onNs`, nothing for `offNs`, and so on for as long as there is anything. */
export function bursts(times: { onNs: number; offNs: number }, inner: Generator): Generator {
  const periodNs = times.onNs + times.offNs;
  return generator((context) => {
    const sinceStartNs = context.timeNs % periodNs;
    if (sinceStartNs >= times.onNs) {
      return wait(context.timeNs - sinceStartNs + periodNs, bursts(times, inner));
    }
    return wrap(inner.next(context), (next) => bursts(times, next));
  });
}

/** Nothing for `durationNs` after the first question, then `inner`. */
export function delay(durationNs: number, inner: Generator): Generator {
  return generator((context) => startingAt(context.timeNs + durationNs, inner).next(context));
}

/** Nothing before `startNs`, then `inner`. */
export function startingAt(startNs: number, inner: Generator): Generator {
  const self: Generator = generator((context) =>
    context.timeNs < startNs ? wait(startNs, self) : inner.next(context),
  );
  return self;
}

/** A pause of `durationNs` between phases. */
export function sleep(durationNs: number): Generator {
  return delay(
    durationNs,
    generator(() => DONE),
  );
}
