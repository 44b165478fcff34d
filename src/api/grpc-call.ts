import { ERROR_CODE } from '../http2/frame.ts';
import type { StreamHandler } from '../http2/stream.ts';
import type { Caller } from '../service/caller.ts';
import { GrpcCode } from '../wire/grpc-code.ts';
import { framePrefix, GRPC_PREFIX_BYTES, MessageAssembler } from '../wire/grpc-frame.ts';
import {
  answerStatus,
  type CallOptions,
  DEADLINE_EXCEEDED,
  frameStatus,
  INTERNAL_ERROR,
  logBug,
  startDeadline,
  TOO_MUCH_UNFINISHED,
} from './call-options.ts';
import { CallRecord } from './call-record.ts';
import { Http2Duplex } from './http2-duplex.ts';
import { sendPieces } from './large-answer.ts';
import type {
  LargeAnswer,
  PieceLimits,
  RpcStatus,
  UnaryAnswer,
  UnaryContext,
  UnaryMethod,
} from './rpc.ts';
import { callerOf } from './rpc-caller.ts';
import { cutStatus } from './rpc-fault.ts';

/**
 * One unary gRPC call on one HTTP/2 stream: receive a message, hand it to the method, answer
 * with frame and trailers. Whoever is first of answer, fault and deadline ends it.
 */

/** Half a millisecond of work. */
const PIECE_LIMITS: PieceLimits = { itemsMax: 500, bytesMax: 128 * 1024 };
export class UnaryCall implements UnaryContext, StreamHandler {
  readonly timeoutMs: number | undefined;
  private state: 'receiving' | 'handling' | 'done' = 'receiving';
  private readonly options: CallOptions<UnaryMethod>;
  private readonly assembler: MessageAssembler;
  private readonly record: CallRecord;
  private deadline: NodeJS.Timeout | undefined = undefined;
  /** What the connection counts of it. */
  private unfinishedBytes = 0;
  private over: (() => void) | undefined = undefined;

  constructor(options: CallOptions<UnaryMethod>) {
    this.options = options;
    this.timeoutMs = options.timeoutMs;
    this.assembler = new MessageAssembler(options.limits.receiveBytesMax);
    this.record = new CallRecord(options);
  }

  start(): void {
    this.options.stream.handler = this;
    this.deadline = startDeadline(this.timeoutMs, () => this.fail(DEADLINE_EXCEEDED));
  }

  get caller(): Caller {
    return callerOf((name) => this.metadata(name), this.options.connection.peer);
  }

  metadata(name: string): string | undefined {
    return this.options.stream.head.header(name);
  }

  onOver(callback: () => void): void {
    if (this.state === 'done') callback();
    else this.over = callback;
  }

  onData(bytes: Uint8Array): void {
    // Bytes behind the message are no business of a unary call: dropped.
    if (this.state !== 'receiving') return;
    this.assembler.push(bytes);
    const message = this.assembler.next();
    if (!message.ok) this.fail(frameStatus(message.error, this.options.limits));
    else if (message.value !== undefined) this.dispatch(message.value);
    else this.count(this.assembler.pendingBytes);
  }

  /** Windows do not bound it: what is here is given back, for more to come. */
  private count(unfinishedBytes: number): void {
    const { connection, limits } = this.options;
    connection.unfinishedBytes += unfinishedBytes - this.unfinishedBytes;
    this.unfinishedBytes = unfinishedBytes;
    if (connection.unfinishedBytes > limits.unfinishedBytesMax && unfinishedBytes > 0) {
      this.fail(TOO_MUCH_UNFINISHED);
    }
  }

  private dispatch(message: Uint8Array): void {
    this.state = 'handling';
    if (this.unfinishedBytes > 0) this.count(0);
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

  onEnd(): void {
    if (this.state === 'receiving') this.fail(cutStatus(this.assembler.isMidMessage()));
  }

  onWritable(): void {
    // An answer is written as a whole, or by who knows when to go on.
  }

  private answer(answer: UnaryAnswer): void {
    const { stream, blocks } = this.options;
    if (this.state === 'done' || stream.isGone) {
      if (!(answer instanceof Uint8Array)) answer.release();
    } else if (answer instanceof Uint8Array) {
      this.begin(answer.length);
      stream.answer(blocks.headers, answer, blocks.trailers);
    } else {
      this.begin(GRPC_PREFIX_BYTES + answer.messageBytes);
      void this.sendPieces(answer);
    }
  }

  /** `sizeBytes`: of the frame that follows. */
  private begin(sizeBytes: number): void {
    this.record.sent(sizeBytes - GRPC_PREFIX_BYTES);
    this.finish(GrpcCode.ok);
    this.options.connection.wasUsed = true;
  }

  /** Never rejects. */
  private async sendPieces(answer: LargeAnswer): Promise<void> {
    const { stream, blocks, limits, log, method } = this.options;
    stream.respond(blocks.headers);
    const output = new Http2Duplex(stream, blocks.trailers);
    output.on('error', () => undefined);
    output.write(framePrefix(answer.messageBytes));
    try {
      const options = { limits: PIECE_LIMITS, stallMs: limits.stallMs };
      const sent = await sendPieces(output, answer, { ...options, encode: (piece) => piece });
      if (sent === 'whole') output.end();
      else output.destroy();
    } catch (cause) {
      logBug(log, method.path, cause);
      stream.reset(ERROR_CODE.internalError);
    }
  }

  private fail(status: RpcStatus): void {
    if (this.state === 'done') return;
    this.finish(status.code);
    answerStatus(this.options.stream, status);
  }

  /** The client may be gone before the answer: then the answer is dropped when it comes. */
  onClose(): void {
    this.finish(GrpcCode.cancelled);
  }

  private finish(code: number): void {
    this.state = 'done';
    if (this.unfinishedBytes > 0) this.count(0);
    clearTimeout(this.deadline);
    this.record.end(code);
    const { over } = this;
    this.over = undefined;
    over?.();
  }
}
