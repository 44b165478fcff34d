import { EMPTY_BYTES } from '../lib/bytes.ts';
import { FRAME_HEAD_BYTES, FRAME_PAYLOAD_BYTES_MAX, uint32At } from './frame.ts';

/** Cuts a byte stream into frames, however the chunks fall. Its fields tell of the last one. */
export class FrameReader {
  type = 0;
  flags = 0;
  streamId = 0;
  /** A view into a chunk. */
  payload: Uint8Array = EMPTY_BYTES;
  #bytes: Uint8Array = EMPTY_BYTES;
  #at = 0;

  push(chunk: Uint8Array): void {
    const restBytes = this.#bytes.length - this.#at;
    if (restBytes === 0) {
      this.#bytes = chunk;
    } else {
      const joined = new Uint8Array(restBytes + chunk.length);
      joined.set(this.#bytes.subarray(this.#at));
      joined.set(chunk, restBytes);
      this.#bytes = joined;
    }
    this.#at = 0;
  }

  /** The next bytes, which are no frame; undefined: not all are here. */
  take(lengthBytes: number): Uint8Array | undefined {
    const end = this.#at + lengthBytes;
    if (end > this.#bytes.length) return undefined;
    const taken = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return taken;
  }

  next(): 'frame' | 'partial' | 'tooLong' {
    const at = this.#at;
    const bytes = this.#bytes;
    if (bytes.length - at < FRAME_HEAD_BYTES) return 'partial';
    const lengthBytes = (bytes[at]! << 16) | (bytes[at + 1]! << 8) | bytes[at + 2]!;
    if (lengthBytes > FRAME_PAYLOAD_BYTES_MAX) return 'tooLong';
    const start = at + FRAME_HEAD_BYTES;
    if (bytes.length - start < lengthBytes) return 'partial';
    this.type = bytes[at + 3]!;
    this.flags = bytes[at + 4]!;
    this.streamId = uint32At(bytes, at + 5) & 0x7fff_ffff;
    this.payload = bytes.subarray(start, start + lengthBytes);
    this.#at = start + lengthBytes;
    return 'frame';
  }
}
