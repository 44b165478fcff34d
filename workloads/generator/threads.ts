/**
 * Who does what. Inside {@link onThreads} and {@link reserve} a generator sees only its own
 * threads, numbered from 0, as if there were no others; `process` stays what it is.
 */
import type { Generator, GeneratorContext } from './generator.ts';
import { DONE, generator, UNTIL_COMPLETION_NS, wait, wrap } from './steps.ts';

/**
 * `inner` for the threads that `isMember` picks; the others have nothing to do. Which threads
 * these are is settled by the first question, as a run's concurrency does not change.
 */
export function onThreads(isMember: (thread: number) => boolean, inner: Generator): Generator {
  return generator((context) => {
    const members = threadsOf(context).filter(isMember);
    return onMembers(members, inner).next(context);
  });
}

function onMembers(members: readonly number[], inner: Generator): Generator {
  const self: Generator = generator((context) => {
    if (members.length === 0) return DONE;
    const thread = members.indexOf(context.thread);
    if (thread < 0) return wait(UNTIL_COMPLETION_NS, self);
    const step = inner.next({ ...context, thread, concurrency: members.length });
    return wrap(step, (next) => onMembers(members, next));
  });
  return self;
}

/** Every thread runs `inner` from its beginning; exhausted when it is for all of them. */
export function eachThread(inner: Generator): Generator {
  return generator((context) => {
    const parts = threadsOf(context).map(() => inner);
    return split(parts, (thread) => thread).next(context);
  });
}

/** Consecutive threads and what they do. */
export interface Reserved {
  readonly threads: number;
  readonly generator: Generator;
}

/** The first threads run the first part and so on; what is left over runs `rest`, or nothing. */
export function reserve(parts: readonly Reserved[], rest?: Generator): Generator {
  const ends: number[] = [];
  for (const part of parts) ends.push((ends.at(-1) ?? 0) + part.threads);
  const partOf = (thread: number): number => {
    const position = ends.findIndex((end) => thread < end);
    return position < 0 ? parts.length : position;
  };
  const all = [...parts.map((part) => part.generator), rest];
  const own = all.map((part, position) =>
    part === undefined ? undefined : onThreads((thread) => partOf(thread) === position, part),
  );
  return split(own, partOf);
}

/** One generator for each group of threads; undefined once it is exhausted. */
function split(
  parts: readonly (Generator | undefined)[],
  partOf: (thread: number) => number,
): Generator {
  return generator((context) => {
    const own = partOf(context.thread);
    const step = parts[own]?.next(context) ?? DONE;
    if (step.type !== 'done') {
      return wrap(step, (next) => split(parts.with(own, next), partOf));
    }
    const left = parts.with(own, undefined);
    const isLive = threadsOf(context).some((thread) => left[partOf(thread)] !== undefined);
    return isLive ? wait(UNTIL_COMPLETION_NS, split(left, partOf)) : DONE;
  });
}

function threadsOf(context: GeneratorContext): readonly number[] {
  return Array.from({ length: context.concurrency }, (_, thread) => thread);
}
