import type { HeaderField } from '../http2/header-field.ts';
import { encodeHeaders } from '../http2/hpack-encoder.ts';
import type { Http2Stream } from '../http2/stream.ts';
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
  /** Bytes of answers that the client has not taken. */
  readonly unsentBytes: number;
  /** Answers wait to be taken. */
  readonly isAnswering: boolean;
  /** Calls that are not over. */
  readonly openStreams: number;
  /** Of requests that have not come whole. */
  unfinishedBytes: number;
  /** Something was asked or answered since the client's last ping. */
  wasUsed: boolean;
}

export interface CallOptions<Method extends RpcMethod> {
  readonly stream: Http2Stream;
  readonly method: Method;
  readonly timeoutMs: number | undefined;
  readonly connection: Connection;
  readonly blocks: AnswerBlocks;
  readonly limits: ApiLimits;
  readonly observer: CallObserver;
  readonly clock: Pick<Clock, 'nowNs'>;
  readonly log: Log;
}

/** Deadlines are rounded up to this, so that timers of many requests share few lists. */
const DEADLINE_STEP_MS = 100;
/** Longer deadlines than this, the longest a timer can take, are as good as none. */
const DEADLINE_MS_MAX = 2_147_483_000;

const CONTENT_TYPE = ['content-type', 'application/grpc'] as const;

/** Header blocks that every answer shares; encoded with the first. */
export interface AnswerBlocks {
  readonly headers: Uint8Array;
  /** Of an answer without an error. */
  readonly trailers: Uint8Array;
}

export function encodeAnswerBlocks(): AnswerBlocks {
  return {
    headers: encodeHeaders([[':status', '200'], CONTENT_TYPE]),
    trailers: encodeHeaders([['grpc-status', '0']]),
  };
}

export const DEADLINE_EXCEEDED: RpcStatus = {
  code: GrpcCode.deadlineExceeded,
  message: 'context deadline exceeded',
};

export const TOO_MUCH_UNFINISHED: RpcStatus = {
  code: GrpcCode.resourceExhausted,
  message: 'grpc: too many requests on this connection have not come whole',
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

export function encodeTrailers(status: RpcStatus): Uint8Array {
  return encodeHeaders(statusFields(status));
}

function statusFields({ code, message }: RpcStatus): HeaderField[] {
  return [
    ['grpc-status', String(code)],
    ['grpc-message', encodeGrpcMessage(message)],
  ];
}

/** Ends a stream at once with a status and nothing else. */
export function answerStatus(stream: Http2Stream, status: RpcStatus): void {
  if (stream.isGone || stream.headersSent) return;
  stream.respondOnly(encodeHeaders([[':status', '200'], CONTENT_TYPE, ...statusFields(status)]));
  stream.stopRequest();
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
