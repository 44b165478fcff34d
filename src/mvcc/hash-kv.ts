/** etcd's HashKV: one checksum over all rows up to a revision, for members to compare. */
import { assert } from '../lib/assert.ts';
import { crc32c } from '../lib/crc32c.ts';
import type { Revision } from '../lib/ids.ts';
import type { KeyIndex } from './key-index.ts';
import { LogReader } from './log-reader.ts';
import type { RevisionChunk } from './revision-chunk.ts';
import { RowBytes } from './row-bytes.ts';

export interface HashKvResult {
  /** CRC-32C, unsigned. */
  readonly hash: number;
  /** 0: never compacted, for which etcd answers −1. Hashes of two stores compare if it is equal. */
  readonly compactRevision: Revision;
  readonly hashRevision: Revision;
}

/** A hash under way; the store may be written, compacted and defragmented between the steps. */
export interface HashKvSteps {
  /** Looks at so many rows; the result once all were seen, the same one from then on. */
  step(rowsMax: number): HashKvResult | undefined;
  /** Gives up. Needs not be called after the result. */
  release(): void;
}

/** The name of the bucket, which etcd hashes first. */
const BUCKET = Uint8Array.of(0x6b, 0x65, 0x79);

/**
 * Rows up to the compaction that are not the present of their key at the hash revision are left
 * out, unless no key exists then; a tombstone at the compaction is left out in any case. That is
 * how etcd hides what its compaction did or did not remove yet, but for the store without keys;
 * we leave out all that is to be removed, so the hash never depends on how far that got.
 */
export class HashKv implements HashKvSteps {
  readonly #index: KeyIndex;
  readonly #compactRevision: Revision;
  readonly #revision: Revision;
  readonly #release: () => void;
  readonly #rowBytes = new RowBytes();
  #reader: LogReader;
  #isAnyKept = false;
  #isHashing = false;
  #hash = crc32c(BUCKET);
  #result: HashKvResult | undefined;

  /** `release` undoes the pin that keeps what is needed at `compactRevision`. */
  constructor(index: KeyIndex, compactRevision: Revision, revision: Revision, release: () => void) {
    this.#index = index;
    this.#compactRevision = compactRevision;
    this.#revision = revision;
    this.#release = release;
    this.#reader = this.#newReader();
  }

  step(rowsMax: number): HashKvResult | undefined {
    assert(rowsMax > 0, 'a step looks at one row at least');
    for (let rows = 0; rows < rowsMax && this.#result === undefined; rows++) this.#next();
    return this.#result;
  }

  release(): void {
    this.#release();
  }

  #next(): void {
    if (!this.#reader.next()) {
      if (this.#isHashing) this.#finish();
      else this.#startHashing();
      return;
    }
    const { chunk, at } = this.#reader;
    const isKept = this.#isKept(chunk, at);
    if (this.#isHashing) {
      if (this.#isHashed(chunk, at, isKept)) {
        this.#hash = crc32c(this.#rowBytes.of(this.#index.row(chunk, at)), this.#hash);
      }
    } else if (isKept) {
      this.#isAnyKept = true;
      this.#startHashing();
    }
  }

  #isHashed(chunk: RevisionChunk, at: number, isKept: boolean): boolean {
    const main = chunk.main[at]!;
    if (chunk.isObsolete(at, this.#compactRevision)) return false;
    if (main <= this.#compactRevision && this.#isAnyKept && !isKept) return false;
    return main !== this.#compactRevision || !chunk.isTombstone(at);
  }

  /** Whether the row is its key's present at the hash revision. */
  #isKept(chunk: RevisionChunk, at: number): boolean {
    const supersededAt = chunk.supersededAt[at]!;
    return !chunk.isTombstone(at) && (supersededAt === 0 || supersededAt > this.#revision);
  }

  #newReader(): LogReader {
    const { log } = this.#index;
    return new LogReader(log, 0, log.idFromMain(this.#revision + 1) - 1);
  }

  #startHashing(): void {
    this.#isHashing = true;
    this.#reader = this.#newReader();
  }

  #finish(): void {
    this.#release();
    const [compactRevision, hashRevision] = [this.#compactRevision, this.#revision];
    this.#result = { hash: this.#hash, compactRevision, hashRevision };
  }
}
