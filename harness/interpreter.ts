/**
 * The one impure place where a generator's operations meet clients and become a history.
 *
 * `concurrency` threads, each bound to one member and running one logical process at a time.
 * A process is single-threaded: it invokes, waits for the completion, then is free. After an
 * `info` nobody knows whether the operation will still happen, so the process retires: the
 * thread goes on as process + concurrency with a new client.
 */

import type { Clock } from '../src/ports/clock.ts';
import type { Random } from '../src/ports/random.ts';
import type { Generator, Invocation } from '../workloads/generator/generator.ts';
import type { Completion, Workload, WorkloadClient } from '../workloads/workload.ts';
import type { ClusterNode } from './cluster/cluster.ts';
import type { Recorder } from './recorder.ts';
import { sleep, within } from './timing.ts';

export interface InterpreterOptions {
  readonly workload: Workload;
  readonly nodes: readonly ClusterNode[];
  readonly concurrency: number;
  readonly opTimeoutMs: number;
  readonly random: Random;
  readonly clock: Clock;
  readonly recorder: Recorder;
}

/** Past the operation's own timeout; a client that is silent even then is given up as `info`. */
const CLIENT_GRACE_MS = 2_000;
/**
 * A thread rests this long before its next process. Behind a port forwarder a dead member
 * accepts and drops connections at once; without the rest its threads would do nothing but
 * produce operations of unknown outcome, which checkers can only pay for.
 */
const RETIRED_PAUSE_MS = 500;

/** Timers take no infinity; a turn that finds nothing to do costs nothing. */
const WAIT_MS_MAX = 60_000;

interface Thread {
  readonly index: number;
  readonly node: ClusterNode;
  process: number;
  client: WorkloadClient;
  isBusy: boolean;
}

/** Runs generators one after the other with the same threads; `close` ends its clients. */
export class Interpreter {
  readonly #options: InterpreterOptions;
  readonly #threads: Thread[] = [];
  /** Thread that is asked first next time: every thread gets its turn. */
  #nextThread = 0;
  readonly #inFlight = new Set<Promise<void>>();
  /** What clients threw: bugs, which end the run. */
  readonly #failures: unknown[] = [];
  #wake: () => void = () => {};

  constructor(options: InterpreterOptions) {
    this.#options = options;
    const { nodes, concurrency, workload } = options;
    for (let index = 0; index < concurrency; index++) {
      const node = nodes[index % nodes.length]!;
      const client = workload.openClient(node.clientUrl);
      this.#threads.push({ index, node, process: index, client, isBusy: false });
    }
  }

  /**
   * Runs until the generator is done, `untilNs` of the run has come, the signal is aborted or
   * the history is full; then waits for the operations in flight. Rejects when a client
   * breaks its promise never to reject.
   */
  async run(generator: Generator, untilNs: number, signal?: AbortSignal): Promise<void> {
    const { recorder } = this.#options;
    let current = generator;
    const onAbort = (): void => this.#wake();
    signal?.addEventListener('abort', onAbort);
    try {
      while (recorder.nowNs() < untilNs && signal?.aborted !== true && !recorder.isFull) {
        if (this.#failures.length > 0) break;
        const turn = this.#askFreeThreads(current);
        if (turn === 'done') break;
        current = turn.generator;
        await this.#waitUntil(Math.min(turn.untilNs, untilNs));
      }
    } finally {
      signal?.removeEventListener('abort', onAbort);
      await Promise.all(this.#inFlight);
    }
    if (this.#failures.length > 0) throw this.#failures[0];
  }

  close(): void {
    for (const thread of this.#threads) thread.client.close();
  }

  /** One turn: each free thread is asked once. `untilNs`: when there may be more to do. */
  #askFreeThreads(
    generator: Generator,
  ): 'done' | { readonly generator: Generator; readonly untilNs: number } {
    const { concurrency, random, recorder } = this.#options;
    let current = generator;
    let untilNs = Number.POSITIVE_INFINITY;
    const first = this.#nextThread;
    for (let turn = 0; turn < concurrency; turn++) {
      const thread = this.#threads[(first + turn) % concurrency]!;
      if (thread.isBusy) continue;
      const step = current.next({
        timeNs: recorder.nowNs(),
        process: thread.process,
        thread: thread.index,
        concurrency,
        random,
      });
      if (step.type === 'done') return 'done';
      current = step.generator;
      if (step.type === 'pending') {
        untilNs = Math.min(untilNs, step.untilNs);
        continue;
      }
      this.#nextThread = (thread.index + 1) % concurrency;
      this.#start(thread, step.op);
    }
    return { generator: current, untilNs };
  }

  #start(thread: Thread, op: Invocation): void {
    thread.isBusy = true;
    const running = this.#perform(thread, op)
      .catch((error: unknown) => {
        this.#failures.push(error);
      })
      .finally(() => {
        thread.isBusy = false;
        this.#inFlight.delete(running);
        this.#wake();
      });
    this.#inFlight.add(running);
  }

  async #perform(thread: Thread, op: Invocation): Promise<void> {
    const { clock, opTimeoutMs, recorder, workload } = this.#options;
    const who = { process: thread.process, f: op.f, node: thread.node.name };
    recorder.record({ ...who, type: 'invoke', value: op.value });
    const answer = thread.client.invoke(op, opTimeoutMs);
    const completion: Completion = (await within(clock, opTimeoutMs + CLIENT_GRACE_MS, answer)) ?? {
      type: 'info',
      error: 'the client did not return',
    };
    if (completion.type === 'ok') {
      const { value, revision } = completion;
      const extra = revision === undefined ? {} : { revision };
      recorder.record({ ...who, type: 'ok', value, ...extra });
      return;
    }
    const { type, error } = completion;
    recorder.record({ ...who, type, value: op.value, error });
    if (type !== 'info') return;
    thread.client.close();
    await sleep(clock, RETIRED_PAUSE_MS);
    thread.process += this.#options.concurrency;
    thread.client = workload.openClient(thread.node.clientUrl);
  }

  /** Until the run's `untilNs` or anything completes, whichever is first. */
  async #waitUntil(untilNs: number): Promise<void> {
    const { clock, recorder } = this.#options;
    await new Promise<void>((resolve) => {
      const delayMs = Math.max(0, (untilNs - recorder.nowNs()) / 1e6);
      const timer = clock.after(Math.min(delayMs, WAIT_MS_MAX), resolve);
      this.#wake = () => {
        timer[Symbol.dispose]();
        resolve();
      };
    });
    this.#wake = () => {};
  }
}
