import { assert } from '../lib/assert.ts';

/** A frame is a u32 little-endian length and that many bytes: one encoded peer message. */
export const FRAME_BYTES_MAX: number = 64 * 1024 * 1024;
const HEADER_BYTES = 4;

/** All in one piece: copying costs less than a system call with many. */
export function encodeFrames(payloads: readonly Uint8Array[]): Buffer {
  let sizeBytes = 0;
  for (const payload of payloads) sizeBytes += HEADER_BYTES + payload.length;
  const frames = Buffer.allocUnsafe(sizeBytes);
  let at = 0;
  for (const payload of payloads) {
    assert(payload.length <= FRAME_BYTES_MAX, `a frame of ${payload.length} bytes is too long`);
    at = frames.writeUInt32LE(payload.length, at);
    frames.set(payload, at);
    at += payload.length;
  }
  return frames;
}

/** Cuts a byte stream into frames, however the chunks fall. */
export class FrameReader {
  #chunks: Buffer[] = [];
  #bufferedBytes = 0;

  push(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#bufferedBytes += chunk.length;
  }

  /** The next whole frame; undefined: more bytes are needed; 'too-long': give the stream up. */
  next(): Buffer | undefined | 'too-long' {
    if (this.#bufferedBytes < HEADER_BYTES) return undefined;
    const lengthBytes = this.#head(HEADER_BYTES).readUInt32LE(0);
    if (lengthBytes > FRAME_BYTES_MAX) return 'too-long';
    if (this.#bufferedBytes < HEADER_BYTES + lengthBytes) return undefined;
    this.take(HEADER_BYTES);
    return this.take(lengthBytes);
  }

  /** The next `lengthBytes` (≤ buffered) as one buffer. */
  take(lengthBytes: number): Buffer {
    const head = this.#head(lengthBytes);
    const taken = head.subarray(0, lengthBytes);
    const rest = head.subarray(lengthBytes);
    if (rest.length > 0) this.#chunks[0] = rest;
    else this.#chunks.shift();
    this.#bufferedBytes -= lengthBytes;
    return taken;
  }

  /** What has arrived and belongs to no frame taken so far. */
  takeRest(): Buffer {
    return this.#bufferedBytes === 0 ? Buffer.alloc(0) : this.take(this.#bufferedBytes);
  }

  /** Makes the first chunk hold at least `lengthBytes`. */
  #head(lengthBytes: number): Buffer {
    const first = this.#chunks[0];
    if (first !== undefined && first.length >= lengthBytes) return first;
    if (lengthBytes === 0) {
      const empty = Buffer.alloc(0);
      this.#chunks.unshift(empty);
      return empty;
    }
    const joined = Buffer.concat(this.#chunks);
    this.#chunks = [joined];
    return joined;
  }
}
