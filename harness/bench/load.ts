/** A load: connections, requests in flight on them, warm-up, and what was measured after it. */
import { connect } from 'node:net';
import { build, type Histogram } from 'hdr-histogram-js';
import type { Clock } from '../../src/ports/clock.ts';
import type { Random } from '../../src/ports/random.ts';
import { sleep, waitUntil } from '../timing.ts';
import { requestHeaderBlocks } from './header-block.ts';
import { LoadConnection } from './load-connection.ts';
import { type Operation, requestTemplate } from './request-template.ts';

export interface LoadSpec {
  readonly port: number;
  readonly operation: Operation;
  readonly connections: number;
  /** Requests in flight on each connection. */
  readonly streams: number;
  readonly warmUpMs: number;
  readonly measuredMs: number;
  readonly keyCount: number;
  readonly valueBytes: number;
}

export interface LoadResult {
  readonly ok: number;
  /** Why requests failed, and how many for that. */
  readonly problems: Readonly<Record<string, number>>;
  readonly durationNs: number;
  readonly latency: LatencyFigures;
}

/** Of requests that succeeded; in ns. */
export interface LatencyFigures {
  readonly meanNs: number;
  readonly p50Ns: number;
  readonly p99Ns: number;
  readonly maxNs: number;
}

export interface LoadPorts {
  readonly clock: Clock;
  readonly random: Random;
  /** Called at the beginning and at the end of what is measured. */
  readonly onPhase: (phase: 'measuring' | 'measured') => void;
}

/** A connection broke, or the server stopped answering: nothing was measured. */
export class LoadError extends Error {
  override readonly name = 'LoadError';
}

const HOST = '127.0.0.1';
/** Requests still unanswered this long after the end are given up and counted. */
const DRAIN_MS_MAX = 10_000;
const DRAIN_POLL_MS = 10;

/** Rejects with {@link LoadError}. */
export async function runLoad(spec: LoadSpec, ports: LoadPorts): Promise<LoadResult> {
  const { clock, random } = ports;
  const tally = new Tally();
  let isOver = false;
  const failed = Promise.withResolvers<never>();
  const callbacks = {
    onAnswer: (latencyNs: number, problem: string | undefined) => tally.add(latencyNs, problem),
    nextKey: () => (isOver ? undefined : random.below(spec.keyCount)),
    onFailure: (reason: string) => failed.reject(new LoadError(reason)),
  };
  const connections: LoadConnection[] = [];
  try {
    const template = requestTemplate(spec.operation, spec.valueBytes);
    const blocks = requestHeaderBlocks(template.path, `${HOST}:${spec.port}`);
    const opened = openAll(spec, (socket) => {
      connections.push(new LoadConnection(socket, { template, blocks, callbacks, clock }));
    });
    await Promise.race([opened, failed.promise]);
    for (const connection of connections) connection.begin(spec.streams);
    await Promise.race([sleep(clock, spec.warmUpMs), failed.promise]);
    ports.onPhase('measuring');
    const startNs = clock.nowNs();
    tally.begin();
    await Promise.race([sleep(clock, spec.measuredMs), failed.promise]);
    tally.end();
    const durationNs = clock.nowNs() - startNs;
    isOver = true;
    ports.onPhase('measured');
    const unanswered = await drain(clock, connections);
    if (unanswered > 0) tally.lose(unanswered);
    return { ...tally.result(), durationNs };
  } finally {
    for (const connection of connections) connection.close();
  }
}

async function openAll(
  { port, connections }: LoadSpec,
  onOpen: (socket: ReturnType<typeof connect>) => void,
): Promise<void> {
  // One after the other: servers have short queues of connections to accept.
  for (let i = 0; i < connections; i++) {
    await new Promise<void>((resolve, reject) => {
      const socket = connect({ port, host: HOST });
      const refused = (error: Error): void => reject(new LoadError(error.message));
      socket.once('error', refused);
      socket.once('connect', () => {
        socket.off('error', refused);
        onOpen(socket);
        resolve();
      });
    });
  }
}

async function drain(clock: Clock, connections: readonly LoadConnection[]): Promise<number> {
  const inFlight = (): number => connections.reduce((sum, each) => sum + each.inFlight, 0);
  const limits = { intervalMs: DRAIN_POLL_MS, limitMs: DRAIN_MS_MAX };
  await waitUntil(clock, limits, async () => inFlight() === 0);
  return inFlight();
}

/** One minute in ns: no request waits longer. */
const LATENCY_NS_MAX = 60e9;

/** What was answered while it was measured. */
export class Tally {
  readonly #latency: Histogram = build({
    highestTrackableValue: LATENCY_NS_MAX,
    numberOfSignificantValueDigits: 3,
  });
  readonly #problems = new Map<string, number>();
  #counting = false;

  begin(): void {
    this.#counting = true;
  }

  end(): void {
    this.#counting = false;
  }

  add(latencyNs: number, problem: string | undefined): void {
    if (!this.#counting) return;
    if (problem !== undefined) this.#count(problem, 1);
    else this.#latency.recordValue(Math.min(Math.max(1, latencyNs), LATENCY_NS_MAX));
  }

  /** Requests that never were answered. */
  lose(count: number): void {
    this.#count('no answer', count);
  }

  result(): Omit<LoadResult, 'durationNs'> {
    const latency = this.#latency;
    return {
      ok: latency.totalCount,
      problems: Object.fromEntries(this.#problems),
      latency: {
        meanNs: Math.round(latency.mean),
        p50Ns: latency.getValueAtPercentile(50),
        p99Ns: latency.getValueAtPercentile(99),
        maxNs: latency.maxValue,
      },
    };
  }

  #count(problem: string, count: number): void {
    this.#problems.set(problem, (this.#problems.get(problem) ?? 0) + count);
  }
}
