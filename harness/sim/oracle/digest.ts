/** Whole stores compared by one number: a sum over the key-values, so that changes are cheap. */
import type { KeyValue } from '../../../src/mvcc/request.ts';

const WORD = 2 ** 32;
/** Any two different numbers: each gives a hash that knows nothing of the other. */
const SEEDS = [0x2545f491, 0x6c078965] as const;

/** A set of key-values as 53 bits, whatever the order in which they were added. */
export class Digest {
  #low = 0;
  #high = 0;

  get value(): number {
    return (this.#high >>> 11) * WORD + (this.#low >>> 0);
  }

  add(kv: KeyValue): void {
    this.#low = (this.#low + hashOf(kv, SEEDS[0])) | 0;
    this.#high = (this.#high + hashOf(kv, SEEDS[1])) | 0;
  }

  /** What was added before. */
  remove(kv: KeyValue): void {
    this.#low = (this.#low - hashOf(kv, SEEDS[0])) | 0;
    this.#high = (this.#high - hashOf(kv, SEEDS[1])) | 0;
  }
}

/** Every field counts, the bytes of key and value with their lengths. */
function hashOf(kv: KeyValue, seed: number): number {
  let hash = mixBytes(seed, kv.key);
  hash = mixBytes(hash, kv.value);
  hash = mixNumber(hash, kv.createRevision);
  hash = mixNumber(hash, kv.modRevision);
  hash = mixNumber(hash, kv.version);
  // Hardly any key has a lease, and arithmetic on big integers is slow.
  if (kv.lease !== 0n) hash = mixNumber(hash, Number(BigInt.asUintN(53, kv.lease)));
  return mix(hash, hash >>> 16);
}

function mixBytes(hash: number, bytes: Uint8Array): number {
  let mixed = mix(hash, bytes.length);
  for (let at = 0; at < bytes.length; at++) mixed = mix(mixed, bytes[at]!);
  return mixed;
}

function mixNumber(hash: number, value: number): number {
  return mix(mix(hash, value | 0), Math.floor(value / WORD));
}

function mix(hash: number, word: number): number {
  const mixed = Math.imul(hash ^ word, 0x9e3779b1);
  return mixed ^ (mixed >>> 15);
}
