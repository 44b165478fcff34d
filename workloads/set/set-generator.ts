/** Adds of ever new elements, now and then a read of all, and at the end reads that settle it. */
import { limit } from '../generator/bounds.ts';
import type { Generator } from '../generator/generator.ts';
import { mix } from '../generator/mix.ts';
import { stagger } from '../generator/pace.ts';
import { phases, repeat, unfold } from '../generator/sequence.ts';
import { DONE, generator, wrap } from '../generator/steps.ts';
import { eachThread, onThreads } from '../generator/threads.ts';

export interface SetOptions {
  /** Adds for each read of the whole set during the run. */
  readonly addsPerRead: number;
  /** From so many adds on, nobody reads during the run: reads would be most of the history. */
  readonly readElementsMax: number;
  /** Threads that read at the end: one for each member, if clients are spread evenly. */
  readonly finalReadThreads: number;
  /** Final reads of each of them, as the first may meet a cluster that is still recovering. */
  readonly finalReadsPerThread: number;
}

export const SET_OPTIONS: SetOptions = {
  addsPerRead: 60,
  readElementsMax: 5_000,
  finalReadThreads: 3,
  finalReadsPerThread: 3,
};

const FINAL_READ_GAP_NS = 250_000_000;

const SET_READS: Generator = repeat(() => ({ f: 'set-read', value: {} }));

/** Endless; elements count from 0. */
export function setGenerator(options: SetOptions = SET_OPTIONS): Generator {
  const { addsPerRead, readElementsMax } = options;
  const addsAndReads = mix([
    { weight: addsPerRead, generator: addsFrom(0) },
    { weight: 1, generator: SET_READS },
  ]);
  return phases(untilAdded(readElementsMax, addsAndReads), addsFrom(readElementsMax));
}

function addsFrom(first: number): Generator {
  return unfold(first, (element) => ({
    op: { f: 'add', value: { element } },
    state: element + 1,
  }));
}

/** What `inner` asks for until `count` of it were adds. */
function untilAdded(count: number, inner: Generator): Generator {
  return generator((context) => {
    if (count <= 0) return DONE;
    const step = inner.next(context);
    const isAdd = step.type === 'op' && step.op.f === 'add';
    return wrap(step, (next) => untilAdded(isAdd ? count - 1 : count, next));
  });
}

export function setFinalGenerator(options: SetOptions = SET_OPTIONS): Generator {
  const { finalReadThreads, finalReadsPerThread } = options;
  const reads = limit(finalReadsPerThread, SET_READS);
  const spaced = stagger({ meanNs: FINAL_READ_GAP_NS, gaps: 'uniform' }, reads);
  return onThreads((thread) => thread < finalReadThreads, eachThread(spaced));
}
