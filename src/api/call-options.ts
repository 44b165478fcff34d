import { constants, type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2';
import type { Clock } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';
import { GrpcCode } from '../wire/grpc-code.ts';
import type { FrameError } from '../wire/grpc-frame.ts';
import { encodeGrpcMessage } from '../wire/grpc-text.ts';
import type { CallObserver } from './call-observer.ts';
import type { ApiLimits } from './limits.ts';
import type { RpcMethod, RpcStatus } from './rpc.ts';
import type { ConnectionPeer } from './rpc-caller.ts';

/** What gRPC calls of both kinds, one answer or many, have in common. */

/** What the calls of one connection share. */
export interface Connection {
  readonly peer: ConnectionPeer;
  /** Bytes of answers handed to streams that are still open. */
  unsentBytes: number;
}

export interface CallOptions<Method extends RpcMethod> {
  readonly stream: ServerHttp2Stream;
  readonly headers: IncomingHttpHeaders;
  readonly method: Method;
  readonly timeoutMs: number | undefined;
  readonly connection: Connection;
  readonly limits: ApiLimits;
  readonly observer: CallObserver;
  readonly clock: Pick<Clock, 'nowNs'>;
  readonly log: Log;
}

/** Deadlines are rounded up to this, so that timers of many requests share few lists. */
const DEADLINE_STEP_MS = 100;
/** Longer deadlines than this, the longest a timer can take, are as good as none. */
const DEADLINE_MS_MAX = 2_147_483_000;

export const RESPONSE_HEADERS: { ':status': number; 'content-type': string } = {
  ':status': 200,
  'content-type': 'application/grpc',
};

/** gRPC has no use for a date in every answer. */
export const WITH_TRAILERS: { waitForTrailers: boolean; sendDate: boolean } = {
  waitForTrailers: true,
  sendDate: false,
};

export const DEADLINE_EXCEEDED: RpcStatus = {
  code: GrpcCode.deadlineExceeded,
  message: 'context deadline exceeded',
};

export const INTERNAL_ERROR: RpcStatus = { code: GrpcCode.internal, message: 'internal error' };

/** Calls back when the client no longer waits; `undefined` without such a time. */
export function startDeadline(
  timeoutMs: number | undefined,
  callback: () => void,
): NodeJS.Timeout | undefined {
  if (timeoutMs === undefined || timeoutMs >= DEADLINE_MS_MAX) return undefined;
  return setTimeout(callback, Math.ceil(timeoutMs / DEADLINE_STEP_MS) * DEADLINE_STEP_MS);
}

export function statusTrailers(status: RpcStatus): Record<string, string> {
  return {
    'grpc-status': String(status.code),
    'grpc-message': encodeGrpcMessage(status.message),
  };
}

/**
 * Nothing can be sent any more; `respond` would throw. A client's reset without an error closes a
 * stream that is destroyed only later.
 */
export function isGone(stream: ServerHttp2Stream): boolean {
  return stream.destroyed || stream.closed;
}

/** Ends a stream at once with a status and nothing else. */
export function answerStatus(stream: ServerHttp2Stream, status: RpcStatus): void {
  if (isGone(stream) || stream.headersSent) return;
  stream.respond({ ...RESPONSE_HEADERS, ...statusTrailers(status) }, { endStream: true });
  stopRequest(stream);
}

/**
 * Ends the stream of a request that was answered before it has come whole. Not in this turn:
 * the reset would overtake the answer.
 */
export function stopRequest(stream: ServerHttp2Stream): void {
  stream.resume();
  setImmediate(() => {
    if (!stream.destroyed && !stream.readableEnded) stream.close(constants.NGHTTP2_NO_ERROR);
  });
}

export function firstHeader(headers: IncomingHttpHeaders, name: string): string | undefined {
  const value = headers[name];
  return Array.isArray(value) ? value[0] : value;
}

export function frameStatus(error: FrameError, limits: ApiLimits): RpcStatus {
  if (error.type === 'compressed') {
    return { code: GrpcCode.unimplemented, message: 'grpc: compressed messages are not supported' };
  }
  const sizes = `(${error.sizeBytes} vs. ${limits.receiveBytesMax})`;
  return {
    code: GrpcCode.resourceExhausted,
    message: `grpc: received message larger than max ${sizes}`,
  };
}

/** A bug in a method costs one request and a line in the log, not the member. */
export function logBug(log: Log, path: string, cause: unknown): void {
  const stack = cause instanceof Error ? (cause.stack ?? cause.message) : String(cause);
  log.error('request failed by a bug', { path, stack });
}
