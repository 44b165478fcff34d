import { assert } from '../lib/assert.ts';
import { EMPTY_BYTES } from '../lib/bytes.ts';
import {
  ERROR_CODE,
  type ErrorCode,
  encodeFrame,
  encodeNumberFrame,
  FLAG,
  FRAME,
  putUint32,
  SETTING,
  uint32At,
} from './frame.ts';
import { FrameReader } from './frame-reader.ts';
import { HeaderBlocks } from './header-blocks.ts';
import type { HeaderField } from './header-field.ts';
import { type Http2Transport, Output } from './output.ts';
import { RateLimit } from './rate-limit.ts';
import { fieldFault, headFault, RequestHead } from './request-head.ts';
import { Http2Stream, type StreamPort } from './stream.ts';

export interface Http2Limits {
  /** Requests in flight; one more is refused. */
  readonly concurrentStreamsMax: number;
  /** What a client may send on one stream, and on all, before it is read; 65535 or more. */
  readonly streamWindowBytes: number;
  readonly connectionWindowBytes: number;
  /** Of a request's header fields, each with 32 bytes more; beyond, the stream is reset. */
  readonly headerListBytesMax: number;
  /** Streams that the client resets, or makes the server reset. */
  readonly resets: { readonly burst: number; readonly perS: number };
  /** Streams refused because there were too many, in all; then the connection is closed. */
  readonly refusedMax: number;
}

export interface Http2ConnectionOptions {
  readonly transport: Http2Transport;
  readonly limits: Http2Limits;
  readonly clock: { nowNs(): number };
  /** Runs the callback when this turn's work is done. */
  readonly defer: (callback: () => void) => void;
  readonly onRequest: (stream: Http2Stream) => void;
  /** The client has sent a ping, which is answered. */
  readonly onPing?: () => void;
  /** What `onRequest` or a stream's handler threw: it costs the stream. */
  readonly onBug?: (cause: unknown) => void;
  /** Once. Undefined: in order; otherwise what the client did wrong. */
  readonly onClose: (fault: string | undefined) => void;
}

/**
 * The server's end of an HTTP/2 connection (RFC 9113): bytes in, streams out. It sends nothing
 * that depends on the client's settings but for the windows: no pushes, no larger frames, no
 * compression that refers to earlier fields.
 */
export class Http2Connection implements StreamPort {
  readonly streamWindowBytes: number;
  readonly #options: Http2ConnectionOptions;
  readonly #output: Output;
  readonly #reader = new FrameReader();
  readonly #blocks: HeaderBlocks;
  readonly #streams = new Map<number, Http2Stream>();
  /** With data that the windows or the socket do not take, in turns. */
  readonly #blocked = new Set<Http2Stream>();
  readonly #resets: RateLimit;
  readonly #settings: RateLimit;
  readonly #pings: (() => void)[] = [];
  #phase: 'preface' | 'settings' | 'open' | 'closed' = 'preface';
  /** What the client's setting gives every new stream. */
  #initialWindow = DEFAULT_WINDOW_BYTES;
  #sendWindow = DEFAULT_WINDOW_BYTES;
  #receiveWindow: number;
  #consumedBytes = 0;
  #queuedBytes = 0;
  #lastStreamId = 0;
  #refused = 0;
  /** Of frames other than data that a clogged socket was given. */
  #unreadReplyBytes = 0;
  #isClosing = false;

  constructor(options: Http2ConnectionOptions) {
    const { transport, limits, clock, defer } = options;
    const smallest = Math.min(limits.streamWindowBytes, limits.connectionWindowBytes);
    assert(smallest >= DEFAULT_WINDOW_BYTES, 'clients begin with a window that large');
    this.#options = options;
    this.streamWindowBytes = limits.streamWindowBytes;
    this.#output = new Output(transport, defer);
    this.#blocks = new HeaderBlocks(limits.headerListBytesMax);
    this.#resets = new RateLimit(limits.resets, clock.nowNs());
    this.#settings = new RateLimit(SETTINGS_LIMIT, clock.nowNs());
    this.#receiveWindow = limits.connectionWindowBytes;
    this.send(
      encodeSettings([
        [SETTING.maxConcurrentStreams, limits.concurrentStreamsMax],
        [SETTING.initialWindowSize, limits.streamWindowBytes],
        [SETTING.maxHeaderListSize, limits.headerListBytesMax],
      ]),
    );
    const moreBytes = limits.connectionWindowBytes - DEFAULT_WINDOW_BYTES;
    if (moreBytes > 0) this.send(encodeNumberFrame(FRAME.windowUpdate, 0, moreBytes));
  }

  get isClosed(): boolean {
    return this.#phase === 'closed';
  }

  /** The client's settings have come. */
  get isOpen(): boolean {
    return this.#phase === 'open';
  }

  /** There is data that the client does not take as fast as it comes. */
  get isAnswering(): boolean {
    return this.#queuedBytes > 0 || this.#output.isClogged;
  }

  /** Of answers, and of frames beside them, that the client has not taken. */
  get unsentBytes(): number {
    return this.#queuedBytes + this.#output.unsentBytes;
  }

  get openStreams(): number {
    return this.#streams.size;
  }

  receive(chunk: Uint8Array): void {
    if (this.#phase === 'closed') return;
    this.#reader.push(chunk);
    if (this.#phase === 'preface' && !this.#readPreface()) return;
    while (!this.isClosed) {
      const read = this.#reader.next();
      if (read === 'partial') break;
      if (read === 'tooLong') return this.#fail(ERROR_CODE.frameSizeError, 'frame too long');
      this.#onFrame();
    }
    // What leaves for a client that reads nothing must not pile up.
    if (this.#unreadReplyBytes > REPLY_BYTES_MAX) {
      this.#fail(ERROR_CODE.enhanceYourCalm, 'answers to frames are not read');
    }
  }

  /** The socket takes more again. */
  drained(): void {
    this.#output.drained();
    this.#unreadReplyBytes = 0;
    this.#pumpAll();
  }

  /** The socket is gone. */
  lost(): void {
    if (this.#phase === 'closed') return;
    this.#over(undefined);
  }

  /** Calls back when the client answers. */
  ping(answered: () => void): void {
    this.#pings.push(answered);
    this.send(encodeFrame(FRAME.ping, 0, 0, PING_PAYLOAD));
  }

  /** No new requests; closes when those there are have ended. */
  close(): void {
    if (this.#isClosing || this.#phase === 'closed') return;
    this.#isClosing = true;
    this.#goAway(ERROR_CODE.noError, '');
    this.#endIfDone();
  }

  /** Ends everything now, and says why. */
  abort(code: ErrorCode, reason: string): void {
    this.#fail(code, reason);
  }

  get budgetBytes(): number {
    return this.#output.isClogged ? 0 : this.#sendWindow;
  }

  send(bytes: Uint8Array): void {
    if (this.#output.isClogged) this.#unreadReplyBytes += bytes.length + PIECE_BYTES;
    this.#output.send(bytes);
  }

  sendData(bytes: Uint8Array, dataBytes: number): void {
    this.#sendWindow -= dataBytes;
    this.#output.send(bytes);
  }

  queued(bytes: number): void {
    this.#queuedBytes += bytes;
  }

  blocked(stream: Http2Stream): void {
    this.#blocked.add(stream);
  }

  consumed(bytes: number): void {
    this.#consumedBytes += bytes;
    if (this.#consumedBytes < this.#options.limits.connectionWindowBytes / 4) return;
    this.#receiveWindow += this.#consumedBytes;
    this.send(encodeNumberFrame(FRAME.windowUpdate, 0, this.#consumedBytes));
    this.#consumedBytes = 0;
  }

  closed(stream: Http2Stream): void {
    this.#streams.delete(stream.id);
    this.#blocked.delete(stream);
    if (this.#isClosing) this.#endIfDone();
  }

  bug(cause: unknown): void {
    this.#options.onBug?.(cause);
  }

  #readPreface(): boolean {
    const preface = this.#reader.take(PREFACE.length);
    if (preface === undefined) return false;
    if (preface.some((byte, at) => byte !== PREFACE.charCodeAt(at))) {
      this.#fail(ERROR_CODE.protocolError, 'no HTTP/2 preface');
      return false;
    }
    this.#phase = 'settings';
    return true;
  }

  #onFrame(): void {
    const { type, streamId } = this.#reader;
    if (this.#phase === 'settings') {
      if (type !== FRAME.settings) {
        return this.#fail(ERROR_CODE.protocolError, 'settings do not come first');
      }
      this.#phase = 'open';
    }
    if (
      this.#blocks.isOpen &&
      (type !== FRAME.continuation || streamId !== this.#blocks.streamId)
    ) {
      return this.#fail(ERROR_CODE.protocolError, 'a frame within a header block');
    }
    switch (type) {
      case FRAME.data:
        return this.#onData();
      case FRAME.headers:
        return this.#onHeaders();
      case FRAME.continuation:
        return this.#onContinuation();
      case FRAME.rstStream:
        return this.#onReset();
      case FRAME.settings:
        return this.#onSettings();
      case FRAME.ping:
        return this.#onPing();
      case FRAME.windowUpdate:
        return this.#onWindowUpdate();
      case FRAME.pushPromise:
        return this.#fail(ERROR_CODE.protocolError, 'a client does not push');
      case FRAME.goAway:
        if (streamId !== 0) this.#fail(ERROR_CODE.protocolError, 'GOAWAY on a stream');
        return;
      default:
        // Priorities are not kept; other frames are extensions.
        return;
    }
  }

  #onData(): void {
    const { payload, flags, streamId } = this.#reader;
    if (streamId === 0 || streamId > this.#lastStreamId) {
      return this.#fail(ERROR_CODE.protocolError, 'data on no stream');
    }
    const data = unpadded(payload, flags);
    if (data === undefined) return this.#fail(ERROR_CODE.protocolError, 'padding is too long');
    this.#receiveWindow -= payload.length;
    if (this.#receiveWindow < 0) {
      return this.#fail(ERROR_CODE.flowControlError, 'more data than the window allows');
    }
    const stream = this.#streams.get(streamId);
    // Of a stream that was reset here, and its client did not know yet.
    if (stream === undefined) return this.consumed(payload.length);
    if (!stream.receive(data, payload.length)) {
      this.consumed(payload.length);
      const isEnded = stream.isRequestWhole;
      const code = isEnded ? ERROR_CODE.streamClosed : ERROR_CODE.flowControlError;
      return this.#resetFaulty(stream, code);
    }
    if ((flags & FLAG.endStream) !== 0) stream.requestWhole();
  }

  #onHeaders(): void {
    const { payload, flags, streamId } = this.#reader;
    if (streamId % 2 === 0) return this.#fail(ERROR_CODE.protocolError, 'headers on no stream');
    let block = unpadded(payload, flags);
    const priorityBytes = (flags & FLAG.priority) === 0 ? 0 : PRIORITY_BYTES;
    if (block === undefined || block.length < priorityBytes) {
      return this.#fail(ERROR_CODE.protocolError, 'headers are too short');
    }
    if (priorityBytes > 0) block = block.subarray(priorityBytes);
    this.#blocks.begin(streamId, (flags & FLAG.endStream) !== 0);
    this.#addToBlock(block, flags);
  }

  #onContinuation(): void {
    const { payload, flags } = this.#reader;
    if (!this.#blocks.isOpen) return this.#fail(ERROR_CODE.protocolError, 'nothing to continue');
    this.#addToBlock(payload, flags);
  }

  #addToBlock(part: Uint8Array, flags: number): void {
    const added = this.#blocks.add(part, (flags & FLAG.endHeaders) !== 0);
    switch (added.type) {
      case 'partial':
        return;
      case 'fault':
        return this.#fail(added.code, added.reason);
      case 'block':
        return this.#onBlock(added.streamId, added.fields, added.isEnd);
      default:
        return added satisfies never;
    }
  }

  /** `fields`: undefined if they are too many. */
  #onBlock(streamId: number, fields: readonly HeaderField[] | undefined, isEnd: boolean): void {
    const known = this.#streams.get(streamId);
    if (known !== undefined) {
      const code = trailersFault(known, fields, isEnd);
      return code === undefined ? known.requestWhole() : this.#resetFaulty(known, code);
    }
    if (streamId <= this.#lastStreamId) {
      // Reset here; or a client that ended it goes on, and is told the same.
      return this.send(encodeNumberFrame(FRAME.rstStream, streamId, ERROR_CODE.streamClosed));
    }
    this.#lastStreamId = streamId;
    const { concurrentStreamsMax, refusedMax } = this.#options.limits;
    const refuse = (code: ErrorCode): void => {
      this.send(encodeNumberFrame(FRAME.rstStream, streamId, code));
    };
    if (this.#isClosing || this.#streams.size >= concurrentStreamsMax) {
      this.#refused += 1;
      if (this.#refused <= refusedMax) return refuse(ERROR_CODE.refusedStream);
      return this.#fail(ERROR_CODE.enhanceYourCalm, 'too many streams');
    }
    if (fields === undefined) return refuse(ERROR_CODE.enhanceYourCalm);
    if (headFault(fields) !== undefined) return refuse(ERROR_CODE.protocolError);
    const stream = new Http2Stream(streamId, new RequestHead(fields), this, this.#initialWindow);
    this.#streams.set(streamId, stream);
    try {
      this.#options.onRequest(stream);
    } catch (cause) {
      this.bug(cause);
      stream.reset(ERROR_CODE.internalError);
    }
    if (isEnd) stream.requestWhole();
  }

  #onReset(): void {
    const { payload, streamId } = this.#reader;
    if (payload.length !== 4) return this.#fail(ERROR_CODE.frameSizeError, 'RST_STREAM');
    if (streamId === 0 || streamId > this.#lastStreamId) {
      return this.#fail(ERROR_CODE.protocolError, 'reset of no stream');
    }
    this.#streams.get(streamId)?.lost(uint32At(payload, 0) as ErrorCode);
    this.#countReset();
  }

  /** Counts as if the client had done it: else its faults were a way around that limit. */
  #resetFaulty(stream: Http2Stream, code: ErrorCode): void {
    stream.reset(code);
    this.#countReset();
  }

  #countReset(): void {
    if (this.#resets.take(this.#options.clock.nowNs())) return;
    this.#fail(ERROR_CODE.enhanceYourCalm, 'too many resets');
  }

  #onSettings(): void {
    const { payload, flags, streamId } = this.#reader;
    if (streamId !== 0) return this.#fail(ERROR_CODE.protocolError, 'settings on a stream');
    const isAck = (flags & FLAG.ack) !== 0;
    if (payload.length % SETTING_BYTES !== 0 || (isAck && payload.length > 0)) {
      return this.#fail(ERROR_CODE.frameSizeError, 'SETTINGS');
    }
    if (isAck) return;
    // Each is some work for every stream.
    if (!this.#settings.take(this.#options.clock.nowNs())) {
      return this.#fail(ERROR_CODE.enhanceYourCalm, 'too many settings');
    }
    let windowBytes = this.#initialWindow;
    for (let at = 0; at < payload.length; at += SETTING_BYTES) {
      const id = (payload[at]! << 8) | payload[at + 1]!;
      const value = uint32At(payload, at + 2);
      const fault = settingFault(id, value);
      if (fault !== undefined) return this.#fail(fault, 'a setting is out of range');
      if (id === SETTING.initialWindowSize) windowBytes = value;
    }
    const more = windowBytes - this.#initialWindow;
    this.#initialWindow = windowBytes;
    for (const stream of more === 0 ? [] : this.#streams.values()) {
      if (!stream.widen(more)) {
        return this.#fail(ERROR_CODE.flowControlError, 'the window is too large');
      }
      if (stream.isWaiting) this.#blocked.add(stream);
    }
    this.send(encodeFrame(FRAME.settings, FLAG.ack, 0, EMPTY_BYTES));
    this.#pumpAll();
  }

  #onPing(): void {
    const { payload, flags, streamId } = this.#reader;
    if (streamId !== 0) return this.#fail(ERROR_CODE.protocolError, 'PING on a stream');
    if (payload.length !== 8) return this.#fail(ERROR_CODE.frameSizeError, 'PING');
    if ((flags & FLAG.ack) !== 0) {
      this.#pings.shift()?.();
      return;
    }
    this.send(encodeFrame(FRAME.ping, FLAG.ack, 0, payload));
    this.#options.onPing?.();
  }

  #onWindowUpdate(): void {
    const { payload, streamId } = this.#reader;
    if (payload.length !== 4) return this.#fail(ERROR_CODE.frameSizeError, 'WINDOW_UPDATE');
    const bytes = uint32At(payload, 0) & 0x7fff_ffff;
    if (streamId === 0) {
      this.#sendWindow += bytes;
      if (bytes === 0) return this.#fail(ERROR_CODE.protocolError, 'an update by nothing');
      if (this.#sendWindow >= 2 ** 31) {
        return this.#fail(ERROR_CODE.flowControlError, 'the window is too large');
      }
      return this.#pumpAll();
    }
    if (streamId > this.#lastStreamId) {
      return this.#fail(ERROR_CODE.protocolError, 'update of no stream');
    }
    const stream = this.#streams.get(streamId);
    if (stream === undefined) return;
    if (bytes === 0) return this.#resetFaulty(stream, ERROR_CODE.protocolError);
    if (!stream.widen(bytes)) return this.#resetFaulty(stream, ERROR_CODE.flowControlError);
    if (!stream.isWaiting) return;
    this.#blocked.add(stream);
    this.#pumpAll();
  }

  /**
   * One frame of each in turns, until the window or the socket is full. Whoever has more goes
   * behind the others, and comes up again in the same loop.
   */
  #pumpAll(): void {
    for (const stream of this.#blocked) {
      if (this.budgetBytes <= 0) return;
      this.#blocked.delete(stream);
      if (!stream.pump(1)) stream.tellWritable();
      if (stream.isWaiting) this.#blocked.add(stream);
    }
  }

  #goAway(code: ErrorCode, reason: string): void {
    const payload = new Uint8Array(8 + reason.length);
    putUint32(payload, putUint32(payload, 0, this.#lastStreamId), code);
    for (let at = 0; at < reason.length; at++) payload[8 + at] = reason.charCodeAt(at);
    this.send(encodeFrame(FRAME.goAway, 0, 0, payload));
  }

  #endIfDone(): void {
    if (this.#streams.size > 0 || this.#phase === 'closed') return;
    this.#output.end();
    this.#over(undefined);
  }

  #fail(code: ErrorCode, reason: string): void {
    if (this.#phase === 'closed') return;
    this.#goAway(code, reason);
    this.#output.end();
    this.#over(reason);
  }

  #over(fault: string | undefined): void {
    this.#phase = 'closed';
    for (const stream of [...this.#streams.values()]) stream.lost(ERROR_CODE.cancel);
    this.#options.onClose(fault);
  }
}

/** Fields behind a request's body say nothing to anybody here, but must be in order. */
function trailersFault(
  stream: Http2Stream,
  fields: readonly HeaderField[] | undefined,
  isEnd: boolean,
): ErrorCode | undefined {
  if (stream.isRequestWhole) return ERROR_CODE.streamClosed;
  const isWrong = fields?.some(([name, value]) => fieldFault(name, value) !== undefined) ?? true;
  return isEnd && !isWrong ? undefined : ERROR_CODE.protocolError;
}

/** RFC 9113, section 6.5.2. */
function settingFault(id: number, value: number): ErrorCode | undefined {
  switch (id) {
    case SETTING.enablePush:
      return value > 1 ? ERROR_CODE.protocolError : undefined;
    case SETTING.initialWindowSize:
      return value >= 2 ** 31 ? ERROR_CODE.flowControlError : undefined;
    case SETTING.maxFrameSize:
      return value < 2 ** 14 || value >= 2 ** 24 ? ERROR_CODE.protocolError : undefined;
    default:
      return undefined;
  }
}

/** Undefined: there is less than the padding. */
function unpadded(payload: Uint8Array, flags: number): Uint8Array | undefined {
  if ((flags & FLAG.padded) === 0) return payload;
  const end = payload.length - (payload[0] ?? payload.length);
  return end < 1 ? undefined : payload.subarray(1, end);
}

function encodeSettings(settings: readonly (readonly [id: number, value: number])[]): Uint8Array {
  const payload = new Uint8Array(settings.length * SETTING_BYTES);
  for (const [place, [id, value]] of settings.entries()) {
    payload[place * SETTING_BYTES] = id >>> 8;
    payload[place * SETTING_BYTES + 1] = id;
    putUint32(payload, place * SETTING_BYTES + 2, value);
  }
  return encodeFrame(FRAME.settings, 0, 0, payload);
}

const PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';
const DEFAULT_WINDOW_BYTES = 65_535;
const SETTING_BYTES = 6;
const PRIORITY_BYTES = 5;
const PING_PAYLOAD = new Uint8Array(8);
/**
 * Answers to pings and settings, headers, trailers, resets and updates that a client may leave
 * unread; beyond, the connection is closed.
 */
const REPLY_BYTES_MAX = 4 * 1024 * 1024;
/** What a piece of bytes takes beside them. */
const PIECE_BYTES = 64;
/** The client's; beyond, the connection is closed. */
const SETTINGS_LIMIT = { burst: 1_000, perS: 10 };
