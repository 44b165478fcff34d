/**
 * Runs a generator in virtual time against a store made of functions, and records the history,
 * as the harness does with real clients. One seed, one history.
 */
import type { Op } from '../../checkers/history/op.ts';
import type { Generator, Invocation } from '../../workloads/generator/generator.ts';
import type { Completion } from '../../workloads/workload.ts';
import { testRandom } from './seeded-random.ts';

/** How a simulated operation will end. */
export interface Outcome {
  readonly endNs: number;
  readonly completion: Completion;
}

/** A store under test: decides at once how an operation that begins at `timeNs` will end. */
export interface VirtualStore {
  /** Calls come in the order of time. `report` may be called once, at any later virtual time. */
  invoke(op: Invocation, thread: number, timeNs: number, report: (outcome: Outcome) => void): void;
  /** Runs what is due up to `timeNs`; gives the time of the next event after it. */
  advance(timeNs: number): number;
}

export interface RunOptions {
  readonly generator: Generator;
  readonly store: VirtualStore;
  readonly seed: number;
  readonly concurrency: number;
  /** Where the history so far ends, if this is a later part of a run. */
  readonly history: Op[];
  readonly startNs: number;
}

interface Running {
  readonly process: number;
  readonly op: Invocation;
  readonly outcome: Outcome;
}

/** Returns the time at which everything has ended. */
export function interpret(options: RunOptions): number {
  const { store, concurrency, history } = options;
  const random = testRandom(options.seed);
  const processes = Array.from({ length: concurrency }, (_, thread) => thread);
  const retiredBefore = history.findLast((op) => op.type === 'invoke');
  if (retiredBefore !== undefined) {
    const highest = Math.max(...history.map((op) => Number(op.process)));
    const round = Math.floor(highest / concurrency) + 1;
    for (const thread of processes.keys()) processes[thread] = round * concurrency + thread;
  }
  const busy = new Set<number>();
  const ended: Running[] = [];
  let generator: Generator | undefined = options.generator;
  let timeNs = options.startNs;
  let nextThread = 0;
  const record = (process: number, op: Omit<Op, 'index' | 'time' | 'process'>): void => {
    history.push({ index: history.length, time: Math.round(timeNs), process, ...op });
  };
  for (;;) {
    ended.sort((a, b) => a.outcome.endNs - b.outcome.endNs);
    while (ended[0] !== undefined && ended[0].outcome.endNs <= timeNs) {
      const { process, op, outcome } = ended.shift()!;
      const { completion } = outcome;
      if (completion.type === 'ok')
        record(process, { type: 'ok', f: op.f, value: completion.value });
      else record(process, { ...completion, f: op.f, value: op.value });
      const thread = process % concurrency;
      busy.delete(thread);
      if (completion.type === 'info') processes[thread] = process + concurrency;
    }
    let wakeNs = Number.POSITIVE_INFINITY;
    const first = nextThread;
    for (let turn = 0; turn < concurrency; turn++) {
      const thread = (first + turn) % concurrency;
      if (generator === undefined || busy.has(thread)) continue;
      const process = processes[thread]!;
      const step = generator.next({ timeNs, process, thread, concurrency, random });
      if (step.type === 'done') {
        generator = undefined;
        break;
      }
      generator = step.generator;
      if (step.type === 'pending') {
        wakeNs = Math.min(wakeNs, step.untilNs);
        continue;
      }
      busy.add(thread);
      nextThread = (thread + 1) % concurrency;
      record(process, { type: 'invoke', f: step.op.f, value: step.op.value });
      const { op } = step;
      store.invoke(op, thread, timeNs, (outcome) => ended.push({ process, op, outcome }));
      wakeNs = timeNs;
    }
    if (generator === undefined && busy.size === 0) return timeNs;
    const endNs = Math.min(...ended.map((running) => running.outcome.endNs));
    timeNs = Math.max(timeNs, Math.min(wakeNs, endNs, store.advance(timeNs)));
  }
}
