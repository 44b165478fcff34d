/** Where a generator ends: after so many operations, or after so long. */
import type { Generator } from './generator.ts';
import { DONE, generator, wait, wrap } from './steps.ts';

/** The first `count` operations. */
export function limit(count: number, inner: Generator): Generator {
  return generator((context) => {
    if (count <= 0) return DONE;
    return wrap(inner.next(context), (next, emitted) => limit(count - (emitted ? 1 : 0), next));
  });
}

/** What is asked for within `durationNs` of the first question. */
export function timeLimit(durationNs: number, inner: Generator): Generator {
  return generator((context) => endingAt(context.timeNs + durationNs, inner).next(context));
}

function endingAt(endNs: number, inner: Generator): Generator {
  return generator((context) => {
    if (context.timeNs >= endNs) return DONE;
    const step = inner.next(context);
    if (step.type !== 'pending') return wrap(step, (next) => endingAt(endNs, next));
    return wait(Math.min(step.untilNs, endNs), endingAt(endNs, step.generator));
  });
}
