/** The answers a generator can give, built in one place. */
import type { Generator, GeneratorContext, GeneratorStep, Invocation } from './generator.ts';

/** As `untilNs`: not before something completes. */
export const UNTIL_COMPLETION_NS: number = Number.POSITIVE_INFINITY;

export const DONE: GeneratorStep = { type: 'done' };

/** Asks for `op`; `generator` follows. */
export function emit(op: Invocation, generator: Generator): GeneratorStep {
  return { type: 'op', op, generator };
}

/** Nothing before `untilNs` (since the run's base); `generator` is to be asked then. */
export function wait(untilNs: number, generator: Generator): GeneratorStep {
  return { type: 'pending', untilNs, generator };
}

/** The same answer, with the generator that follows wrapped in another. */
export function wrap(
  step: GeneratorStep,
  around: (generator: Generator, emitted: boolean) => Generator,
): GeneratorStep {
  if (step.type === 'done') return step;
  return { ...step, generator: around(step.generator, step.type === 'op') };
}

/** A generator from its one function. */
export function generator(next: (context: GeneratorContext) => GeneratorStep): Generator {
  return { next };
}
