import type { Revision } from '../lib/ids.ts';
import type { KeyIndex } from './key-index.ts';
import { LogReader } from './log-reader.ts';
import type { RevisionChunk } from './revision-chunk.ts';

/** To forget a key takes about 5 µs: as long as to look at so many rows. */
const ROWS_PER_REMOVED_KEY = 16;

/**
 * Removes what no read at or after `revision` can see, a bounded number of rows at a time. Until
 * it is done, readers must leave out obsolete rows themselves ({@link RevisionChunk.isObsolete}).
 */
export class Compaction {
  readonly revision: Revision;
  readonly #index: KeyIndex;
  readonly #reader: LogReader;
  /** The one the reader is in; it is packed when the reader has left it. */
  #chunk: RevisionChunk | undefined;

  constructor(index: KeyIndex, revision: Revision) {
    this.revision = revision;
    this.#index = index;
    // Nothing later than `revision` can be obsolete at it.
    this.#reader = new LogReader(index.log, 0, index.log.idFromMain(revision + 1) - 1);
  }

  /** Looks at so many rows, at fewer if keys are removed. False: nothing is left to do. */
  step(rowsMax: number): boolean {
    const { log, keys } = this.#index;
    for (let rows = 0; rows < rowsMax; rows++) {
      const isAtEnd = !this.#reader.next();
      const chunk = isAtEnd ? undefined : this.#reader.chunk;
      if (chunk !== this.#chunk) {
        if (this.#chunk !== undefined) log.tidy(this.#chunk);
        this.#chunk = chunk;
      }
      if (chunk === undefined) return false;
      const { at } = this.#reader;
      if (!chunk.isObsolete(at, this.revision)) continue;
      const keysBefore = keys.size;
      this.#index.remove(chunk, at);
      if (keys.size < keysBefore) rows += ROWS_PER_REMOVED_KEY;
    }
    return true;
  }
}
