import { assert } from '../lib/assert.ts';

/** How wall-clock settings become ticks of the consensus core. */
export interface Timing {
  readonly tickMs: number;
  readonly heartbeatTicks: number;
  readonly electionTicks: number;
  /** A request without outcome after this long is answered `timeout` (etcd: 5 s + 2 elections). */
  readonly requestTimeoutTicks: number;
  /** A read batch without answer is asked again after this long (etcd: 500 ms). */
  readonly readRetryTicks: number;
}

const TICKS_PER_HEARTBEAT = [10, 5, 4, 2, 1];

/**
 * Ticks finer than a heartbeat spread randomised election timeouts over more values than
 * etcd's ten, so that split votes are rarer at the same settings.
 */
export function timingOf(heartbeatMs: number, electionMs: number): Timing {
  assert(Number.isInteger(heartbeatMs) && heartbeatMs > 0, 'heartbeat is a positive integer');
  assert(electionMs >= 5 * heartbeatMs, 'election timeout is at least five heartbeats');
  const heartbeatTicks = TICKS_PER_HEARTBEAT.find((ticks) => heartbeatMs % ticks === 0);
  assert(heartbeatTicks !== undefined, 'one tick per heartbeat always divides');
  const tickMs = heartbeatMs / heartbeatTicks;
  return {
    tickMs,
    heartbeatTicks,
    electionTicks: Math.floor(electionMs / tickMs),
    requestTimeoutTicks: Math.ceil((5_000 + 2 * electionMs) / tickMs),
    readRetryTicks: Math.ceil(500 / tickMs),
  };
}
