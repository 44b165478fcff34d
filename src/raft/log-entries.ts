/**
 * The entries of a log: the youngest as they came, and the others packed. A log holds a hundred
 * thousand entries between two checkpoints; as an object each, with a view of its data, they
 * would be most of what the garbage collector has to look at and to move, and their data would
 * keep every buffer alive that they arrived in.
 */
import { assert } from '../lib/assert.ts';
import type { Index, Term } from '../lib/ids.ts';
import type { Entry, EntryType } from './message.ts';

const BLOCK_ENTRIES = 512;
/** Longer data has a buffer of its own already, and stays in it. */
const PACKED_BYTES_MAX = 4_096;
const TYPES: readonly EntryType[] = ['normal', 'confChange', 'confChangeV2'];

/** So many entries in a row. */
interface Block {
  readonly terms: Float64Array;
  readonly types: Uint8Array;
  /** Where each one's data begins in `bytes`; with the end of the last. */
  readonly starts: Uint32Array;
  readonly bytes: Uint8Array;
  /** By position; they take no room in `bytes`. */
  readonly long: ReadonlyMap<number, Uint8Array>;
}

/** Contiguous; every index is from {@link firstIndex} on, or it is not there. */
export class LogEntries {
  #firstIndex: Index;
  /** Oldest first; of the first one, `#dropped` entries are not there any more. */
  readonly #blocks: Block[] = [];
  #dropped = 0;
  /** Index of the first entry that is not packed. */
  #looseIndex: Index;
  readonly #loose: Entry[] = [];

  constructor(firstIndex: Index) {
    this.#firstIndex = firstIndex;
    this.#looseIndex = firstIndex;
  }

  /** Of the entry that comes next. */
  get endIndex(): Index {
    return this.#looseIndex + this.#loose.length;
  }

  get lastTerm(): Term | undefined {
    return this.termAt(this.endIndex - 1);
  }

  termAt(index: Index): Term | undefined {
    if (index >= this.#looseIndex) return this.#loose[index - this.#looseIndex]?.term;
    if (index < this.#firstIndex) return undefined;
    const position = index - this.#packedFrom();
    return this.#blockOf(position).terms[position % BLOCK_ENTRIES];
  }

  /** The same object each time only while the entry is not packed. */
  at(index: Index): Entry | undefined {
    if (index >= this.#looseIndex) return this.#loose[index - this.#looseIndex];
    if (index < this.#firstIndex) return undefined;
    const position = index - this.#packedFrom();
    return entryIn(this.#blockOf(position), position % BLOCK_ENTRIES, index);
  }

  /** Of its data; the entry is there. */
  dataBytesAt(index: Index): number {
    if (index >= this.#looseIndex) return this.#loose[index - this.#looseIndex]!.data.length;
    const position = index - this.#packedFrom();
    const block = this.#blockOf(position);
    const at = position % BLOCK_ENTRIES;
    return block.long.get(at)?.length ?? block.starts[at + 1]! - block.starts[at]!;
  }

  /** Those in [from, end). */
  slice(from: Index, end: Index = this.endIndex): readonly Entry[] {
    if (from >= this.#looseIndex) {
      return this.#loose.slice(from - this.#looseIndex, Math.max(0, end - this.#looseIndex));
    }
    const entries: Entry[] = [];
    for (let index = from; index < Math.min(end, this.#looseIndex); index++) {
      entries.push(this.at(index)!);
    }
    return end <= this.#looseIndex
      ? entries
      : entries.concat(this.#loose.slice(0, end - this.#looseIndex));
  }

  push(entry: Entry): void {
    assert(entry.index === this.endIndex, 'log: gap before an entry');
    this.#loose.push(entry);
  }

  /** Forgets entries from `endIndex` on; none of them may be packed. */
  truncate(endIndex: Index): void {
    assert(endIndex >= this.#looseIndex, 'log: a packed entry is never taken back');
    this.#loose.length = Math.min(this.#loose.length, endIndex - this.#looseIndex);
  }

  /** Forgets entries before `firstIndex`. */
  drop(firstIndex: Index): void {
    assert(firstIndex <= this.endIndex, 'log: dropped more than there is');
    if (firstIndex >= this.#looseIndex) {
      this.#loose.splice(0, firstIndex - this.#looseIndex);
      this.#looseIndex = firstIndex;
      this.#blocks.length = 0;
      this.#dropped = 0;
    } else if (firstIndex > this.#firstIndex) {
      const dropped = firstIndex - this.#packedFrom();
      this.#blocks.splice(0, Math.floor(dropped / BLOCK_ENTRIES));
      this.#dropped = dropped % BLOCK_ENTRIES;
    }
    this.#firstIndex = Math.max(this.#firstIndex, firstIndex);
  }

  /** Nothing is left; the next entry is `firstIndex`. */
  restart(firstIndex: Index): void {
    this.#loose.length = 0;
    this.#blocks.length = 0;
    this.#dropped = 0;
    this.#firstIndex = firstIndex;
    this.#looseIndex = firstIndex;
  }

  /**
   * Packs entries through `index`, as many as make whole blocks: those that nobody takes back
   * and hardly anybody asks for any more.
   */
  pack(index: Index): void {
    const count = index - this.#looseIndex + 1;
    let end = 0;
    for (; end + BLOCK_ENTRIES <= count; end += BLOCK_ENTRIES) {
      this.#blocks.push(packed(this.#loose.slice(end, end + BLOCK_ENTRIES)));
    }
    if (end === 0) return;
    this.#loose.splice(0, end);
    this.#looseIndex += end;
  }

  /** Index of the first entry of the first block, there or not. */
  #packedFrom(): Index {
    return this.#firstIndex - this.#dropped;
  }

  #blockOf(position: number): Block {
    return this.#blocks[Math.floor(position / BLOCK_ENTRIES)]!;
  }
}

function packed(entries: readonly Entry[]): Block {
  let sizeBytes = 0;
  for (const { data } of entries) if (data.length <= PACKED_BYTES_MAX) sizeBytes += data.length;
  const terms = new Float64Array(entries.length);
  const types = new Uint8Array(entries.length);
  const starts = new Uint32Array(entries.length + 1);
  const bytes = new Uint8Array(sizeBytes);
  const long = new Map<number, Uint8Array>();
  let start = 0;
  for (const [at, { term, type, data }] of entries.entries()) {
    terms[at] = term;
    types[at] = TYPES.indexOf(type);
    if (data.length > PACKED_BYTES_MAX) long.set(at, data);
    else {
      bytes.set(data, start);
      start += data.length;
    }
    starts[at + 1] = start;
  }
  return { terms, types, starts, bytes, long };
}

function entryIn(block: Block, at: number, index: Index): Entry {
  const { terms, types, starts, bytes, long } = block;
  const data = long.get(at) ?? bytes.subarray(starts[at]!, starts[at + 1]!);
  return { type: TYPES[types[at]!]!, term: terms[at]!, index, data };
}
