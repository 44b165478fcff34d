/**
 * The set of configurations that a search has met, which is also its stack of those still to be
 * explored. Configurations are fixed-length rows of 32-bit words, kept exactly (no hash stands
 * in for a row), in flat arrays whose size is known at every moment.
 */
import { assert } from '../../src/lib/assert.ts';

const ROWS_INITIAL = 64;
const BYTES_PER_WORD = 4;

/** `added` is new and will be popped once; `full` means that growing would pass the limit. */
export type AddOutcome = 'added' | 'known' | 'full';

export class VisitedSet {
  readonly #wordsPerRow: number;
  #rows: Int32Array;
  #rowCount = 0;
  /** Open addressing: row number + 1, or 0 where free; a power of two, at most half full. */
  #index: Int32Array;
  #stack: Int32Array;
  #stackLength = 0;

  constructor(wordsPerRow: number) {
    this.#wordsPerRow = wordsPerRow;
    this.#rows = new Int32Array(ROWS_INITIAL * wordsPerRow);
    this.#index = new Int32Array(ROWS_INITIAL * 2);
    this.#stack = new Int32Array(ROWS_INITIAL);
  }

  /** Distinct configurations met so far. */
  get rowCount(): number {
    return this.#rowCount;
  }

  get sizeBytes(): number {
    return BYTES_PER_WORD * (this.#rows.length + this.#index.length + this.#stack.length);
  }

  /** Remembers and stacks `row` unless it is known; never lets the set outgrow `bytesMax`. */
  add(row: Int32Array, bytesMax: number): AddOutcome {
    let slot = this.#slotOf(row);
    if (this.#index[slot] !== 0) return 'known';
    if (this.#rowCount * this.#wordsPerRow === this.#rows.length) {
      // While growing, the old and the doubled arrays live side by side.
      if (this.sizeBytes * 3 > bytesMax) return 'full';
      this.#grow();
      slot = this.#slotOf(row);
    }
    this.#rows.set(row, this.#rowCount * this.#wordsPerRow);
    this.#stack[this.#stackLength++] = this.#rowCount;
    this.#rowCount += 1;
    this.#index[slot] = this.#rowCount;
    return 'added';
  }

  /** Copies the newest unexplored row into `row`; false when all have been explored. */
  pop(row: Int32Array): boolean {
    if (this.#stackLength === 0) return false;
    this.#stackLength -= 1;
    const at = this.#stack[this.#stackLength]! * this.#wordsPerRow;
    for (let word = 0; word < this.#wordsPerRow; word++) row[word] = this.#rows[at + word]!;
    return true;
  }

  /** Where `row` is, or the free slot where it belongs. */
  #slotOf(row: Int32Array): number {
    const mask = this.#index.length - 1;
    let slot = hashRow(row) & mask;
    for (let probes = 0; probes < this.#index.length; probes++) {
      const entry = this.#index[slot]!;
      if (entry === 0 || this.#equals(entry - 1, row)) return slot;
      slot = (slot + 1) & mask;
    }
    assert(false, 'the index of visited configurations is never full');
  }

  #equals(rowNumber: number, row: Int32Array): boolean {
    const at = rowNumber * this.#wordsPerRow;
    for (let word = 0; word < this.#wordsPerRow; word++) {
      if (this.#rows[at + word] !== row[word]) return false;
    }
    return true;
  }

  #grow(): void {
    this.#rows = doubled(this.#rows);
    this.#stack = doubled(this.#stack);
    this.#index = new Int32Array(this.#index.length * 2);
    const mask = this.#index.length - 1;
    for (let rowNumber = 0; rowNumber < this.#rowCount; rowNumber++) {
      const at = rowNumber * this.#wordsPerRow;
      let slot = hashRow(this.#rows.subarray(at, at + this.#wordsPerRow)) & mask;
      while (this.#index[slot] !== 0) slot = (slot + 1) & mask;
      this.#index[slot] = rowNumber + 1;
    }
  }
}

function doubled(words: Int32Array): Int32Array {
  const larger = new Int32Array(words.length * 2);
  larger.set(words);
  return larger;
}

/** FNV-1a over words, with a final mix because neighbours differ in few low bits. */
function hashRow(row: Int32Array): number {
  let hash = 0x811c9dc5;
  for (let word = 0; word < row.length; word++) {
    hash = Math.imul(hash ^ row[word]!, 0x01000193);
    hash ^= hash >>> 15;
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x45d9f3b);
  return hash ^ (hash >>> 16);
}
