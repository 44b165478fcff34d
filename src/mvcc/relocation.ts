import type { KeyIndex } from './key-index.ts';
import { LogReader } from './log-reader.ts';

/** A row or key that was only looked at counts as so many bytes. */
const LOOKED_AT_BYTES = 16;

/**
 * Moves keys and values out of slabs that are mostly empty, a bounded number of bytes at a time;
 * a slab is given back with the last of them. What is read never changes: bytes are copied, and
 * the old ones stay for as long as anybody has a view on them.
 */
export class Relocation {
  readonly #index: KeyIndex;
  readonly #reader: LogReader;
  readonly #keysEnd: number;
  #nextKey = 1;

  /** Empties slabs with a smaller part alive than `fill`, 0 to 1. */
  constructor(index: KeyIndex, fill: number) {
    this.#index = index;
    index.values.markSparse(fill);
    index.keys.slabs.markSparse(fill);
    this.#reader = new LogReader(index.log, 0);
    this.#keysEnd = index.keys.idsEnd;
  }

  /** Goes on for about so many bytes. False: nothing is left to do. */
  step(bytesMax: number): boolean {
    const { values, keys } = this.#index;
    for (let bytes = 0; bytes < bytesMax; bytes += LOOKED_AT_BYTES) {
      if (this.#reader.next()) {
        const { chunk, at } = this.#reader;
        const old = chunk.value[at]!;
        const lengthBytes = chunk.valueLengthBytes[at]!;
        const moved = values.moved(old, lengthBytes);
        if (moved === old) continue;
        chunk.value[at] = moved;
        bytes += lengthBytes;
      } else if (this.#nextKey < this.#keysEnd) bytes += keys.relocate(this.#nextKey++);
      else return false;
    }
    return true;
  }
}
