import type { Json } from '../../checkers/history/op.ts';
import type { Random } from '../../src/ports/random.ts';

/**
 * A generator is an immutable value: asking it for an operation gives the operation and the
 * generator that follows, or says that nothing is due yet, or that it is exhausted.
 */
export interface Generator {
  next(context: GeneratorContext): GeneratorStep;
}

export type GeneratorStep =
  | { readonly type: 'op'; readonly op: Invocation; readonly generator: Generator }
  /** Nothing now; ask again at `untilNs` or when something completes, whichever is first. */
  | { readonly type: 'pending'; readonly untilNs: number; readonly generator: Generator }
  | { readonly type: 'done' };

export interface GeneratorContext {
  /** Nanoseconds since the run's base. */
  readonly timeNs: number;
  /** The free process that asks. Its thread is `process % concurrency`. */
  readonly process: number;
  readonly thread: number;
  readonly concurrency: number;
  /** Drawn from in place; the interpreter owns it, so runs with one seed ask alike. */
  readonly random: Random;
}

/** An operation that a generator asks for. */
export interface Invocation {
  readonly f: string;
  readonly value: Json;
}
