/**
 * Every retained change in (main, sub) order. Full blocks are never written again: a read view
 * is a copy of the list of blocks, and it stays right while later writes and compactions go on.
 */
import { assert } from '../lib/assert.ts';
import { isBefore, type RevisionRecord, type StoredRevision } from './revision-record.ts';

const BLOCK_RECORDS = 1024;

/** Append only; compaction makes a new one. */
export class RevisionLog {
  readonly #full: (readonly RevisionRecord[])[] = [];
  #open: RevisionRecord[] = [];
  #last: RevisionRecord | undefined;

  get last(): StoredRevision | undefined {
    return this.#last;
  }

  append(record: RevisionRecord): void {
    assert(
      this.#last === undefined || isBefore(this.#last, record),
      'changes must be appended in revision order',
    );
    this.#last = record;
    this.#open.push(record);
    if (this.#open.length < BLOCK_RECORDS) return;
    this.#full.push(this.#open);
    this.#open = [];
  }

  /** A consistent copy of the list; shares the records. One reference per block of changes. */
  blocks(): readonly (readonly RevisionRecord[])[] {
    return [...this.#full, this.#open.slice()];
  }

  /** A new log of the records for which `keep` holds; this one and its views stay as they are. */
  filtered(keep: (record: RevisionRecord) => boolean): RevisionLog {
    const log = new RevisionLog();
    for (const block of this.blocks()) {
      for (const record of block) if (keep(record)) log.append(record);
    }
    return log;
  }
}
