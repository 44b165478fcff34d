import type { RevisionChunk, RowId } from './revision-chunk.ts';
import type { RevisionLog } from './revision-log.ts';

/**
 * Goes through retained rows in order and may rest between any two of them, whatever happens to
 * the log meanwhile. Where it stands is `chunk` and `at`, valid until the log is changed.
 */
export class LogReader {
  readonly #log: RevisionLog;
  readonly #throughId: RowId;
  #chunk: RevisionChunk | undefined;
  #generation = 0;
  #at = -1;
  #nextId: RowId;

  /** Of the rows there are now, those from `fromId` on; `throughId` may say where to end. */
  constructor(log: RevisionLog, fromId: RowId, throughId: RowId = log.lastId) {
    this.#log = log;
    this.#nextId = fromId;
    this.#throughId = throughId;
  }

  get chunk(): RevisionChunk {
    return this.#chunk!;
  }

  get at(): number {
    return this.#at;
  }

  /** False: there is no further row. */
  next(): boolean {
    if (this.#chunk === undefined || this.#generation !== this.#log.generation) {
      if (!this.#seek()) return false;
    } else this.#at++;
    let chunk = this.#chunk!;
    for (;;) {
      while (this.#at < chunk.size && chunk.isRemoved(this.#at)) this.#at++;
      if (this.#at < chunk.size) break;
      this.#nextId = chunk.idAt(chunk.size - 1) + 1;
      if (!this.#seek()) return false;
      chunk = this.#chunk!;
    }
    const id = chunk.idAt(this.#at);
    if (id > this.#throughId) return false;
    this.#nextId = id + 1;
    return true;
  }

  /** Finds the place of `#nextId` again. */
  #seek(): boolean {
    this.#generation = this.#log.generation;
    this.#chunk = this.#nextId > this.#throughId ? undefined : this.#log.chunkFrom(this.#nextId);
    if (this.#chunk === undefined) return false;
    this.#at = this.#chunk.slotFrom(this.#nextId);
    return this.#at < this.#chunk.size;
  }
}
