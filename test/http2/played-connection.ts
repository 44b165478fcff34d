import { Http2Connection, type Http2Limits } from '../../src/http2/connection.ts';
import type { ErrorCode } from '../../src/http2/frame.ts';
import { encodeHeaders } from '../../src/http2/hpack-encoder.ts';
import type { Http2Transport } from '../../src/http2/output.ts';
import type { Http2Stream, StreamHandler } from '../../src/http2/stream.ts';
import { FLAG, FRAME_TYPE, frame, headerBlock, PREFACE } from '../api/raw-http2.ts';

/** A connection without a socket: the test writes frames, and looks at those that come back. */

export const LIMITS: Http2Limits = {
  concurrentStreamsMax: 8,
  streamWindowBytes: 65_535,
  connectionWindowBytes: 131_072,
  headerListBytesMax: 4_096,
  resets: { burst: 20, perS: 1 },
  refusedMax: 5,
};

export const OK_HEADERS: Uint8Array = encodeHeaders([[':status', '200']]);
export const TRAILERS: Uint8Array = encodeHeaders([['grpc-status', '0']]);
export const SETTINGS: Buffer = frame(FRAME_TYPE.settings, 0, 0);

class MemoryTransport implements Http2Transport {
  bytes: Buffer = Buffer.alloc(0);
  isEnded = false;
  unsentBytes = 0;
  /** It takes bytes, but says that it has enough. */
  isStuck = false;

  write(bytes: Uint8Array): boolean {
    if (this.isEnded) throw new Error('written behind the end');
    this.bytes = Buffer.concat([this.bytes, bytes]);
    if (!this.isStuck) return true;
    this.unsentBytes += bytes.length;
    return false;
  }

  end(): void {
    this.isEnded = true;
  }
}

/** Keeps what a request is told. */
export class Told implements StreamHandler {
  readonly stream: Http2Stream;
  readonly events: string[] = [];
  dataBytes = 0;

  constructor(stream: Http2Stream) {
    this.stream = stream;
    stream.handler = this;
  }

  onData(bytes: Uint8Array): void {
    this.dataBytes += bytes.length;
    this.events.push(`data ${bytes.length}`);
  }

  onEnd(): void {
    this.events.push('end');
  }

  onWritable(): void {
    this.events.push('writable');
  }

  onClose(code: ErrorCode | undefined): void {
    this.events.push(`close ${code}`);
  }
}

export interface SentFrame {
  readonly type: number;
  readonly flags: number;
  readonly streamId: number;
  readonly payload: Buffer;
}

export class PlayedConnection {
  readonly transport: MemoryTransport = new MemoryTransport();
  readonly http2: Http2Connection;
  readonly requests: Told[] = [];
  readonly faults: (string | undefined)[] = [];
  readonly bugs: unknown[] = [];
  pings = 0;
  nowNs = 0;
  onRequest: (told: Told) => void = () => undefined;
  #deferred: (() => void)[] = [];
  #readAt = 0;

  constructor(limits: Partial<Http2Limits> = {}) {
    this.http2 = new Http2Connection({
      transport: this.transport,
      limits: { ...LIMITS, ...limits },
      clock: { nowNs: () => this.nowNs },
      defer: (callback) => this.#deferred.push(callback),
      onRequest: (stream) => {
        const told = new Told(stream);
        this.requests.push(told);
        this.onRequest(told);
      },
      onPing: () => {
        this.pings += 1;
      },
      onBug: (cause) => this.bugs.push(cause),
      onClose: (fault) => this.faults.push(fault),
    });
  }

  /** The client's bytes, and then the end of the turn. */
  send(...parts: readonly Uint8Array[]): void {
    this.http2.receive(Uint8Array.from(Buffer.concat(parts)));
    this.settle();
  }

  settle(): void {
    for (const callback of this.#deferred.splice(0)) callback();
  }

  /** The socket takes all that it has. */
  drain(): void {
    this.transport.unsentBytes = 0;
    this.http2.drained();
    this.settle();
  }

  /** Frames that were sent since the last call. */
  take(): SentFrame[] {
    this.settle();
    const frames: SentFrame[] = [];
    const { bytes } = this.transport;
    while (this.#readAt + 9 <= bytes.length) {
      const end = this.#readAt + 9 + bytes.readUIntBE(this.#readAt, 3);
      const head = bytes.subarray(this.#readAt, this.#readAt + 9);
      const payload = bytes.subarray(this.#readAt + 9, end);
      frames.push({ type: head[3]!, flags: head[4]!, streamId: head.readUInt32BE(5), payload });
      this.#readAt = end;
    }
    return frames;
  }

  /** In short words. */
  takeWords(): string[] {
    return this.take().map(wordsOf);
  }
}

/** With the preface and the settings behind it. */
export function openConnection(limits: Partial<Http2Limits> = {}): PlayedConnection {
  const played = new PlayedConnection(limits);
  played.send(PREFACE, SETTINGS);
  played.take();
  return played;
}

const NAMES = Object.fromEntries(Object.entries(FRAME_TYPE).map(([name, type]) => [type, name]));

function wordsOf({ type, flags, streamId, payload }: SentFrame): string {
  const end = (flags & FLAG.endStream) !== 0 ? ' end' : '';
  const words = `${NAMES[type]} ${streamId}`;
  switch (type) {
    case FRAME_TYPE.data:
      return `${words} ${payload.length}${end}`;
    case FRAME_TYPE.headers:
      return words + end;
    case FRAME_TYPE.rstStream:
    case FRAME_TYPE.windowUpdate:
      return `${words} ${payload.readUInt32BE(0)}`;
    case FRAME_TYPE.goaway:
      return `${words} ${payload.readUInt32BE(0)} ${payload.readUInt32BE(4)} ${payload.subarray(8)}`;
    default:
      return (flags & FLAG.ack) !== 0 ? `${words} ack` : words;
  }
}

export const REQUEST_FIELDS = {
  ':method': 'POST',
  ':scheme': 'http',
  ':path': '/a',
  ':authority': 'http://a/b',
} as const;

export function request(
  streamId: number,
  { end = false, fields = {} }: { end?: boolean; fields?: Record<string, string> } = {},
): Buffer {
  const block = headerBlock({ ...REQUEST_FIELDS, ...fields });
  return frame(FRAME_TYPE.headers, FLAG.endHeaders | (end ? FLAG.endStream : 0), streamId, block);
}

export function data(streamId: number, sizeBytes: number, end = false): Buffer {
  return frame(FRAME_TYPE.data, end ? FLAG.endStream : 0, streamId, new Uint8Array(sizeBytes));
}

export function numberFrame(type: number, streamId: number, value: number): Buffer {
  const payload = Buffer.alloc(4);
  payload.writeUInt32BE(value);
  return frame(type, 0, streamId, payload);
}

export function windowUpdate(streamId: number, bytes: number): Buffer {
  return numberFrame(FRAME_TYPE.windowUpdate, streamId, bytes);
}

export function reset(streamId: number, code = 8): Buffer {
  return numberFrame(FRAME_TYPE.rstStream, streamId, code);
}

export function settings(...pairs: readonly (readonly [id: number, value: number])[]): Buffer {
  const payload = Buffer.alloc(pairs.length * 6);
  for (const [place, [id, value]] of pairs.entries()) {
    payload.writeUInt16BE(id, place * 6);
    payload.writeUInt32BE(value, place * 6 + 2);
  }
  return frame(FRAME_TYPE.settings, 0, 0, payload);
}
