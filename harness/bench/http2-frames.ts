/**
 * The little of HTTP/2 (RFC 9113) that a load generator needs: frames out and in. It stands in
 * for node:http2, whose client costs more than the servers that are to be measured.
 */

export const FRAME_HEADER_BYTES = 9;

export const FRAME = {
  data: 0,
  headers: 1,
  reset: 3,
  settings: 4,
  ping: 6,
  goAway: 7,
  windowUpdate: 8,
} as const;

export const FLAG = { ack: 0x1, endStream: 0x1, endHeaders: 0x4, padded: 0x8, priority: 0x20 };

export const SETTING = { headerTableSize: 1, streamsMax: 3, initialWindow: 4 } as const;

/** What both ends start with. */
export const INITIAL_WINDOW_BYTES = 65_535;
/** The largest window there is: never in the way of an answer. */
export const WINDOW_BYTES_MAX = 2_147_483_647;
/** Frames of more are refused by servers that were not told otherwise. */
export const FRAME_BYTES_MAX = 16_384;
const LARGEST_FRAME_BYTES = 0xff_ffff;

const PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';

export interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly streamId: number;
  readonly payload: Buffer;
}

export function writeFrameHeader(
  into: Buffer,
  at: number,
  { lengthBytes, type, flags, streamId }: FrameHead,
): number {
  into[at] = lengthBytes >>> 16;
  into[at + 1] = (lengthBytes >>> 8) & 0xff;
  into[at + 2] = lengthBytes & 0xff;
  into[at + 3] = type;
  into[at + 4] = flags;
  into.writeUInt32BE(streamId, at + 5);
  return at + FRAME_HEADER_BYTES;
}

export interface FrameHead {
  readonly lengthBytes: number;
  readonly type: number;
  readonly flags: number;
  readonly streamId: number;
}

export function frame(type: number, flags: number, streamId: number, payload: Uint8Array): Buffer {
  const bytes = Buffer.alloc(FRAME_HEADER_BYTES + payload.length);
  const head = { lengthBytes: payload.length, type, flags, streamId };
  bytes.set(payload, writeFrameHeader(bytes, 0, head));
  return bytes;
}

/**
 * What a client says first. The server may keep no table of header fields: then the same trailers
 * are the same bytes every time. Windows are as large as can be.
 */
export function clientGreeting(): Buffer {
  const settings = Buffer.alloc(12);
  settings.writeUInt16BE(SETTING.headerTableSize, 0);
  settings.writeUInt16BE(SETTING.initialWindow, 6);
  settings.writeUInt32BE(WINDOW_BYTES_MAX, 8);
  return Buffer.concat([
    Buffer.from(PREFACE, 'latin1'),
    frame(FRAME.settings, 0, 0, settings),
    windowUpdate(WINDOW_BYTES_MAX - INITIAL_WINDOW_BYTES),
  ]);
}

/** Of the whole connection. */
export function windowUpdate(addedBytes: number): Buffer {
  const payload = Buffer.alloc(4);
  payload.writeUInt32BE(addedBytes);
  return frame(FRAME.windowUpdate, 0, 0, payload);
}

/** Cuts a byte stream into frames, however the chunks fall. */
export class FrameReader {
  #rest: Buffer | undefined;

  /** Calls back for every frame that is whole now; its payload is a view into the chunk. */
  read(chunk: Buffer, onFrame: (frame: Frame) => void): void {
    const bytes = this.#rest === undefined ? chunk : Buffer.concat([this.#rest, chunk]);
    let at = 0;
    while (bytes.length - at >= FRAME_HEADER_BYTES) {
      const lengthBytes = bytes.readUIntBE(at, 3);
      const start = at + FRAME_HEADER_BYTES;
      if (bytes.length - start < lengthBytes) break;
      const end = start + lengthBytes;
      const streamId = bytes.readUInt32BE(at + 5) & 0x7fff_ffff;
      const payload = bytes.subarray(start, end);
      onFrame({ type: bytes[at + 3]!, flags: bytes[at + 4]!, streamId, payload });
      at = end;
    }
    this.#rest = at === bytes.length ? undefined : bytes.subarray(at);
    if ((this.#rest?.length ?? 0) > LARGEST_FRAME_BYTES) throw new Error('a frame without an end');
  }
}
