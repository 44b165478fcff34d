/**
 * Names in order, each with a value: a two-level tree of sorted blocks. Point operations never
 * come here; only a key that is new, or gone after a compaction, moves anything.
 */
import { assert } from '../lib/assert.ts';

/** Names in one block at most: a fuller one is split in half. */
const BLOCK_NAMES_MAX = 512;
/** Two neighbours that together hold no more than this become one block. */
const MERGED_NAMES_MAX = BLOCK_NAMES_MAX / 2;

/** Never empty; `names` ascending, `values[i]` belongs to `names[i]`. */
interface Block<Value> {
  readonly names: string[];
  readonly values: Value[];
}

/** Names are distinct; to add one twice, or remove one that is missing, is a bug. */
export class OrderedIndex<Value> {
  readonly #blocks: Block<Value>[] = [];
  #size = 0;

  /** Builds from names that are already ascending and distinct. */
  static fromSorted<Value>(
    names: readonly string[],
    valueFor: (name: string) => Value,
  ): OrderedIndex<Value> {
    const index = new OrderedIndex<Value>();
    // Blocks start three quarters full, so that the first new keys do not split every block.
    const fill = (BLOCK_NAMES_MAX / 4) * 3;
    for (let at = 0; at < names.length; at += fill) {
      const part = names.slice(at, at + fill);
      assert(at === 0 || names[at - 1]! < part[0]!, 'names must be sorted');
      index.#blocks.push({ names: part, values: part.map(valueFor) });
    }
    index.#size = names.length;
    return index;
  }

  get size(): number {
    return this.#size;
  }

  /** Adds a name that is not there yet. */
  insert(name: string, value: Value): void {
    this.#size++;
    const at = this.#blockOf(name);
    const block = this.#blocks[at];
    if (block === undefined) {
      this.#blocks.push({ names: [name], values: [value] });
      return;
    }
    const position = lowerBound(block.names, name);
    assert(block.names[position] !== name, 'name is already in the index');
    block.names.splice(position, 0, name);
    block.values.splice(position, 0, value);
    if (block.names.length > BLOCK_NAMES_MAX) {
      const half = block.names.length >> 1;
      const upper = { names: block.names.splice(half), values: block.values.splice(half) };
      this.#blocks.splice(at + 1, 0, upper);
    }
  }

  /** Takes out a name that is there. */
  remove(name: string): void {
    const at = this.#blockOf(name);
    const block = this.#blocks[at];
    assert(block !== undefined, 'name is not in the index');
    const position = lowerBound(block.names, name);
    assert(block.names[position] === name, 'name is not in the index');
    block.names.splice(position, 1);
    block.values.splice(position, 1);
    this.#size--;
    if (block.names.length === 0) this.#blocks.splice(at, 1);
    else this.#mergeSmall(at);
  }

  /** Calls `visit` in name order for `from` ≤ name < `end`; undefined: no upper bound. */
  visit(from: string, end: string | undefined, visit: (value: Value) => void): void {
    const first = this.#blockOf(from);
    for (let at = first; at < this.#blocks.length; at++) {
      const { names, values } = this.#blocks[at]!;
      const start = at === first ? lowerBound(names, from) : 0;
      for (let i = start; i < names.length; i++) {
        if (end !== undefined && names[i]! >= end) return;
        visit(values[i]!);
      }
    }
  }

  /** The block that holds `name` if any does: the last one starting at or before it, else 0. */
  #blockOf(name: string): number {
    let low = 0;
    let high = this.#blocks.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#blocks[middle]!.names[0]! <= name) low = middle + 1;
      else high = middle;
    }
    return Math.max(0, low - 1);
  }

  #mergeSmall(at: number): void {
    const block = this.#blocks[at]!;
    const next = this.#blocks[at + 1];
    if (next === undefined || block.names.length + next.names.length > MERGED_NAMES_MAX) return;
    block.names.push(...next.names);
    block.values.push(...next.values);
    this.#blocks.splice(at + 1, 1);
  }
}

/** Position of the first name ≥ `name`. */
function lowerBound(names: readonly string[], name: string): number {
  let low = 0;
  let high = names.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (names[middle]! < name) low = middle + 1;
    else high = middle;
  }
  return low;
}
