/**
 * HTTP/2's frames (RFC 9113, section 4). All numbers are big-endian:
 *
 *   frame = length u24, type u8, flags u8, stream u32 (top bit ignored), payload
 */

export const FRAME_HEAD_BYTES = 9;
/** What every peer takes, and all that ours may send: none is asked to take more. */
export const FRAME_PAYLOAD_BYTES_MAX = 16_384;

export const FRAME = {
  data: 0,
  headers: 1,
  priority: 2,
  rstStream: 3,
  settings: 4,
  pushPromise: 5,
  ping: 6,
  goAway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const;

export const FLAG = { endStream: 1, ack: 1, endHeaders: 4, padded: 8, priority: 0x20 } as const;

export const SETTING = {
  headerTableSize: 1,
  enablePush: 2,
  maxConcurrentStreams: 3,
  initialWindowSize: 4,
  maxFrameSize: 5,
  maxHeaderListSize: 6,
} as const;

/** RFC 9113, section 7. */
export const ERROR_CODE = {
  noError: 0,
  protocolError: 1,
  internalError: 2,
  flowControlError: 3,
  streamClosed: 5,
  frameSizeError: 6,
  refusedStream: 7,
  cancel: 8,
  compressionError: 9,
  enhanceYourCalm: 11,
} as const;

export type ErrorCode = (typeof ERROR_CODE)[keyof typeof ERROR_CODE];

/** Returns where the payload begins. */
export function putFrameHead(
  bytes: Uint8Array,
  at: number,
  head: { readonly length: number; readonly type: number; readonly flags: number },
  streamId: number,
): number {
  bytes[at] = head.length >>> 16;
  bytes[at + 1] = head.length >>> 8;
  bytes[at + 2] = head.length;
  bytes[at + 3] = head.type;
  bytes[at + 4] = head.flags;
  return putUint32(bytes, at + 5, streamId);
}

/** Returns where it ends. */
export function putUint32(bytes: Uint8Array, at: number, value: number): number {
  bytes[at] = value >>> 24;
  bytes[at + 1] = value >>> 16;
  bytes[at + 2] = value >>> 8;
  bytes[at + 3] = value;
  return at + 4;
}

export function uint32At(bytes: Uint8Array, at: number): number {
  return (
    ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0
  );
}

export function encodeFrame(
  type: number,
  flags: number,
  streamId: number,
  payload: Uint8Array,
): Uint8Array {
  const frame = new Uint8Array(FRAME_HEAD_BYTES + payload.length);
  const at = putFrameHead(frame, 0, { length: payload.length, type, flags }, streamId);
  frame.set(payload, at);
  return frame;
}

/** A frame whose payload is one number: RST_STREAM, WINDOW_UPDATE. */
export function encodeNumberFrame(type: number, streamId: number, value: number): Uint8Array {
  const frame = new Uint8Array(FRAME_HEAD_BYTES + 4);
  putUint32(frame, putFrameHead(frame, 0, { length: 4, type, flags: 0 }, streamId), value);
  return frame;
}

/** Of a header block of any length, which takes more frames than one beyond a frame's payload. */
export function encodeHeaderFrames(
  streamId: number,
  block: Uint8Array,
  options: { readonly isEnd: boolean },
): Uint8Array {
  const end = options.isEnd ? FLAG.endStream : 0;
  if (block.length <= FRAME_PAYLOAD_BYTES_MAX) {
    return encodeFrame(FRAME.headers, end | FLAG.endHeaders, streamId, block);
  }
  const count = Math.ceil(block.length / FRAME_PAYLOAD_BYTES_MAX);
  const frames = new Uint8Array(block.length + count * FRAME_HEAD_BYTES);
  let at = 0;
  for (let place = 0; place < count; place++) {
    const start = place * FRAME_PAYLOAD_BYTES_MAX;
    const part = block.subarray(start, start + FRAME_PAYLOAD_BYTES_MAX);
    const type = place === 0 ? FRAME.headers : FRAME.continuation;
    const flags = (place === 0 ? end : 0) | (place === count - 1 ? FLAG.endHeaders : 0);
    at = putFrameHead(frames, at, { length: part.length, type, flags }, streamId);
    frames.set(part, at);
    at += part.length;
  }
  return frames;
}
