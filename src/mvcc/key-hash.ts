/**
 * Keys by content: extendible hashing. The low bits of a hash choose a segment of slots, which
 * is split alone when it gets full, so that growing never costs more than one segment.
 */
import { assert } from '../lib/assert.ts';
import { type KeyId, type KeyTable, NO_KEY } from './key-table.ts';

const SEGMENT_BITS = 11;
/** Beyond it a full segment doubles instead: only keys made to collide get that far. */
const DEPTH_MAX = 16;

interface Segment {
  /**
   * Pairs of a key's number, 0: free, and its hash, so that only a key whose hash is the same is
   * looked at. Linear probing from the hash's high bits.
   */
  slots: Uint32Array;
  /** The slot of a hash is `hash >>> shift`. */
  shift: number;
  /** Low bits that all hashes of the segment share. */
  readonly depth: number;
  size: number;
}

export class KeyHash {
  readonly #keys: KeyTable;
  readonly #seed: number;
  /** By the low `#depth` bits of the hash; a segment is in it 2^(#depth − its depth) times. */
  #directory: Segment[] = [newSegment(0)];
  #depth = 0;

  /** With a secret `seed` nobody can choose keys that collide. Answers do not depend on it. */
  constructor(keys: KeyTable, seed: number) {
    this.#keys = keys;
    this.#seed = seed;
  }

  get allocatedBytes(): number {
    let bytes = 0;
    for (const segment of new Set(this.#directory)) bytes += segment.slots.byteLength;
    return bytes;
  }

  hashOf(key: Uint8Array): number {
    return hashBytes(key, this.#seed);
  }

  /** The key's number, or {@link NO_KEY}. */
  find(key: Uint8Array, hash: number): KeyId {
    const { slots, shift } = this.#segmentOf(hash);
    const mask = slots.length - 1;
    for (let at = (hash >>> shift) * 2; ; at = (at + 2) & mask) {
      const id = slots[at]!;
      if (id === NO_KEY) return NO_KEY;
      if (slots[at + 1] === hash && this.#keys.compare(id, key) === 0) return id;
    }
  }

  /** Adds a key that is not there. */
  add(id: KeyId): void {
    const hash = this.#keys.hash(id);
    let segment = this.#segmentOf(hash);
    while (segment.size * 2 >= segment.slots.length * 0.75) {
      if (segment.depth < DEPTH_MAX) this.#split(segment, hash);
      else this.#double(segment);
      segment = this.#segmentOf(hash);
    }
    insert(segment, id, hash);
  }

  /** Takes out a key that is there. */
  remove(id: KeyId): void {
    const hash = this.#keys.hash(id);
    const segment = this.#segmentOf(hash);
    const { slots, shift } = segment;
    const mask = slots.length - 1;
    let hole = (hash >>> shift) * 2;
    while (slots[hole] !== id) {
      assert(slots[hole] !== NO_KEY, 'the key is not in the index');
      hole = (hole + 2) & mask;
    }
    // What was pushed past the hole moves back, so that no search ends there too early.
    for (let at = (hole + 2) & mask; slots[at] !== NO_KEY; at = (at + 2) & mask) {
      const home = (slots[at + 1]! >>> shift) * 2;
      if (((at - home) & mask) < ((at - hole) & mask)) continue;
      slots[hole] = slots[at]!;
      slots[hole + 1] = slots[at + 1]!;
      hole = at;
    }
    slots[hole] = NO_KEY;
    segment.size--;
  }

  #segmentOf(hash: number): Segment {
    return this.#directory[hash & ((1 << this.#depth) - 1)]!;
  }

  #split(segment: Segment, hash: number): void {
    if (segment.depth === this.#depth) {
      this.#directory = this.#directory.concat(this.#directory);
      this.#depth++;
    }
    const step = 1 << segment.depth;
    const low = newSegment(segment.depth + 1);
    const high = newSegment(segment.depth + 1);
    moveAll(segment.slots, (moved) => ((moved & step) === 0 ? low : high));
    for (let at = hash & (step - 1); at < this.#directory.length; at += step) {
      this.#directory[at] = (at & step) === 0 ? low : high;
    }
  }

  #double(segment: Segment): void {
    const old = segment.slots;
    segment.slots = new Uint32Array(old.length * 2);
    segment.shift--;
    segment.size = 0;
    moveAll(old, () => segment);
  }
}

function insert(segment: Segment, id: KeyId, hash: number): void {
  const { slots } = segment;
  const mask = slots.length - 1;
  let at = (hash >>> segment.shift) * 2;
  while (slots[at] !== NO_KEY) at = (at + 2) & mask;
  slots[at] = id;
  slots[at + 1] = hash;
  segment.size++;
}

function moveAll(slots: Uint32Array, target: (hash: number) => Segment): void {
  for (let at = 0; at < slots.length; at += 2) {
    const hash = slots[at + 1]!;
    if (slots[at] !== NO_KEY) insert(target(hash), slots[at]!, hash);
  }
}

function newSegment(depth: number): Segment {
  const slots = new Uint32Array(2 << SEGMENT_BITS);
  return { slots, shift: 32 - SEGMENT_BITS, depth, size: 0 };
}

/** FNV-1a, then mixed so that every bit of the hash depends on every byte. */
export function hashBytes(bytes: Uint8Array, seed: number): number {
  let hash = seed ^ 0x811c9dc5;
  for (let at = 0; at < bytes.length; at++) hash = Math.imul(hash ^ bytes[at]!, 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
