/** A random choice between generators, operation by operation. */
import { drawWeighted } from './draw.ts';
import type { Generator } from './generator.ts';
import { DONE, generator, wrap } from './steps.ts';

export interface Weighted {
  /** Whole number ≥ 0; shares are in proportion. */
  readonly weight: number;
  readonly generator: Generator;
}

/**
 * Draws which of `choices` is asked for the next operation. A choice holds until it has given
 * one, so that one which waits keeps its share; exhausted ones drop out.
 */
export function mix(choices: readonly Weighted[]): Generator {
  return generator((context) => {
    const live = choices.filter((choice) => choice.weight > 0);
    if (live.length === 0) return DONE;
    const weights = live.map((choice) => choice.weight);
    return chosen(drawWeighted(context.random, weights), live).next(context);
  });
}

function chosen(position: number, choices: readonly Weighted[]): Generator {
  return generator((context) => {
    const choice = choices[position];
    const step = choice?.generator.next(context);
    if (choice === undefined || step === undefined || step.type === 'done') {
      return mix(choices.toSpliced(position, 1)).next(context);
    }
    return wrap(step, (next, emitted) => {
      const after = choices.with(position, { weight: choice.weight, generator: next });
      return emitted ? mix(after) : chosen(position, after);
    });
  });
}
