import type { Socket } from 'node:net';
import type { Http2Connection } from '../http2/connection.ts';
import { ERROR_CODE } from '../http2/frame.ts';
import type { Clock } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';
import type { Connection } from './call-options.ts';

/**
 * Pings of gRPC connections, both ways: clients that vanished are found by the server's, clients
 * that send too many are cut off. Rules and numbers are those of gRPC's Go server, by which
 * etcd's clients are tuned.
 */

export interface KeepAliveSettings {
  /** Nothing has come for so long: the client is pinged. 0: never. */
  readonly intervalMs: number;
  /** Nothing has come for so long after a ping: the connection is closed. 0: as interval 0. */
  readonly timeoutMs: number;
  /** Between two pings of a client that waits for answers. 0: it may send as many as it likes. */
  readonly minTimeMs: number;
}

/** etcd's. */
export const DEFAULT_KEEP_ALIVE: KeepAliveSettings = {
  intervalMs: 7_200_000,
  timeoutMs: 20_000,
  minTimeMs: 5_000,
};

/** Between two pings of a client that waits for nothing. */
const IDLE_MIN_TIME_MS = 7_200_000;
/** Pings that come too early, one after the other, before the client is cut off. */
const EARLY_PINGS_MAX = 2;
/** The longest that a timer can take. */
const TIMER_MS_MAX = 2_147_483_000;
/** Go's clients look for these words, and then ping less often. */
const TOO_MANY_PINGS = 'too_many_pings';

export interface KeepAliveParts {
  readonly settings: KeepAliveSettings;
  readonly clock: Pick<Clock, 'nowNs'>;
  readonly log: Log;
}

/** Watches over a connection until it closes; returns what is to be called at every ping. */
export function keepAlive(
  http2: Http2Connection,
  { socket, connection }: { readonly socket: Socket; readonly connection: Connection },
  { settings, clock, log }: KeepAliveParts,
): () => void {
  const { intervalMs, timeoutMs, minTimeMs } = settings;
  if (intervalMs > 0 && timeoutMs > 0) pingWhenIdle(http2, socket, settings, log);
  if (minTimeMs === 0) return () => undefined;
  const policy = new PingPolicy(minTimeMs);
  return () => {
    if (policy.allows(clock.nowNs(), connection)) return;
    log.warn('closed a client connection: too many pings', { minTimeMs });
    http2.abort(ERROR_CODE.enhanceYourCalm, TOO_MANY_PINGS);
  };
}

type PingedConnection = Pick<Connection, 'isAnswering' | 'openStreams' | 'wasUsed'>;

/** Counts pings that come too early; every answer makes up for those before it. */
export class PingPolicy {
  private readonly minTimeMs: number;
  private lastNs = Number.NEGATIVE_INFINITY;
  private earlyPings = 0;

  constructor(minTimeMs: number) {
    this.minTimeMs = minTimeMs;
  }

  /** Takes note of one ping. False: one too many. */
  allows(nowNs: number, connection: PingedConnection): boolean {
    const sinceMs = (nowNs - this.lastNs) / 1e6;
    this.lastNs = nowNs;
    // Clients measure the line with pings while answers come, and once behind the last of them.
    if (connection.wasUsed || connection.isAnswering) {
      connection.wasUsed = connection.isAnswering;
      this.earlyPings = 0;
      return true;
    }
    const minMs = connection.openStreams > 0 ? this.minTimeMs : IDLE_MIN_TIME_MS;
    if (sinceMs < minMs) this.earlyPings += 1;
    return this.earlyPings <= EARLY_PINGS_MAX;
  }
}

/** A client is idle from one look to the next if it has sent no byte in between. */
function pingWhenIdle(
  http2: Http2Connection,
  socket: Socket,
  { intervalMs, timeoutMs }: Pick<KeepAliveSettings, 'intervalMs' | 'timeoutMs'>,
  log: Log,
): void {
  let seenBytes = socket.bytesRead;
  let timer: NodeJS.Timeout | undefined;
  const isIdle = (): boolean => {
    const before = seenBytes;
    seenBytes = socket.bytesRead;
    return seenBytes === before;
  };
  const wait = (ms: number, next: () => void): void => {
    clearTimeout(timer);
    timer = setTimeout(next, Math.min(ms, TIMER_MS_MAX));
  };
  const look = (): void => {
    if (http2.isClosed) return;
    if (!isIdle()) return wait(intervalMs, look);
    wait(timeoutMs, () => {
      if (http2.isClosed) return;
      if (!isIdle()) return wait(intervalMs, look);
      log.info('closed a client connection: no answer to a ping', { timeoutMs });
      socket.destroy();
    });
    http2.ping(() => {
      if (http2.isClosed) return;
      seenBytes = socket.bytesRead;
      isIdle();
      wait(intervalMs, look);
    });
  };
  socket.once('close', () => clearTimeout(timer));
  wait(intervalMs, look);
}
