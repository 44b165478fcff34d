import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  constants,
  type IncomingHttpHeaders,
} from 'node:http2';
import { GrpcCode } from '../wire/grpc-code.ts';
import { type FrameError, MessageAssembler } from '../wire/grpc-frame.ts';
import { decodeGrpcMessage } from '../wire/grpc-text.ts';
import { type ClientError, maybeSent, neverSent, serverError, timedOut } from './client-error.ts';
import type { Connection, Waiter } from './connection.ts';

/**
 * One streaming call: messages go out and come in until either side ends it. It is never opened
 * again: what to do about an end is the caller's business.
 */

export interface StreamCallOptions {
  readonly connection: Connection;
  readonly path: string;
  /** Besides gRPC's own headers, e.g. `hasleader`. */
  readonly metadata: Readonly<Record<string, string>>;
  /** From the start to the first sign of the server; some give none before their first answer. */
  readonly openTimeoutMs: number;
  readonly responseBytesMax: number;
  readonly onMessage: (message: Uint8Array) => void;
  /** Called once, unless the caller cancels; undefined: the server ended the call well. */
  readonly onEnd: (error: ClientError | undefined) => void;
}

/** Bytes of requests that wait for the connection, or for the server to read. */
const UNSENT_BYTES_MAX = 4 * 1024 * 1024;

type State =
  | { readonly type: 'waiting'; readonly frames: Uint8Array[]; isHalfClosed: boolean }
  | {
      readonly type: 'open';
      readonly session: ClientHttp2Session;
      readonly stream: ClientHttp2Stream;
    }
  | { readonly type: 'done' };

export class StreamCall implements Waiter {
  private readonly options: StreamCallOptions;
  private readonly assembler: MessageAssembler;
  private state: State = { type: 'waiting', frames: [], isHalfClosed: false };
  private waitingBytes = 0;
  private isPaused = false;
  private timer: NodeJS.Timeout | undefined = undefined;
  private httpStatus: number | undefined = undefined;
  private trailers: IncomingHttpHeaders = {};
  private failure: string | undefined = undefined;

  constructor(options: StreamCallOptions) {
    this.options = options;
    this.assembler = new MessageAssembler(options.responseBytesMax);
  }

  /** Calls nobody back before it has returned. */
  start(): void {
    this.timer = setTimeout(() => this.expire(), this.options.openTimeoutMs);
    queueMicrotask(() => {
      if (this.state.type === 'waiting') this.options.connection.acquire(this);
    });
  }

  /** A whole gRPC frame. false: it was dropped, as the call is over or too much is unsent. */
  send(frame: Uint8Array): boolean {
    const { state } = this;
    if (state.type === 'done') return false;
    if (this.unsentBytes() + frame.length > UNSENT_BYTES_MAX) return false;
    if (state.type === 'waiting') {
      state.frames.push(frame);
      this.waitingBytes += frame.length;
    } else state.stream.write(frame);
    return true;
  }

  /** No more will be sent. */
  halfClose(): void {
    const { state } = this;
    if (state.type === 'waiting') state.isHalfClosed = true;
    else if (state.type === 'open') state.stream.end();
  }

  /** Reads no more from the server; what has been read already is still delivered. */
  pause(): void {
    this.isPaused = true;
    if (this.state.type === 'open') this.state.stream.pause();
  }

  resume(): void {
    this.isPaused = false;
    if (this.state.type === 'open') this.state.stream.resume();
  }

  /** Ends the call; nothing is called back any more. */
  cancel(): void {
    const { state } = this;
    this.leave();
    if (state.type === 'waiting') this.options.connection.forget(this);
    else if (state.type === 'open') state.stream.close(constants.NGHTTP2_CANCEL);
  }

  ready(session: ClientHttp2Session): void {
    const { state, options } = this;
    if (state.type !== 'waiting') return options.connection.release(session);
    let stream: ClientHttp2Stream;
    try {
      stream = session.request({
        ...options.metadata,
        ':method': 'POST',
        ':path': options.path,
        'content-type': 'application/grpc',
        te: 'trailers',
      });
    } catch (cause) {
      // The session is closing: no stream was opened. The next request dials.
      options.connection.release(session);
      options.connection.giveUp(session);
      this.finish(neverSent(`connection lost: ${String(cause)}`));
      return;
    }
    this.state = { type: 'open', session, stream };
    this.listenTo(stream);
    for (const frame of state.frames) stream.write(frame);
    if (state.isHalfClosed) stream.end();
    if (this.isPaused) stream.pause();
  }

  refused(error: ClientError): void {
    this.finish(error);
  }

  private listenTo(stream: ClientHttp2Stream): void {
    stream.on('response', (headers) => {
      clearTimeout(this.timer);
      this.httpStatus = headers[':status'];
      if (headers['grpc-status'] !== undefined) this.trailers = headers;
    });
    stream.on('trailers', (trailers) => {
      this.trailers = trailers;
    });
    stream.on('data', (chunk: Buffer) => this.receive(stream, chunk));
    stream.on('error', (cause) => {
      // 'close' follows, and makes the end of it.
      this.failure ??= cause.message;
    });
    stream.on('end', () => {
      if (this.trailers['grpc-status'] !== undefined) this.finish(this.outcome(stream));
    });
    stream.on('close', () => this.finish(this.outcome(stream)));
  }

  private receive(stream: ClientHttp2Stream, chunk: Buffer): void {
    this.assembler.push(new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength));
    while (this.state.type === 'open') {
      const next = this.assembler.next();
      if (!next.ok) {
        this.failure = describeFrameError(next.error);
        stream.close(constants.NGHTTP2_CANCEL);
        return;
      }
      if (next.value === undefined) return;
      this.options.onMessage(next.value);
    }
  }

  private outcome(stream: ClientHttp2Stream): ClientError | undefined {
    const status = this.trailers['grpc-status'];
    if (status !== undefined) {
      const code = Number(status);
      if (code === GrpcCode.ok) return undefined;
      return serverError(code, decodeGrpcMessage(String(this.trailers['grpc-message'] ?? '')));
    }
    if (stream.rstCode === constants.NGHTTP2_REFUSED_STREAM) {
      return neverSent('the server refused the stream unread');
    }
    if (this.failure !== undefined) return maybeSent(`connection lost: ${this.failure}`);
    if (this.httpStatus !== undefined && this.httpStatus !== 200) {
      return maybeSent(`the server answered with HTTP status ${this.httpStatus}`);
    }
    return maybeSent(`connection lost: stream closed with code ${stream.rstCode}`);
  }

  private expire(): void {
    const { state } = this;
    const { connection } = this.options;
    if (state.type === 'waiting') {
      connection.forget(this);
      this.finish(timedOut({ sent: false }));
    } else if (state.type === 'open') {
      // The server may be paused or cut off, and its connection with it, for good.
      connection.giveUp(state.session);
      this.finish(timedOut({ sent: true }));
      state.stream.close(constants.NGHTTP2_CANCEL);
    }
  }

  private finish(error: ClientError | undefined): void {
    if (this.state.type === 'done') return;
    this.leave();
    this.options.onEnd(error);
  }

  private leave(): void {
    const { state } = this;
    this.state = { type: 'done' };
    clearTimeout(this.timer);
    if (state.type === 'open') this.options.connection.release(state.session);
  }

  private unsentBytes(): number {
    return this.state.type === 'open' ? this.state.stream.writableLength : this.waitingBytes;
  }
}

function describeFrameError(error: FrameError): string {
  return error.type === 'compressed'
    ? 'the answer is compressed'
    : `the answer is too large: ${error.sizeBytes} bytes`;
}
