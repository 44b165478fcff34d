import { ERROR_CODE, type ErrorCode } from '../http2/frame.ts';
import { assert } from '../lib/assert.ts';
import type { Caller } from '../service/caller.ts';
import { GrpcCode } from '../wire/grpc-code.ts';
import { GRPC_PREFIX_BYTES, MessageAssembler } from '../wire/grpc-frame.ts';
import {
  answerStatus,
  type CallOptions,
  DEADLINE_EXCEEDED,
  encodeTrailers,
  frameStatus,
  INTERNAL_ERROR,
  logBug,
  startDeadline,
  TOO_MUCH_UNFINISHED,
} from './call-options.ts';
import { CallRecord } from './call-record.ts';
import type { FrameSink, FrameSource, RpcContext, RpcStatus, StreamMethod } from './rpc.ts';
import { callerOf } from './rpc-caller.ts';
import { cutStatus } from './rpc-fault.ts';

/**
 * One streaming gRPC call on one HTTP/2 stream. Its requests are read only while the client takes
 * its answers and the method is done with the request before, so that neither side can make the
 * other hold much. Whoever is first of method, fault, deadline and client ends it.
 */

const OK_STATUS: RpcStatus = { code: GrpcCode.ok, message: '' };

export class StreamCall implements RpcContext, FrameSink {
  readonly timeoutMs: number | undefined;
  private readonly options: CallOptions<StreamMethod>;
  private readonly assembler: MessageAssembler;
  private readonly record: CallRecord;
  private source: FrameSource | undefined = undefined;
  /** `status` is what the trailers will say. */
  private state: { readonly type: 'open' } | { readonly type: 'ended'; status: RpcStatus } = {
    type: 'open',
  };
  /** What the connection counts of requests that were not handed over. */
  private unfinishedBytes = 0;
  private deadline: NodeJS.Timeout | undefined = undefined;
  private drained: () => void = () => undefined;
  /** The method is not done with the request before. */
  private isBusy = false;
  /** The client will send no more. */
  private isAtEnd = false;
  private isHalfClosed = false;
  private isSourceClosed = false;

  constructor(options: CallOptions<StreamMethod>) {
    this.options = options;
    this.timeoutMs = options.timeoutMs;
    this.assembler = new MessageAssembler(options.limits.receiveBytesMax);
    this.record = new CallRecord(options);
  }

  /** `ended` is called when nothing of the call is left. */
  start(ended: () => void): void {
    const { stream, method, log } = this.options;
    stream.handler = {
      onData: (bytes) => {
        this.assembler.push(bytes);
        this.pump();
      },
      onEnd: () => {
        this.isAtEnd = true;
        this.pump();
      },
      onWritable: () => this.drain(),
      onClose: () => {
        this.leave(GrpcCode.cancelled);
        ended();
      },
    };
    this.deadline = startDeadline(this.timeoutMs, () => this.expire());
    try {
      this.source = method.open(this, this);
    } catch (cause) {
      logBug(log, method.path, cause);
      this.end(INTERNAL_ERROR);
    }
    if (this.state.type === 'ended') {
      this.closeSource();
      return;
    }
    // At once, not with the first answer: there may be none for hours, and clients wait for it.
    this.respond();
  }

  get caller(): Caller {
    return callerOf((name) => this.metadata(name), this.options.connection.peer);
  }

  metadata(name: string): string | undefined {
    return this.options.stream.head.header(name);
  }

  get writable(): boolean {
    return this.options.stream.writable;
  }

  onWritable(callback: () => void): void {
    this.drained = callback;
  }

  send(frame: Uint8Array): void {
    const { stream, connection, limits } = this.options;
    if (this.state.type === 'ended' || stream.isGone) return;
    if (connection.unsentBytes + frame.length > limits.unsentBytesMax) {
      // A status would have to wait behind what the client does not take.
      this.cut(GrpcCode.resourceExhausted, ERROR_CODE.enhanceYourCalm);
      return;
    }
    this.respond();
    this.record.sent(frame.length - GRPC_PREFIX_BYTES);
    connection.wasUsed = true;
    if (!stream.write(frame)) stream.pause();
  }

  end(status?: RpcStatus): void {
    const { stream } = this.options;
    if (this.state.type === 'ended') return;
    this.state = { type: 'ended', status: status ?? OK_STATUS };
    this.leave(this.state.status.code);
    if (stream.isGone) return;
    if (!stream.headersSent && status !== undefined) {
      answerStatus(stream, status);
      return;
    }
    this.respond();
    stream.end(status === undefined ? this.options.blocks.trailers : encodeTrailers(status));
    stream.stopRequest();
  }

  private respond(): void {
    const { stream, blocks } = this.options;
    if (!stream.headersSent) stream.respond(blocks.headers);
  }

  private pump(): void {
    this.handOver();
    if (this.state.type === 'ended') return;
    const { connection, limits } = this.options;
    const before = connection.unfinishedBytes;
    this.count(this.assembler.pendingBytes);
    const isMore = connection.unfinishedBytes > before;
    if (isMore && connection.unfinishedBytes > limits.unfinishedBytesMax) {
      this.end(TOO_MUCH_UNFINISHED);
    }
  }

  private count(unfinishedBytes: number): void {
    this.options.connection.unfinishedBytes += unfinishedBytes - this.unfinishedBytes;
    this.unfinishedBytes = unfinishedBytes;
  }

  /** Hands over what has come, as far as the method and the client can take it. */
  private handOver(): void {
    if (this.isHalfClosed) return;
    while (this.state.type === 'open' && !this.isBusy && this.writable) {
      const message = this.assembler.next();
      if (!message.ok) return this.end(frameStatus(message.error, this.options.limits));
      if (message.value !== undefined) {
        this.deliver(message.value);
      } else {
        if (this.isAtEnd) this.halfClose();
        else this.options.stream.resume();
        return;
      }
    }
    if (this.state.type === 'open') this.options.stream.pause();
  }

  private deliver(message: Uint8Array): void {
    this.record.received(message.length);
    const failed = (cause: unknown): void => {
      logBug(this.options.log, this.options.method.path, cause);
      this.end(INTERNAL_ERROR);
    };
    try {
      assert(this.source !== undefined, 'the call is open');
      const pending = this.source.receive(message);
      if (pending === undefined) return;
      this.isBusy = true;
      pending.catch(failed).then(() => {
        this.isBusy = false;
        this.pump();
      }, failed);
    } catch (cause) {
      failed(cause);
    }
  }

  private halfClose(): void {
    if (this.assembler.isMidMessage()) return this.end(cutStatus(true));
    this.isHalfClosed = true;
    this.guard(() => this.source?.halfClosed());
  }

  /** A bug in a method costs one call and a line in the log, not the member. */
  private guard(work: () => void): void {
    try {
      work();
    } catch (cause) {
      logBug(this.options.log, this.options.method.path, cause);
      this.end(INTERNAL_ERROR);
    }
  }

  private drain(): void {
    if (this.state.type === 'ended') return;
    this.guard(this.drained);
    this.pump();
  }

  private expire(): void {
    if (this.writable) this.end(DEADLINE_EXCEEDED);
    else this.cut(GrpcCode.deadlineExceeded, ERROR_CODE.cancel);
  }

  /** Ends the call in front of what was sent and not taken. */
  private cut(code: number, http2Code: ErrorCode): void {
    if (this.state.type === 'ended') return;
    this.state = { type: 'ended', status: { code, message: '' } };
    this.leave(code);
    this.options.stream.reset(http2Code);
  }

  private leave(code: number): void {
    clearTimeout(this.deadline);
    this.count(0);
    this.record.end(code);
    if (this.state.type === 'open') {
      this.state = { type: 'ended', status: { code, message: '' } };
    }
    this.closeSource();
  }

  private closeSource(): void {
    if (this.isSourceClosed || this.source === undefined) return;
    this.isSourceClosed = true;
    try {
      this.source.closed();
    } catch (cause) {
      logBug(this.options.log, this.options.method.path, cause);
    }
  }
}
