/**
 * Room for small messages, many to an allocation: an ArrayBuffer of its own costs more than most
 * messages take to be written, and as much again to be freed. No byte is given out twice; a chunk
 * lives as long as the longest-lived message in it.
 */

const CHUNK_BYTES = 65_536;
/** More than this gets an array of its own, lest chunks end with much unused. */
const SMALL_BYTES_MAX = 4_096;

let chunk = new Uint8Array(0);
let usedBytes = 0;

/** As `new Uint8Array(sizeBytes)`, but in general a view into something larger. */
export function allocateBytes(sizeBytes: number): Uint8Array {
  if (sizeBytes > SMALL_BYTES_MAX) return new Uint8Array(sizeBytes);
  if (usedBytes + sizeBytes > chunk.length) {
    chunk = new Uint8Array(CHUNK_BYTES);
    usedBytes = 0;
  }
  const start = usedBytes;
  usedBytes += sizeBytes;
  return chunk.subarray(start, usedBytes);
}
