/**
 * Keys in order: a two-level tree of sorted blocks of key numbers. Point operations never come
 * here; only a key that is new, or gone after a compaction, moves anything.
 */
import { assert } from '../lib/assert.ts';
import type { KeyId, KeyTable } from './key-table.ts';

/** Keys in one block at most: a fuller one is split in half. */
const BLOCK_KEYS_MAX = 512;
/** Two neighbours that together hold no more than this become one block. */
const MERGED_KEYS_MAX = BLOCK_KEYS_MAX / 2;

/** Never empty; the first `size` ids are those of ascending keys. */
interface Block {
  readonly ids: Uint32Array;
  size: number;
}

/** Keys are distinct; to add one twice, or remove one that is missing, is a bug. */
export class OrderedIndex {
  readonly #keys: KeyTable;
  readonly #blocks: Block[] = [];
  #size = 0;

  constructor(keys: KeyTable) {
    this.#keys = keys;
  }

  /** Builds from keys that are already ascending and distinct. */
  static fromSorted(keys: KeyTable, sorted: Uint32Array): OrderedIndex {
    const index = new OrderedIndex(keys);
    // Blocks start three quarters full, so that the first new keys do not split every block.
    const fill = (BLOCK_KEYS_MAX / 4) * 3;
    for (let at = 0; at < sorted.length; at += fill) {
      const part = sorted.subarray(at, at + fill);
      assert(
        at === 0 || keys.compare(sorted[at - 1]!, keys.bytes(part[0]!)) < 0,
        'keys must be sorted',
      );
      index.#blocks.push(newBlock(part));
    }
    index.#size = sorted.length;
    return index;
  }

  get size(): number {
    return this.#size;
  }

  get allocatedBytes(): number {
    return this.#blocks.length * BLOCK_KEYS_MAX * Uint32Array.BYTES_PER_ELEMENT;
  }

  /** Adds a key that is not there yet. */
  insert(id: KeyId): void {
    this.#size++;
    const key = this.#keys.bytes(id);
    const at = this.#blockOf(key);
    const block = this.#blocks[at];
    if (block === undefined) {
      this.#blocks.push(newBlock(Uint32Array.of(id)));
      return;
    }
    const position = this.#lowerBound(block, key);
    assert(
      position === block.size || this.#keys.compare(block.ids[position]!, key) !== 0,
      'key is already in the index',
    );
    block.ids.copyWithin(position + 1, position, block.size);
    block.ids[position] = id;
    block.size++;
    if (block.size < BLOCK_KEYS_MAX) return;
    const half = block.size >> 1;
    this.#blocks.splice(at + 1, 0, newBlock(block.ids.subarray(half, block.size)));
    block.size = half;
  }

  /** Takes out a key that is there; its bytes must still be in the table. */
  remove(id: KeyId): void {
    const key = this.#keys.bytes(id);
    const at = this.#blockOf(key);
    const block = this.#blocks[at];
    assert(block !== undefined, 'key is not in the index');
    const position = this.#lowerBound(block, key);
    assert(position < block.size && block.ids[position] === id, 'key is not in the index');
    block.ids.copyWithin(position, position + 1, block.size);
    block.size--;
    this.#size--;
    if (block.size === 0) this.#blocks.splice(at, 1);
    else this.#mergeSmall(at);
  }

  /**
   * Calls `visit` in key order for `from` ≤ key < `end` (undefined: no upper bound), until it
   * returns false. The index must not be changed meanwhile.
   */
  visit(from: Uint8Array, end: Uint8Array | undefined, visit: (id: KeyId) => boolean): void {
    const first = this.#blockOf(from);
    for (let at = first; at < this.#blocks.length; at++) {
      const block = this.#blocks[at]!;
      const start = at === first ? this.#lowerBound(block, from) : 0;
      // The end is looked for in one block only: before it, all keys of a block are visited.
      const next = this.#blocks[at + 1];
      const isLast = end !== undefined && (next === undefined || this.#startsFrom(next, end));
      const stop = isLast ? this.#lowerBound(block, end) : block.size;
      for (let i = start; i < stop; i++) if (!visit(block.ids[i]!)) return;
      if (isLast) return;
    }
  }

  #startsFrom(block: Block, key: Uint8Array): boolean {
    return this.#keys.compare(block.ids[0]!, key) >= 0;
  }

  /** The block that holds `key` if any does: the last one starting at or before it, else 0. */
  #blockOf(key: Uint8Array): number {
    let low = 0;
    let high = this.#blocks.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#keys.compare(this.#blocks[middle]!.ids[0]!, key) <= 0) low = middle + 1;
      else high = middle;
    }
    return Math.max(0, low - 1);
  }

  /** Position of the first key ≥ `key`. */
  #lowerBound(block: Block, key: Uint8Array): number {
    let low = 0;
    let high = block.size;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#keys.compare(block.ids[middle]!, key) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #mergeSmall(at: number): void {
    const block = this.#blocks[at]!;
    const next = this.#blocks[at + 1];
    if (next === undefined || block.size + next.size > MERGED_KEYS_MAX) return;
    block.ids.set(next.ids.subarray(0, next.size), block.size);
    block.size += next.size;
    this.#blocks.splice(at + 1, 1);
  }
}

function newBlock(ids: Uint32Array): Block {
  const block = { ids: new Uint32Array(BLOCK_KEYS_MAX), size: ids.length };
  block.ids.set(ids);
  return block;
}
