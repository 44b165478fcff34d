import type { Caller } from '../service/caller.ts';
import { GrpcCode } from '../wire/grpc-code.ts';
import { GRPC_PREFIX_BYTES, MessageAssembler } from '../wire/grpc-frame.ts';
import {
  answerStatus,
  type CallOptions,
  DEADLINE_EXCEEDED,
  firstHeader,
  frameStatus,
  INTERNAL_ERROR,
  isGone,
  logBug,
  RESPONSE_HEADERS,
  startDeadline,
  WITH_TRAILERS,
} from './call-options.ts';
import { CallRecord } from './call-record.ts';
import type { RpcStatus, UnaryContext, UnaryMethod } from './rpc.ts';
import { callerOf } from './rpc-caller.ts';
import { cutStatus } from './rpc-fault.ts';

/**
 * One unary gRPC call on one HTTP/2 stream: receive a message, hand it to the method, answer
 * with frame and trailers. Whoever is first of answer, fault and deadline ends it.
 */

const OK_TRAILERS = { 'grpc-status': '0' };
/** Not 'error': without a listener it would be thrown. */
const LISTENED: readonly string[] = ['data', 'end', 'wantTrailers', 'close'];

export class UnaryCall implements UnaryContext {
  readonly timeoutMs: number | undefined;
  private state: 'receiving' | 'handling' | 'done' = 'receiving';
  private readonly options: CallOptions<UnaryMethod>;
  private readonly assembler: MessageAssembler;
  private readonly record: CallRecord;
  private deadline: NodeJS.Timeout | undefined = undefined;
  private unsentBytes = 0;
  private over: (() => void) | undefined = undefined;

  constructor(options: CallOptions<UnaryMethod>) {
    this.options = options;
    this.timeoutMs = options.timeoutMs;
    this.assembler = new MessageAssembler(options.limits.receiveBytesMax);
    this.record = new CallRecord(options);
  }

  start(): void {
    const { stream } = this.options;
    stream.on('data', (chunk: Buffer) => this.receive(chunk));
    stream.on('end', () => this.endOfRequest());
    stream.on('close', () => this.closed());
    this.deadline = startDeadline(this.timeoutMs, () => this.fail(DEADLINE_EXCEEDED));
  }

  get caller(): Caller {
    return callerOf((name) => this.metadata(name), this.options.connection.peer);
  }

  metadata(name: string): string | undefined {
    return firstHeader(this.options.headers, name);
  }

  onOver(callback: () => void): void {
    if (this.state === 'done') callback();
    else this.over = callback;
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
    this.record.received(message.length);
    this.options.method.handle(message, this).then(
      (result) => {
        if (result.ok) this.answer(result.value);
        else this.fail(result.error);
      },
      (cause: unknown) => {
        logBug(this.options.log, this.options.method.path, cause);
        this.fail(INTERNAL_ERROR);
      },
    );
  }

  private endOfRequest(): void {
    // A reset ends the request, too: 'close' follows.
    if (this.state !== 'receiving' || this.options.stream.aborted) return;
    this.fail(cutStatus(this.assembler.isMidMessage()));
  }

  private answer(frame: Uint8Array): void {
    if (this.state === 'done') return;
    const { stream, connection } = this.options;
    if (isGone(stream)) return;
    this.record.sent(frame.length - GRPC_PREFIX_BYTES);
    this.finish(GrpcCode.ok);
    this.unsentBytes = frame.length;
    connection.unsentBytes += frame.length;
    stream.respond(RESPONSE_HEADERS, WITH_TRAILERS);
    stream.on('wantTrailers', () => {
      if (!isGone(stream)) stream.sendTrailers(OK_TRAILERS);
    });
    stream.end(frame);
  }

  private fail(status: RpcStatus): void {
    if (this.state === 'done') return;
    this.finish(status.code);
    answerStatus(this.options.stream, status);
  }

  /** The client may be gone before the answer: then the answer is dropped when it comes. */
  private closed(): void {
    const { stream, connection } = this.options;
    connection.unsentBytes -= this.unsentBytes;
    this.finish(GrpcCode.cancelled);
    // Closed streams outlive some collections of garbage, and with them all that listens.
    for (const event of LISTENED) stream.removeAllListeners(event);
  }

  private finish(code: number): void {
    this.state = 'done';
    clearTimeout(this.deadline);
    this.record.end(code);
    const { over } = this;
    this.over = undefined;
    over?.();
  }
}
