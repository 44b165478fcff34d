import { constants, type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2';
import type { Log } from '../ports/log.ts';
import { GrpcCode } from '../wire/grpc-code.ts';
import { type FrameError, MessageAssembler } from '../wire/grpc-frame.ts';
import { encodeGrpcMessage } from '../wire/grpc-text.ts';
import type { ApiLimits } from './limits.ts';
import type { RpcContext, RpcStatus, UnaryMethod } from './rpc.ts';

/**
 * One unary gRPC call on one HTTP/2 stream: receive a message, hand it to the method, answer
 * with frame and trailers. Whoever is first of answer, fault and deadline ends it.
 */

/** What the calls of one connection share. */
export interface Connection {
  /** Bytes of answers handed to streams that are still open. */
  unsentBytes: number;
}

/** Deadlines are rounded up to this, so that timers of many requests share few lists. */
const DEADLINE_STEP_MS = 100;
/** Longer deadlines than this, the longest a timer can take, are as good as none. */
const DEADLINE_MS_MAX = 2_147_483_000;

const RESPONSE_HEADERS = { ':status': 200, 'content-type': 'application/grpc' };
const OK_TRAILERS = { 'grpc-status': '0' };

/** Ends a stream at once with a status and nothing else. */
export function answerStatus(stream: ServerHttp2Stream, status: RpcStatus): void {
  if (stream.destroyed || stream.headersSent) return;
  stream.respond(
    {
      ...RESPONSE_HEADERS,
      'grpc-status': String(status.code),
      'grpc-message': encodeGrpcMessage(status.message),
    },
    { endStream: true },
  );
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

export interface CallOptions {
  readonly stream: ServerHttp2Stream;
  readonly headers: IncomingHttpHeaders;
  readonly method: UnaryMethod;
  readonly timeoutMs: number | undefined;
  readonly connection: Connection;
  readonly limits: ApiLimits;
  readonly log: Log;
}

export class UnaryCall implements RpcContext {
  readonly timeoutMs: number | undefined;
  private state: 'receiving' | 'handling' | 'done' = 'receiving';
  private readonly options: CallOptions;
  private readonly assembler: MessageAssembler;
  private deadline: NodeJS.Timeout | undefined = undefined;
  private unsentBytes = 0;

  constructor(options: CallOptions) {
    this.options = options;
    this.timeoutMs = options.timeoutMs;
    this.assembler = new MessageAssembler(options.limits.receiveBytesMax);
  }

  start(): void {
    const { stream } = this.options;
    stream.on('data', (chunk: Buffer) => this.receive(chunk));
    stream.on('end', () => this.endOfRequest());
    stream.on('close', () => this.closed());
    if (this.timeoutMs !== undefined && this.timeoutMs < DEADLINE_MS_MAX) {
      const delayMs = Math.ceil(this.timeoutMs / DEADLINE_STEP_MS) * DEADLINE_STEP_MS;
      this.deadline = setTimeout(() => {
        this.fail({ code: GrpcCode.deadlineExceeded, message: 'context deadline exceeded' });
      }, delayMs);
    }
  }

  metadata(name: string): string | undefined {
    const value = this.options.headers[name];
    return Array.isArray(value) ? value[0] : value;
  }

  private receive(chunk: Buffer): void {
    // Bytes behind the message are no business of a unary call: dropped.
    if (this.state !== 'receiving') return;
    // Plain bytes rather than a Buffer, whose subarrays cost more.
    this.assembler.push(new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength));
    const message = this.assembler.next();
    if (!message.ok) this.fail(frameStatus(message.error, this.options.limits));
    else if (message.value !== undefined) this.dispatch(message.value);
  }

  private dispatch(message: Uint8Array): void {
    this.state = 'handling';
    this.options.method.handle(message, this).then(
      (result) => {
        if (result.ok) this.answer(result.value);
        else this.fail(result.error);
      },
      (cause: unknown) => {
        // A bug in a method costs one request and a line in the log, not the member.
        const stack = cause instanceof Error ? (cause.stack ?? cause.message) : String(cause);
        this.options.log.error('request failed by a bug', {
          path: this.options.method.path,
          stack,
        });
        this.fail({ code: GrpcCode.internal, message: 'internal error' });
      },
    );
  }

  private endOfRequest(): void {
    if (this.state !== 'receiving') return;
    const what = this.assembler.isMidMessage() ? 'ends within a message' : 'has no message';
    this.fail({ code: GrpcCode.internal, message: `grpc: the request ${what}` });
  }

  private answer(frame: Uint8Array): void {
    if (this.state === 'done') return;
    this.finish();
    const { stream, connection } = this.options;
    if (stream.destroyed) return;
    this.unsentBytes = frame.length;
    connection.unsentBytes += frame.length;
    stream.respond(RESPONSE_HEADERS, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers(OK_TRAILERS));
    stream.end(frame);
  }

  private fail(status: RpcStatus): void {
    if (this.state === 'done') return;
    this.finish();
    answerStatus(this.options.stream, status);
  }

  /** The client may be gone before the answer: then the answer is dropped when it comes. */
  private closed(): void {
    this.options.connection.unsentBytes -= this.unsentBytes;
    this.finish();
  }

  private finish(): void {
    this.state = 'done';
    clearTimeout(this.deadline);
  }
}

function frameStatus(error: FrameError, limits: ApiLimits): RpcStatus {
  if (error.type === 'compressed') {
    return { code: GrpcCode.unimplemented, message: 'grpc: compressed messages are not supported' };
  }
  const sizes = `(${error.sizeBytes} vs. ${limits.receiveBytesMax})`;
  return {
    code: GrpcCode.resourceExhausted,
    message: `grpc: received message larger than max ${sizes}`,
  };
}
