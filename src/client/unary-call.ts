import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  constants,
  type IncomingHttpHeaders,
} from 'node:http2';
import { err, ok, type Result } from '../lib/result.ts';
import { GrpcCode } from '../wire/grpc-code.ts';
import { type FrameError, MessageAssembler } from '../wire/grpc-frame.ts';
import { decodeGrpcMessage, formatGrpcTimeout } from '../wire/grpc-text.ts';
import { type ClientError, maybeSent, neverSent, serverError, timedOut } from './client-error.ts';
import type { Connection, Waiter } from './connection.ts';

/**
 * One request and its one outcome. It is definite until the stream is opened: from then on only
 * the server's own words, or HTTP/2's promise that it was refused unread, make it so.
 */

export interface UnaryCallOptions {
  readonly connection: Connection;
  readonly path: string;
  /** A whole gRPC frame. */
  readonly frame: Uint8Array;
  /** Besides gRPC's own headers. */
  readonly metadata?: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  readonly responseBytesMax: number;
  /** Called once. */
  readonly done: (outcome: Result<Uint8Array, ClientError>) => void;
}

type State =
  | { readonly type: 'waiting' }
  | {
      readonly type: 'sent';
      readonly session: ClientHttp2Session;
      readonly stream: ClientHttp2Stream;
    }
  | { readonly type: 'done' };

export class UnaryCall implements Waiter {
  private readonly options: UnaryCallOptions;
  private readonly assembler: MessageAssembler;
  private state: State = { type: 'waiting' };
  private timer: NodeJS.Timeout | undefined = undefined;
  private message: Uint8Array | undefined = undefined;
  private httpStatus: number | undefined = undefined;
  private trailers: IncomingHttpHeaders = {};
  private failure: string | undefined = undefined;

  constructor(options: UnaryCallOptions) {
    this.options = options;
    this.assembler = new MessageAssembler(options.responseBytesMax);
  }

  start(): void {
    this.timer = setTimeout(() => this.expire(), this.options.timeoutMs);
    this.options.connection.acquire(this);
  }

  ready(session: ClientHttp2Session): void {
    let stream: ClientHttp2Stream;
    try {
      stream = session.request({
        ...this.options.metadata,
        ':method': 'POST',
        ':path': this.options.path,
        'content-type': 'application/grpc',
        te: 'trailers',
        'grpc-timeout': formatGrpcTimeout(this.options.timeoutMs),
      });
    } catch (cause) {
      // The session is closing: no stream was opened. The next request dials.
      this.options.connection.release(session);
      this.options.connection.giveUp(session);
      this.finish(err(neverSent(`connection lost: ${String(cause)}`)));
      return;
    }
    this.state = { type: 'sent', session, stream };
    stream.on('response', (headers) => {
      this.httpStatus = headers[':status'];
      if (headers['grpc-status'] !== undefined) this.trailers = headers;
    });
    stream.on('trailers', (trailers) => {
      this.trailers = trailers;
    });
    stream.on('data', (chunk: Buffer) => this.receive(stream, chunk));
    stream.on('error', (cause) => {
      // 'close' follows, and makes the outcome of it.
      this.failure ??= cause.message;
    });
    // Trailers end the stream, so that by 'end' all has come, even if 'close' is still far.
    stream.on('end', () => {
      if (this.trailers['grpc-status'] !== undefined) this.finish(this.outcome(stream));
    });
    stream.on('close', () => this.finish(this.outcome(stream)));
    stream.end(this.options.frame);
  }

  refused(error: ClientError): void {
    this.finish(err(error));
  }

  private receive(stream: ClientHttp2Stream, chunk: Buffer): void {
    if (this.message !== undefined) return;
    this.assembler.push(new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength));
    const next = this.assembler.next();
    if (next.ok) this.message = next.value;
    else {
      this.failure = describeFrameError(next.error);
      stream.close(constants.NGHTTP2_CANCEL);
    }
  }

  private outcome(stream: ClientHttp2Stream): Result<Uint8Array, ClientError> {
    const status = this.trailers['grpc-status'];
    if (status === undefined) {
      if (stream.rstCode === constants.NGHTTP2_REFUSED_STREAM) {
        return err(neverSent('the server refused the stream unread'));
      }
      return err(maybeSent(this.lostBecause(stream)));
    }
    const code = Number(status);
    if (code !== GrpcCode.ok) {
      const message = decodeGrpcMessage(String(this.trailers['grpc-message'] ?? ''));
      return err(serverError(code, message));
    }
    if (this.message === undefined) {
      return err(maybeSent(this.failure ?? 'the server answered without a message'));
    }
    return ok(this.message);
  }

  private lostBecause(stream: ClientHttp2Stream): string {
    if (this.failure !== undefined) return `connection lost: ${this.failure}`;
    if (this.httpStatus !== undefined && this.httpStatus !== 200) {
      return `the server answered with HTTP status ${this.httpStatus}`;
    }
    return `connection lost: stream closed with code ${stream.rstCode}`;
  }

  private expire(): void {
    const { state } = this;
    const { connection } = this.options;
    if (state.type === 'waiting') {
      connection.forget(this);
      this.finish(err(timedOut({ sent: false })));
    } else if (state.type === 'sent') {
      // The server may be paused or cut off, and its connection with it, for good.
      connection.giveUp(state.session);
      state.stream.close(constants.NGHTTP2_CANCEL);
      this.finish(err(timedOut({ sent: true })));
    }
  }

  private finish(outcome: Result<Uint8Array, ClientError>): void {
    const { state } = this;
    if (state.type === 'done') return;
    this.state = { type: 'done' };
    clearTimeout(this.timer);
    if (state.type === 'sent') this.options.connection.release(state.session);
    this.options.done(outcome);
  }
}

function describeFrameError(error: FrameError): string {
  return error.type === 'compressed'
    ? 'the answer is compressed'
    : `the answer is too large: ${error.sizeBytes} bytes`;
}
