/** Operations one after the other: lists, streams, and generators in sequence. */
import type { Generator, GeneratorContext, Invocation } from './generator.ts';
import { DONE, emit, generator, wrap } from './steps.ts';

/** Asks for nothing. */
export const EMPTY: Generator = generator(() => DONE);

/** One operation, whoever asks first. */
export function once(op: Invocation): Generator {
  return list([op]);
}

/** These operations in order, each to whoever asks next. */
export function list(ops: readonly Invocation[]): Generator {
  return generator(() => {
    const [op, ...rest] = ops;
    return op === undefined ? DONE : emit(op, list(rest));
  });
}

/** Endlessly what `draw` gives. */
export function repeat(draw: (context: GeneratorContext) => Invocation): Generator {
  const self: Generator = generator((context) => emit(draw(context), self));
  return self;
}

/** An operation and the state from which the next one is drawn. */
export interface Unfolded<State> {
  readonly op: Invocation;
  readonly state: State;
}

/** A stream with a memory; ends when `draw` gives nothing. `draw` must not change the state. */
export function unfold<State>(
  state: State,
  draw: (state: State, context: GeneratorContext) => Unfolded<State> | undefined,
): Generator {
  return generator((context) => {
    const drawn = draw(state, context);
    return drawn === undefined ? DONE : emit(drawn.op, unfold(drawn.state, draw));
  });
}

/**
 * Each until it is exhausted, then the next. Operations of one phase may still run when the next
 * begins: a generator does not see completions.
 */
export function phases(...generators: readonly Generator[]): Generator {
  return generator((context) => {
    for (const [position, current] of generators.entries()) {
      const step = current.next(context);
      if (step.type === 'done') continue;
      return wrap(step, (next) => phases(next, ...generators.slice(position + 1)));
    }
    return DONE;
  });
}
