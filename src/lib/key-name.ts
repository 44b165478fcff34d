/**
 * Keys as strings of one character per byte ("names"). JavaScript compares such strings exactly
 * as etcd compares the bytes, and a Map hashes them by content.
 */

/** Longest piece turned into characters in one call; engines bound the argument count. */
const PIECE_BYTES_MAX = 4096;

/** One character per byte of `key`. */
export function nameOf(key: Uint8Array): string {
  if (key.length <= PIECE_BYTES_MAX) return charactersOf(key);
  const pieces: string[] = [];
  for (let at = 0; at < key.length; at += PIECE_BYTES_MAX) {
    pieces.push(charactersOf(key.subarray(at, at + PIECE_BYTES_MAX)));
  }
  return pieces.join('');
}

/** A quarter of the time of spreading the bytes into the call. */
function charactersOf(bytes: Uint8Array): string {
  return Reflect.apply(String.fromCharCode, undefined, bytes);
}
