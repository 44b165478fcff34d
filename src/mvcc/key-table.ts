/** The keys that have retained changes, numbered: columns outside the heap, bytes in slabs. */
import { assert } from '../lib/assert.ts';
import { NO_ROW, type RowId } from './revision-chunk.ts';
import { Slabs } from './slabs.ts';

/** Number of a key, from 1; given to another key after it was removed. */
export type KeyId = number;

/** No such key. */
export const NO_KEY: KeyId = 0;

const CHUNK_BITS = 10;
const CHUNK_KEYS = 1 << CHUNK_BITS;
const CHUNK_MASK = CHUNK_KEYS - 1;
/** Numbers are 32 bits wide in the indexes. */
const KEYS_MAX = 2 ** 32 - 1;

/**
 * A key's record is 24 bytes in a row, so that all of it is read with one miss of the cache: its
 * newest row (64 bits), then 32 bits each of hash, address, length, and whether that row is
 * something else than a tombstone. The hash of a number that is free is the next free one.
 */
const RECORD_BYTES = 24;
const WIDE_PER_RECORD = RECORD_BYTES / 8;
const NARROW_PER_RECORD = RECORD_BYTES / 4;
const HASH = 2;
const ADDRESS = 3;
const LENGTH = 4;
const LIVE = 5;

/** How many different bytes there are, and the end of a key, which sorts first. */
export const BYTE_OR_END = 257;

interface KeyChunk {
  readonly wide: Float64Array;
  readonly narrow: Uint32Array;
}

/** Grows by chunks; chunks are never given back, their numbers are used again. */
export class KeyTable {
  readonly #chunks: KeyChunk[] = [];
  readonly #slabs = new Slabs();
  #firstFree: KeyId = NO_KEY;
  /** All numbers from here on were never used. */
  #unused: KeyId = NO_KEY + 1;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** Every key's number is below. */
  get idsEnd(): KeyId {
    return this.#unused;
  }

  get slabs(): Slabs {
    return this.#slabs;
  }

  get allocatedBytes(): number {
    return this.#slabs.allocatedBytes + this.#chunks.length * CHUNK_KEYS * RECORD_BYTES;
  }

  add(key: Uint8Array, hash: number): KeyId {
    let id = this.#firstFree;
    if (id !== NO_KEY) this.#firstFree = this.hash(id);
    else {
      id = this.#unused++;
      assert(id <= KEYS_MAX, 'more keys than can be numbered');
      if (id >>> CHUNK_BITS === this.#chunks.length) this.#chunks.push(newChunk());
    }
    const { narrow } = this.#of(id);
    const at = narrowAt(id);
    narrow[at + HASH] = hash;
    narrow[at + ADDRESS] = this.#slabs.add(key);
    narrow[at + LENGTH] = key.length;
    this.setNewest(id, NO_ROW, false);
    this.#size++;
    return id;
  }

  remove(id: KeyId): void {
    const { narrow } = this.#of(id);
    const at = narrowAt(id);
    this.#slabs.free(narrow[at + ADDRESS]!, narrow[at + LENGTH]!);
    narrow[at + LENGTH] = 0;
    narrow[at + HASH] = this.#firstFree;
    this.setNewest(id, NO_ROW, false);
    this.#firstFree = id;
    this.#size--;
  }

  hash(id: KeyId): number {
    return this.#of(id).narrow[narrowAt(id) + HASH]!;
  }

  lengthBytes(id: KeyId): number {
    return this.#of(id).narrow[narrowAt(id) + LENGTH]!;
  }

  newest(id: KeyId): RowId {
    return this.#of(id).wide[(id & CHUNK_MASK) * WIDE_PER_RECORD]!;
  }

  isLive(id: KeyId): boolean {
    return this.#of(id).narrow[narrowAt(id) + LIVE] === 1;
  }

  setNewest(id: KeyId, row: RowId, isLive: boolean): void {
    const { wide, narrow } = this.#of(id);
    wide[(id & CHUNK_MASK) * WIDE_PER_RECORD] = row;
    narrow[narrowAt(id) + LIVE] = Number(isLive);
  }

  /** The key without copying it; see {@link Slabs.view}. */
  bytes(id: KeyId): Uint8Array {
    const { narrow } = this.#of(id);
    const at = narrowAt(id);
    return this.#slabs.view(narrow[at + ADDRESS]!, narrow[at + LENGTH]!);
  }

  /** The key's byte `at`; −1 after its end, which sorts first. */
  byteAt(id: KeyId, at: number): number {
    const { narrow } = this.#of(id);
    const record = narrowAt(id);
    if (at >= narrow[record + LENGTH]!) return -1;
    return this.#slabs.byteAt(narrow[record + ADDRESS]!, at);
  }

  /** Three bytes from position `from` on as one number, which sorts as {@link byteAt} does. */
  threeBytesAt(id: KeyId, from: number): number {
    const { narrow } = this.#of(id);
    const record = narrowAt(id);
    const address = narrow[record + ADDRESS]!;
    const end = Math.min(narrow[record + LENGTH]!, from + 3);
    let number = 0;
    for (let at = from; at < end; at++) {
      number = number * BYTE_OR_END + this.#slabs.byteAt(address, at) + 1;
    }
    for (let at = Math.max(from, end); at < from + 3; at++) number *= BYTE_OR_END;
    return number;
  }

  /** How many bytes from position `from` on two keys have in common; before it, all. */
  sharedBytes(a: KeyId, b: KeyId, from: number): number {
    const [left, right] = [this.bytes(a), this.bytes(b)];
    const end = Math.min(left.length, right.length);
    let at = from;
    while (at < end && left[at] === right[at]) at++;
    return at - from;
  }

  /** Negative, zero or positive as the key sorts before, with or after `other`. */
  compare(id: KeyId, other: Uint8Array): number {
    const { narrow } = this.#of(id);
    const at = narrowAt(id);
    return this.#slabs.compare(narrow[at + ADDRESS]!, narrow[at + LENGTH]!, other);
  }

  /** Out of a sparse slab, if it is in one; tells the bytes that were copied. */
  relocate(id: KeyId): number {
    const { narrow } = this.#of(id);
    const at = narrowAt(id);
    const lengthBytes = narrow[at + LENGTH]!;
    const old = narrow[at + ADDRESS]!;
    const moved = this.#slabs.moved(old, lengthBytes);
    narrow[at + ADDRESS] = moved;
    return moved === old ? 0 : lengthBytes;
  }

  #of(id: KeyId): KeyChunk {
    return this.#chunks[id >>> CHUNK_BITS]!;
  }
}

function narrowAt(id: KeyId): number {
  return (id & CHUNK_MASK) * NARROW_PER_RECORD;
}

function newChunk(): KeyChunk {
  const buffer = new ArrayBuffer(CHUNK_KEYS * RECORD_BYTES);
  return { wide: new Float64Array(buffer), narrow: new Uint32Array(buffer) };
}
