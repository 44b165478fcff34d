/** One HTTP/2 connection of the load generator, with a number of requests in flight on it. */
import type { Socket } from 'node:net';
import type { Clock } from '../../src/ports/clock.ts';
import { grpcStatusOf, type HeaderBlocks } from './header-block.ts';
import {
  clientGreeting,
  FLAG,
  FRAME,
  FRAME_HEADER_BYTES,
  type Frame,
  FrameReader,
  frame,
  INITIAL_WINDOW_BYTES,
  SETTING,
  windowUpdate,
  writeFrameHeader,
} from './http2-frames.ts';
import { type RequestTemplate, writeDigits } from './request-template.ts';

export interface LoadCallbacks {
  /** `problem` undefined: data and grpc-status 0 have come. */
  onAnswer(latencyNs: number, problem: string | undefined): void;
  /** The number of the next request's key; undefined: no more requests. */
  nextKey(): number | undefined;
  /** The connection is of no more use. */
  onFailure(reason: string): void;
}

interface Request {
  startNs: number;
  dataBytes: number;
}

/** Given back to the server's window in steps of this. */
const WINDOW_STEP_BYTES = 16_777_216;
/** A turn's requests leave in writes of at most this. */
const WRITE_BYTES_MAX = 65_536;
const EMPTY = Buffer.alloc(0);

export class LoadConnection {
  readonly #socket: Socket;
  readonly #template: RequestTemplate;
  readonly #blocks: HeaderBlocks;
  readonly #callbacks: LoadCallbacks;
  readonly #clock: Clock;
  readonly #frames = new FrameReader();
  readonly #requests = new Map<number, Request>();
  /** Requests due, but not sent for want of window. */
  #owed = 0;
  #nextStreamId = 1;
  #sendWindowBytes = INITIAL_WINDOW_BYTES;
  #receivedBytes = 0;
  #nowNs = 0;
  /** Of the last answer that was read as status 0: most others are the same bytes. */
  #okTrailers: Buffer = EMPTY;
  #out: Buffer = EMPTY;
  #outBytes = 0;
  #failed = false;

  constructor(
    socket: Socket,
    parts: {
      readonly template: RequestTemplate;
      readonly blocks: HeaderBlocks;
      readonly callbacks: LoadCallbacks;
      readonly clock: Clock;
    },
  ) {
    this.#socket = socket;
    this.#template = parts.template;
    this.#blocks = parts.blocks;
    this.#callbacks = parts.callbacks;
    this.#clock = parts.clock;
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => this.#onData(chunk));
    socket.on('error', (error) => this.#fail(error.message));
    socket.on('close', () => this.#fail('connection closed'));
    socket.write(clientGreeting());
  }

  get inFlight(): number {
    return this.#requests.size;
  }

  /** Keeps so many requests in flight until there are no more keys. */
  begin(streams: number): void {
    this.#nowNs = this.#clock.nowNs();
    this.#owed = streams;
    this.#sendOwed();
    this.#flush();
  }

  close(): void {
    this.#failed = true;
    this.#socket.destroy();
  }

  #onData(chunk: Buffer): void {
    this.#nowNs = this.#clock.nowNs();
    try {
      this.#frames.read(chunk, (each) => this.#onFrame(each));
    } catch (error) {
      this.#fail(error instanceof Error ? error.message : String(error));
    }
    this.#sendOwed();
    this.#flush();
  }

  #onFrame({ type, flags, streamId, payload }: Frame): void {
    if (this.#failed) return;
    switch (type) {
      case FRAME.data:
        return this.#onAnswerData(streamId, flags, payload);
      case FRAME.headers:
        return this.#onHeaders(streamId, flags, payload);
      case FRAME.reset:
        return this.#done(streamId, `stream reset with code ${payload.readUInt32BE(0)}`);
      case FRAME.settings:
        return this.#onSettings(flags, payload);
      case FRAME.ping:
        if (flags & FLAG.ack) return;
        this.#append(frame(FRAME.ping, FLAG.ack, 0, payload));
        return;
      case FRAME.goAway:
        return this.#fail(`server says goodbye with code ${payload.readUInt32BE(4)}`);
      case FRAME.windowUpdate:
        if (streamId === 0) this.#sendWindowBytes += payload.readUInt32BE(0) & 0x7fff_ffff;
        return;
      default:
        // Priorities and what else may come are of no interest; continuations are never needed.
        return;
    }
  }

  #onAnswerData(streamId: number, flags: number, payload: Buffer): void {
    this.#receivedBytes += payload.length;
    if (this.#receivedBytes >= WINDOW_STEP_BYTES) {
      this.#append(windowUpdate(this.#receivedBytes));
      this.#receivedBytes = 0;
    }
    if (flags & FLAG.padded) return this.#fail('padded frames are not expected');
    const request = this.#requests.get(streamId);
    if (request !== undefined) request.dataBytes += payload.length;
    if (flags & FLAG.endStream) this.#done(streamId, 'no trailers');
  }

  #onHeaders(streamId: number, flags: number, block: Buffer): void {
    if ((flags & FLAG.endHeaders) === 0 || flags & (FLAG.padded | FLAG.priority)) {
      return this.#fail('headers in a form that is not expected');
    }
    if ((flags & FLAG.endStream) === 0) return;
    if (!block.equals(this.#okTrailers)) {
      const status = grpcStatusOf(block);
      if (status !== 0) return this.#done(streamId, `grpc-status ${status ?? 'missing'}`);
      this.#okTrailers = Buffer.from(block);
    }
    this.#done(streamId, undefined);
  }

  #onSettings(flags: number, payload: Buffer): void {
    if (flags & FLAG.ack) return;
    for (let at = 0; at + 6 <= payload.length; at += 6) {
      const value = payload.readUInt32BE(at + 2);
      const setting = payload.readUInt16BE(at);
      if (setting === SETTING.initialWindow && value < this.#template.message.length) {
        return this.#fail('the server takes no whole request at once');
      }
    }
    this.#append(frame(FRAME.settings, FLAG.ack, 0, EMPTY));
  }

  #done(streamId: number, problem: string | undefined): void {
    const request = this.#requests.get(streamId);
    // A reset may follow an answer.
    if (request === undefined) return;
    this.#requests.delete(streamId);
    const isShort = request.dataBytes < this.#template.answerBytesMin;
    const shortage = isShort ? `answer of only ${request.dataBytes} bytes` : undefined;
    this.#callbacks.onAnswer(this.#nowNs - request.startNs, problem ?? shortage);
    this.#owed += 1;
  }

  #sendOwed(): void {
    const { message } = this.#template;
    while (this.#owed > 0 && this.#sendWindowBytes >= message.length && !this.#failed) {
      const key = this.#callbacks.nextKey();
      if (key === undefined) return;
      this.#owed -= 1;
      this.#sendWindowBytes -= message.length;
      this.#send(key);
    }
  }

  #send(key: number): void {
    const { message, digitsAt } = this.#template;
    const streamId = this.#nextStreamId;
    const block = streamId === 1 ? this.#blocks.first : this.#blocks.later;
    this.#nextStreamId += 2;
    this.#reserve(2 * FRAME_HEADER_BYTES + block.length + message.length);
    const out = this.#out;
    const { headers, data } = FRAME;
    const headersHead = { lengthBytes: block.length, type: headers, flags: FLAG.endHeaders };
    let at = writeFrameHeader(out, this.#outBytes, { ...headersHead, streamId });
    at += block.copy(out, at);
    const dataHead = { lengthBytes: message.length, type: data, flags: FLAG.endStream };
    at = writeFrameHeader(out, at, { ...dataHead, streamId });
    at += message.copy(out, at);
    writeDigits(out, at - message.length + digitsAt, key);
    this.#outBytes = at;
    this.#requests.set(streamId, { startNs: this.#nowNs, dataBytes: 0 });
  }

  #append(bytes: Buffer): void {
    this.#reserve(bytes.length);
    this.#outBytes += bytes.copy(this.#out, this.#outBytes);
  }

  /** Room for as many requests as are due, so that one in flight does not take a big buffer. */
  #reserve(sizeBytes: number): void {
    if (this.#outBytes + sizeBytes <= this.#out.length) return;
    this.#flush();
    const wantedBytes = Math.min(sizeBytes * (this.#owed + 1), WRITE_BYTES_MAX);
    this.#out = Buffer.allocUnsafe(Math.max(wantedBytes, sizeBytes));
  }

  #flush(): void {
    if (this.#outBytes === 0) return;
    this.#socket.write(this.#out.subarray(0, this.#outBytes));
    this.#out = EMPTY;
    this.#outBytes = 0;
  }

  #fail(reason: string): void {
    if (this.#failed) return;
    this.#failed = true;
    this.#callbacks.onFailure(reason);
  }
}
