import { assert } from '../lib/assert.ts';
import { EMPTY_BYTES } from '../lib/bytes.ts';
import {
  ERROR_CODE,
  type ErrorCode,
  encodeFrame,
  encodeHeaderFrames,
  encodeNumberFrame,
  FLAG,
  FRAME,
  FRAME_HEAD_BYTES,
  FRAME_PAYLOAD_BYTES_MAX,
  putFrameHead,
} from './frame.ts';
import type { RequestHead } from './request-head.ts';

/** What a request's owner is told. Views stay valid. */
export interface StreamHandler {
  onData(bytes: Uint8Array): void;
  /** The request has come whole. */
  onEnd(): void;
  /** After a `write` that answered false. */
  onWritable(): void;
  /** Once, and nothing after it. Undefined: both ends said all that they had to say. */
  onClose(code: ErrorCode | undefined): void;
}

/** The connection, as its streams see it. */
export interface StreamPort {
  readonly streamWindowBytes: number;
  /** Of data that may be sent now, on all streams together. */
  readonly budgetBytes: number;
  /** Frames other than data. */
  send(bytes: Uint8Array): void;
  /** Counts against the budget. */
  sendData(bytes: Uint8Array, dataBytes: number): void;
  /** Bytes that wait in a stream: so many more, or fewer. */
  queued(bytes: number): void;
  /** There is more than may be sent: `pump` it when that changes. */
  blocked(stream: Http2Stream): void;
  /** Of data, padding included, that was received and is not held any more. */
  consumed(bytes: number): void;
  closed(stream: Http2Stream): void;
  /** A handler threw; its stream is reset. */
  bug(cause: unknown): void;
}

/**
 * One request with its answer. Data is sent as far as the client's windows allow; what it may not
 * send yet it keeps, without a limit of its own: `write` says when to stop.
 */
export class Http2Stream {
  readonly id: number;
  readonly head: RequestHead;
  handler: StreamHandler = NO_HANDLER;
  readonly #port: StreamPort;
  /** May be negative, after the client made its windows smaller. */
  #window: number;
  #queue: Uint8Array[] = [];
  /** Place of the queue's first that is not sent whole; taking out each by itself is slow. */
  #first = 0;
  /** Of the queue's first. */
  #sentOfFirst = 0;
  #queuedBytes = 0;
  #wantsWritable = false;
  #headersSent = false;
  /** What ends the answer, once all data is sent: a block of trailers, or the last frame. */
  #ending: Uint8Array | undefined;
  #isEnded = false;
  #isRequestWhole = false;
  #isClosed = false;
  #isUnwanted = false;
  #isEndTold = false;
  #isPaused = false;
  #isDelivering = false;
  /** In one piece, of which `#heldBytes` are filled: many small ones take too much memory. */
  #held: Uint8Array = EMPTY_BYTES;
  #heldBytes = 0;
  #receiveWindow: number;
  #consumedBytes = 0;

  constructor(id: number, head: RequestHead, port: StreamPort, windowBytes: number) {
    this.id = id;
    this.head = head;
    this.#port = port;
    this.#window = windowBytes;
    this.#receiveWindow = port.streamWindowBytes;
  }

  get headersSent(): boolean {
    return this.#headersSent;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Nothing can be sent any more. */
  get isGone(): boolean {
    return this.#isClosed || this.#isEnded || this.#ending !== undefined;
  }

  /** All that was written has left for the socket, and that takes more. */
  get writable(): boolean {
    return this.#queuedBytes === 0 && this.#port.budgetBytes > 0;
  }

  /** An encoded header block; an interim answer if `isFinal` is not set. */
  respond(block: Uint8Array, { isFinal = true }: { readonly isFinal?: boolean } = {}): void {
    assert(!this.#headersSent, 'an answer begins once');
    if (this.isGone) return;
    this.#headersSent = isFinal;
    this.#port.send(encodeHeaderFrames(this.id, block, { isEnd: false }));
  }

  /** An answer that is nothing but headers. */
  respondOnly(block: Uint8Array): void {
    assert(!this.#headersSent, 'an answer begins once');
    if (this.isGone) return;
    this.#headersSent = true;
    this.#port.send(encodeHeaderFrames(this.id, block, { isEnd: true }));
    this.#answered();
  }

  /** Headers, one piece of data, trailers: in one go where the windows allow it. */
  answer(block: Uint8Array, data: Uint8Array, trailers: Uint8Array): void {
    const budget = Math.min(this.#window, this.#port.budgetBytes, SMALL_BYTES_MAX);
    const isSmall = data.length <= budget && block.length + trailers.length <= SMALL_BYTES_MAX;
    if (this.isGone || this.#headersSent || !isSmall) {
      this.respond(block);
      this.write(data);
      this.end(trailers);
      return;
    }
    const { id } = this;
    const size = 3 * FRAME_HEAD_BYTES + block.length + data.length + trailers.length;
    const bytes = new Uint8Array(size);
    const head = { type: FRAME.headers, flags: FLAG.endHeaders, length: block.length };
    let at = putFrameHead(bytes, 0, head, id);
    bytes.set(block, at);
    at += block.length;
    at = putFrameHead(bytes, at, { type: FRAME.data, flags: 0, length: data.length }, id);
    bytes.set(data, at);
    at += data.length;
    const flags = FLAG.endHeaders | FLAG.endStream;
    at = putFrameHead(bytes, at, { type: FRAME.headers, flags, length: trailers.length }, id);
    bytes.set(trailers, at);
    this.#headersSent = true;
    this.#window -= data.length;
    this.#port.sendData(bytes, data.length);
    this.#answered();
  }

  /** The bytes must not change any more. False: `onWritable` says when to go on. */
  write(bytes: Uint8Array): boolean {
    assert(this.#headersSent || this.isGone, 'data comes after headers');
    if (this.isGone) return true;
    if (bytes.length > 0) {
      this.#queue.push(bytes);
      this.#queuedBytes += bytes.length;
      this.#port.queued(bytes.length);
      this.pump(Number.POSITIVE_INFINITY);
    }
    const isWritable = this.writable;
    this.#wantsWritable = !isWritable;
    if (this.isWaiting) this.#port.blocked(this);
    return isWritable;
  }

  /** Behind all data: trailers, or nothing. */
  end(trailers: Uint8Array = EMPTY_BYTES): void {
    if (this.isGone) return;
    this.#ending = trailers;
    this.pump(Number.POSITIVE_INFINITY);
    if (this.isWaiting) this.#port.blocked(this);
  }

  /** Ends it at once, both ways. */
  reset(code: ErrorCode): void {
    if (this.#isClosed) return;
    this.#port.send(encodeNumberFrame(FRAME.rstStream, this.id, code));
    this.#close(code);
  }

  /** The rest of the request is not wanted: the stream ends with the answer. */
  stopRequest(): void {
    if (this.#isClosed || this.#isRequestWhole) return;
    this.#isUnwanted = true;
    this.resume();
    if (this.#isEnded) this.reset(ERROR_CODE.noError);
  }

  pause(): void {
    this.#isPaused = true;
  }

  /** What was held meanwhile is handed over at once. */
  resume(): void {
    this.#isPaused = false;
    this.#deliver();
  }

  /** Sends at most so many frames; true: there is more, and nothing forbids to send it. */
  pump(framesMax: number): boolean {
    // Of those that wait in turns, one may have closed another.
    if (this.#isClosed) return false;
    for (let frames = 0; this.#first < this.#queue.length; frames++) {
      const budget = Math.min(this.#window, this.#port.budgetBytes, FRAME_PAYLOAD_BYTES_MAX);
      if (budget <= 0) return false;
      if (frames === framesMax) return true;
      this.#sendPiece(budget);
    }
    if (this.#ending !== undefined && !this.#isEnded) this.#sendEnding(this.#ending);
    return false;
  }

  /** By the connection: room was made, or what was blocked has left. */
  tellWritable(): boolean {
    if (this.#isClosed || !this.#wantsWritable) return true;
    if (!this.writable) return false;
    this.#wantsWritable = false;
    try {
      this.handler.onWritable();
    } catch (cause) {
      this.#failed(cause);
    }
    return !this.#wantsWritable;
  }

  /** For the connection's window or the socket, not for its own window. */
  get isWaiting(): boolean {
    if (this.#isClosed) return false;
    return this.#queuedBytes > 0 ? this.#window > 0 : this.#wantsWritable;
  }

  /** False: no window can be so large. */
  widen(bytes: number): boolean {
    this.#window += bytes;
    return this.#window <= WINDOW_BYTES_MAX;
  }

  /** By the connection. `flowBytes`: with padding. False: more than the window allows. */
  receive(bytes: Uint8Array, flowBytes: number): boolean {
    this.#receiveWindow -= flowBytes;
    if (this.#receiveWindow < 0 || this.#isRequestWhole) return false;
    this.#credit(flowBytes - bytes.length);
    if (bytes.length === 0) return true;
    this.#hold(bytes);
    this.#deliver();
    // A few bytes that stay must not keep all that came with them.
    if (this.#heldBytes * 2 < this.#held.buffer.byteLength) {
      this.#held = this.#held.slice(0, this.#heldBytes);
    }
    return true;
  }

  /** By the connection: the client sends no more. */
  requestWhole(): void {
    if (this.#isClosed) return;
    this.#isRequestWhole = true;
    this.#deliver();
    if (this.#isEnded) this.#close(undefined);
  }

  get isRequestWhole(): boolean {
    return this.#isRequestWhole;
  }

  /** By the connection: the client reset it, or is gone. */
  lost(code: ErrorCode): void {
    this.#close(code);
  }

  #sendPiece(budget: number): void {
    const first = this.#queue[this.#first]!;
    const start = this.#sentOfFirst;
    const end = Math.min(first.length, start + budget);
    const piece = start === 0 && end === first.length ? first : first.subarray(start, end);
    if (end === first.length) this.#dropFirst();
    else this.#sentOfFirst = end;
    this.#window -= piece.length;
    this.#queuedBytes -= piece.length;
    this.#port.queued(-piece.length);
    const isLast = this.#queuedBytes === 0 && this.#ending?.length === 0;
    const flags = isLast ? FLAG.endStream : 0;
    if (piece.length <= SMALL_BYTES_MAX) {
      this.#port.sendData(encodeFrame(FRAME.data, flags, this.id, piece), piece.length);
    } else {
      const head = new Uint8Array(FRAME_HEAD_BYTES);
      putFrameHead(head, 0, { type: FRAME.data, flags, length: piece.length }, this.id);
      this.#port.send(head);
      this.#port.sendData(piece, piece.length);
    }
    if (isLast) this.#answered();
  }

  #dropFirst(): void {
    this.#sentOfFirst = 0;
    this.#queue[this.#first] = EMPTY_BYTES;
    this.#first += 1;
    if (this.#first * 2 < this.#queue.length) return;
    this.#queue.splice(0, this.#first);
    this.#first = 0;
  }

  #sendEnding(trailers: Uint8Array): void {
    const frames =
      trailers.length === 0
        ? encodeFrame(FRAME.data, FLAG.endStream, this.id, trailers)
        : encodeHeaderFrames(this.id, trailers, { isEnd: true });
    this.#port.send(frames);
    this.#answered();
  }

  #answered(): void {
    this.#isEnded = true;
    if (this.#isRequestWhole) this.#close(undefined);
    else if (this.#isUnwanted) this.reset(ERROR_CODE.noError);
  }

  #hold(bytes: Uint8Array): void {
    const before = this.#heldBytes;
    this.#heldBytes += bytes.length;
    if (before === 0) {
      this.#held = bytes;
      return;
    }
    if (this.#heldBytes > this.#held.length) {
      const grown = new Uint8Array(Math.max(this.#heldBytes, this.#held.length * 2));
      grown.set(this.#held.subarray(0, before));
      this.#held = grown;
    }
    this.#held.set(bytes, before);
  }

  /** Hands over what is held, and then that the request is whole. */
  #deliver(): void {
    if (this.#isDelivering) return;
    this.#isDelivering = true;
    try {
      while (this.#heldBytes > 0 && !this.#isPaused && !this.#isClosed) {
        const bytes = this.#held.subarray(0, this.#heldBytes);
        this.#held = EMPTY_BYTES;
        this.#heldBytes = 0;
        this.#credit(bytes.length);
        if (!this.#isUnwanted) this.handler.onData(bytes);
      }
      const isDue = this.#isRequestWhole && this.#heldBytes === 0 && !this.#isClosed;
      if (isDue && !this.#isEndTold) {
        this.#isEndTold = true;
        this.handler.onEnd();
      }
    } catch (cause) {
      this.#failed(cause);
    }
    this.#isDelivering = false;
  }

  #failed(cause: unknown): void {
    this.#port.bug(cause);
    this.reset(ERROR_CODE.internalError);
  }

  /** Lets the client send as much again, by and by. */
  #credit(bytes: number): void {
    if (bytes === 0) return;
    this.#port.consumed(bytes);
    this.#consumedBytes += bytes;
    const windowBytes = this.#port.streamWindowBytes;
    if (this.#isRequestWhole || this.#consumedBytes < windowBytes / 2) return;
    this.#receiveWindow += this.#consumedBytes;
    this.#port.send(encodeNumberFrame(FRAME.windowUpdate, this.id, this.#consumedBytes));
    this.#consumedBytes = 0;
  }

  #close(code: ErrorCode | undefined): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#port.queued(-this.#queuedBytes);
    this.#queue = [];
    this.#first = 0;
    this.#queuedBytes = 0;
    this.#held = EMPTY_BYTES;
    this.#port.consumed(this.#heldBytes);
    this.#heldBytes = 0;
    this.#port.closed(this);
    try {
      this.handler.onClose(code);
    } catch (cause) {
      this.#port.bug(cause);
    }
  }
}

const NO_HANDLER: StreamHandler = {
  onData: () => undefined,
  onEnd: () => undefined,
  onWritable: () => undefined,
  onClose: () => undefined,
};

/** Copied rather than sent as pieces of their own. */
const SMALL_BYTES_MAX = 8_192;
const WINDOW_BYTES_MAX = 2 ** 31 - 1;
