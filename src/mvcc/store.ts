/**
 * The replicated state: etcd's multi-version key-value store, in memory. Synchronous and
 * deterministic, so members that apply the same requests hold the same store. A refused request
 * changes nothing. A fresh store has revision 1; each request that changes anything adds one.
 *
 * Keys and values that it answers are views of what it stores: they stay as they are, and must
 * not be written to.
 */
import { assert } from '../lib/assert.ts';
import type { LeaseId, Revision } from '../lib/ids.ts';
import { err, ok, type Result } from '../lib/result.ts';
import type { Failpoints } from '../ports/failpoints.ts';
import { Compaction } from './compaction.ts';
import { HashKv, type HashKvResult, type HashKvSteps } from './hash-kv.ts';
import { type Changes, changesAt, changesFrom } from './history.ts';
import { KeyIndex } from './key-index.ts';
import { LogReader } from './log-reader.ts';
import { Pins } from './pins.ts';
import { evaluateRange } from './range.ts';
import { PinnedCursor, type RangeCursor, ReadyCursor } from './range-cursor.ts';
import { Relocation } from './relocation.ts';
import type {
  DeleteRangeRequest,
  DeleteRangeResult,
  KeyValue,
  PutRequest,
  PutResult,
  RangeRequest,
  RangeResult,
  StoreError,
  TxnRequest,
  TxnResult,
} from './request.ts';
import type { StoredRevision } from './revision-record.ts';
import {
  type CheckedAgainst,
  checkPlan,
  checkPut,
  checkReadable,
  isReadOnly,
  planTxn,
  runPlan,
} from './txn.ts';
import { Writer } from './writer.ts';

/** The store as it was when the image was taken, whatever is applied later. */
export interface StoreImage {
  readonly revision: Revision;
  /** 0: never compacted. */
  readonly compactRevision: Revision;
  /**
   * Every change a finished compaction would have retained, ascending by (main, sub); each call
   * starts again. The store may be changed between any two rows.
   */
  revisions(): Iterable<StoredRevision>;
  /** The image is not used any more; until then it keeps what it shows from compaction. */
  release(): void;
}

/** What a checkpoint holds of a store. */
export interface StoredState {
  readonly compactRevision: Revision;
  /**
   * Up to where rows that are not needed have been removed; not said: nowhere, so a restored
   * store looks for them. All the same to a reader.
   */
  readonly finishedCompactRevision?: Revision;
  /** Ascending by (main, sub). Arrays that values are views of may be kept. */
  readonly revisions: Iterable<StoredRevision>;
}

export interface StoreOptions {
  /** With a secret one, nobody can choose keys that make the store slow. Changes no answer. */
  readonly hashSeed?: number;
}

/** Revision of a store that nothing was ever written to. */
const FRESH_REVISION: Revision = 1;
const PAGE_BYTES = 4096;
/** Two meta pages, free list, root, and one page for each of the other nine buckets. */
const FIXED_PAGES = 13;
/** Cursors open at a time; beyond, a range is evaluated when it is opened, and kept. */
const CURSORS_MAX = 1024;
/**
 * After a compaction or a restore, slabs emptier than this are given back, if that wins a part
 * this large.
 */
const COMPACTED_FILL = 0.5;
const WON_PART_MIN = 0.25;
/** What a slab is filled to at least after a defragmentation. */
const DEFRAGMENTED_FILL = 0.95;
/** Of moving, for each row that a step of a compaction may look at. */
const MOVED_BYTES_PER_ROW = 256;

/** Not to be used from two places at once: only the applier of the log writes. */
export class Store {
  readonly #index: KeyIndex;
  readonly #pins = new Pins();
  #revision: Revision;
  #compactRevision: Revision;
  #finishedCompactRevision: Revision;
  #compaction: Compaction | undefined;
  /** Started by a compaction, or by {@link defragmentStep}. */
  #relocation: Relocation | undefined;
  #defragmentation: Relocation | undefined;
  /** Most bytes of rows there were since the last defragmentation. */
  #peakRowBytes = 0;
  #openCursors = 0;
  #leaseExists: (id: LeaseId) => boolean = () => false;

  constructor(
    from: StoredState = { compactRevision: 0, revisions: [] },
    { hashSeed = 0 }: StoreOptions = {},
  ) {
    this.#index = KeyIndex.load(from.revisions, hashSeed);
    this.#compactRevision = from.compactRevision;
    this.#finishedCompactRevision = from.finishedCompactRevision ?? 0;
    this.#peakRowBytes = this.#index.rowBytes;
    // Another program's file may be mostly unused pages, and be kept for what else is on them.
    this.#relocateIfWorthwhile();
    this.#revision = Math.max(FRESH_REVISION, this.#index.log.lastMain, from.compactRevision);
    assert(Number.isSafeInteger(this.#revision), 'revision must be a safe integer');
    assert(
      this.#finishedCompactRevision <= this.#compactRevision,
      'a compaction is finished after it was scheduled',
    );
  }

  /** Bulk load; rows that an interrupted compaction left behind are dropped by its steps. */
  static restore(from: StoredState, options?: StoreOptions): Store {
    return new Store(from, options);
  }

  get revision(): Revision {
    return this.#revision;
  }

  /** Reads below it are refused, at it they are not; 0 before the first compaction. */
  get compactRevision(): Revision {
    return this.#compactRevision;
  }

  /** etcd's name for {@link compactRevision} in a checkpoint. */
  get scheduledCompactRevision(): Revision {
    return this.#compactRevision;
  }

  /** Rows that no read at or after it needs have been removed; ≤ the scheduled one. */
  get finishedCompactRevision(): Revision {
    return this.#finishedCompactRevision;
  }

  /** Who tells which leases there are; until then there is none. */
  knowLeases(exists: (id: LeaseId) => boolean): void {
    this.#leaseExists = exists;
  }

  /** Keys that exist now. */
  get keyCount(): number {
    return this.#index.liveKeys;
  }

  /**
   * Bytes of a checkpoint file that was written to ever since, roughly: as bbolt's, it has room
   * for all rows there ever were at a time, until it is defragmented.
   */
  get sizeBytes(): number {
    const rowBytes = Math.max(this.#peakRowBytes, this.#index.rowBytes);
    return (FIXED_PAGES + Math.ceil(rowBytes / PAGE_BYTES)) * PAGE_BYTES;
  }

  /** Bytes of the rows in such a checkpoint, roughly; what is not removed yet counts. */
  get sizeInUseBytes(): number {
    return this.#index.rowBytes;
  }

  /** Memory held outside the JavaScript heap. */
  get allocatedBytes(): number {
    return this.#index.allocatedBytes;
  }

  range(request: RangeRequest): Result<RangeResult, StoreError> {
    const refusal = checkReadable(this.#checkedAgainst(), request.revision);
    return refusal === undefined ? ok(evaluateRange(this.#index, request)) : err(refusal);
  }

  /** The same in parts, all of the present state; the cursor must be released. */
  openRange(request: RangeRequest): Result<RangeCursor, StoreError> {
    const refusal = checkReadable(this.#checkedAgainst(), request.revision);
    if (refusal !== undefined) return err(refusal);
    const revision = request.revision > 0 ? request.revision : this.#revision;
    if (this.#openCursors >= CURSORS_MAX) {
      return ok(new ReadyCursor(revision, evaluateRange(this.#index, request)));
    }
    this.#openCursors++;
    const unpin = this.#pins.add(revision);
    const release = (): void => {
      this.#openCursors--;
      unpin();
    };
    return ok(new PinnedCursor(this.#index, revision, request, release));
  }

  /** The key as it was; undefined if it did not exist then, or if that was compacted. */
  liveAt(key: Uint8Array, revision: Revision): KeyValue | undefined {
    return revision < this.#compactRevision ? undefined : this.#index.liveAt(key, revision);
  }

  /** All changes of one main revision, in sub order; none below the compacted one. */
  changesAt(revision: Revision): readonly StoredRevision[] {
    if (revision < this.#compactRevision) return [];
    return changesAt(this.#index, this.#compactRevision, revision);
  }

  /**
   * All changes with `revision` ≤ main < `nextRevision`: about `rowsMax`, as a main revision is
   * never split. `revision` is not below the compacted one.
   */
  changesFrom(revision: Revision, rowsMax: number): Changes {
    assert(revision >= this.#compactRevision, 'changes before a compaction are incomplete');
    const known = { compactRevision: this.#compactRevision, presentRevision: this.#revision };
    return changesFrom(this.#index, known, revision, rowsMax);
  }

  /** Keys that exist now and have a lease, in no particular order; not to be kept. */
  *leasedKeys(): Iterable<{ readonly key: Uint8Array; readonly lease: LeaseId }> {
    const { log, keys } = this.#index;
    const reader = new LogReader(log, 0);
    while (reader.next()) {
      const { chunk, at } = reader;
      const lease = chunk.leaseAt(at);
      if (lease === 0n || chunk.supersededAt[at] !== 0) continue;
      yield { key: keys.bytes(chunk.key[at]!), lease };
    }
  }

  /** A transaction for which {@link isReadOnly} holds, evaluated at the present revision. */
  readTxn(request: TxnRequest): Result<TxnResult, StoreError> {
    assert(isReadOnly(request), 'a transaction with writes must go through the log');
    return this.txn(request);
  }

  put(request: PutRequest): Result<PutResult, StoreError> {
    const refusal = checkPut(this.#checkedAgainst(), request);
    if (refusal !== undefined) return err(refusal);
    return ok(this.#write((writer) => writer.put(request)));
  }

  /** Without a key to delete nothing changes, the revision included. */
  deleteRange(request: DeleteRangeRequest): Result<DeleteRangeResult, StoreError> {
    return ok(this.#write((writer) => writer.deleteRange(request)));
  }

  /** All or nothing; everything it changes has one main revision. */
  txn(request: TxnRequest): Result<TxnResult, StoreError> {
    const plan = planTxn(this.#index, request);
    const refusal = checkPlan(this.#checkedAgainst(), plan);
    if (refusal !== undefined) return err(refusal);
    return ok(this.#write((writer) => runPlan(this.#index, plan, writer)));
  }

  /**
   * Forgets what no read at or after `revision` needs, and refuses reads before it, at once; the
   * memory is given back by {@link compactStep}.
   */
  compact(revision: Revision): Result<undefined, StoreError> {
    if (revision <= this.#compactRevision) return err('compacted');
    if (revision > this.#revision) return err('futureRevision');
    this.#compactRevision = revision;
    return ok(undefined);
  }

  /** Whether {@link compactStep} has, or will have once pins are released, something to do. */
  get isCompacting(): boolean {
    const isRemoved = this.#finishedCompactRevision === this.#compactRevision;
    return !isRemoved || this.#relocation !== undefined;
  }

  /**
   * Looks at up to `rowsMax` rows; a thousand take up to half a millisecond. False: nothing is left to do, at
   * least not while an image, cursor or hash that is still held needs the rest.
   */
  compactStep(rowsMax: number, failpoints?: Failpoints): boolean {
    assert(rowsMax > 0, 'a step looks at one row at least');
    if (this.#relocation !== undefined) {
      if (!this.#relocation.step(rowsMax * MOVED_BYTES_PER_ROW)) this.#relocation = undefined;
      return this.#isRemovable() || this.#relocation !== undefined;
    }
    if (this.#compaction === undefined) {
      if (!this.#isRemovable()) return false;
      this.#compaction = new Compaction(this.#index, this.#removableRevision());
    }
    failpoints?.hit('compactBeforeCommitBatch');
    if (this.#compaction.step(rowsMax)) {
      failpoints?.hit('compactAfterCommitBatch');
      return true;
    }
    failpoints?.hit('compactBeforeSetFinishedCompact');
    this.#finishedCompactRevision = this.#compaction.revision;
    this.#compaction = undefined;
    failpoints?.hit('compactAfterSetFinishedCompact');
    this.#relocateIfWorthwhile();
    return this.#isRemovable() || this.#relocation !== undefined;
  }

  /**
   * Packs keys and values closer, moving up to about `bytesMax`. False: done, memory that was won
   * has been given back, and the size is that of the rows; the next call starts again.
   */
  defragmentStep(bytesMax: number): boolean {
    assert(bytesMax > 0, 'a step moves something');
    this.#defragmentation ??= new Relocation(this.#index, DEFRAGMENTED_FILL);
    if (this.#defragmentation.step(bytesMax)) return true;
    this.#defragmentation = undefined;
    this.#peakRowBytes = this.#index.rowBytes;
    return false;
  }

  /** As {@link hashKvSteps}, at one go: about 0.5 µs a row. */
  hashKv(revision: Revision): Result<HashKvResult, StoreError> {
    const hash = this.hashKvSteps(revision);
    return hash.ok ? ok(hash.value.step(Number.POSITIVE_INFINITY)!) : hash;
  }

  /**
   * etcd's HashKV up to `revision`, 0: the present; refused below the compacted one. Equal for
   * stores with the same history, whatever compaction has removed of it so far.
   */
  hashKvSteps(revision: Revision): Result<HashKvSteps, StoreError> {
    const refusal = checkReadable(this.#checkedAgainst(), revision);
    if (refusal !== undefined) return err(refusal);
    const at = revision > 0 ? revision : this.#revision;
    const compactRevision = this.#compactRevision;
    const release = this.#pins.add(compactRevision);
    return ok(new HashKv(this.#index, compactRevision, at, release));
  }

  /** Costs the same at any size; keeps what it shows from compaction until it is released. */
  image(): StoreImage {
    const index = this.#index;
    const compactRevision = this.#compactRevision;
    const lastId = index.log.lastId;
    const unpin = this.#pins.add(compactRevision);
    let isReleased = false;
    return {
      revision: this.#revision,
      compactRevision,
      *revisions() {
        assert(!isReleased, 'the image was released');
        const reader = new LogReader(index.log, 0, lastId);
        while (reader.next()) {
          const { chunk, at } = reader;
          if (!chunk.isObsolete(at, compactRevision)) yield index.row(chunk, at);
          assert(!isReleased, 'the image was released');
        }
      },
      release() {
        isReleased = true;
        unpin();
      },
    };
  }

  #relocateIfWorthwhile(): void {
    const { values, keys } = this.#index;
    const wonBytes = values.sparseBytes(COMPACTED_FILL) + keys.slabs.sparseBytes(COMPACTED_FILL);
    if (wonBytes > (values.allocatedBytes + keys.slabs.allocatedBytes) * WON_PART_MIN) {
      this.#relocation = new Relocation(this.#index, COMPACTED_FILL);
    }
  }

  /** What is obsolete at it, nobody reads. */
  #removableRevision(): Revision {
    return Math.min(this.#compactRevision, this.#pins.lowest);
  }

  #isRemovable(): boolean {
    return this.#removableRevision() > this.#finishedCompactRevision;
  }

  #write<Value>(run: (writer: Writer) => Value): Value {
    const writer = new Writer(this.#index, this.#revision + 1);
    const result = run(writer);
    if (writer.hasWritten) this.#revision++;
    this.#peakRowBytes = Math.max(this.#peakRowBytes, this.#index.rowBytes);
    assert(this.#index.log.lastMain <= this.#revision, 'a change is ahead of the revision');
    return result;
  }

  #checkedAgainst(): CheckedAgainst {
    return {
      index: this.#index,
      revision: this.#revision,
      compactRevision: this.#compactRevision,
      leaseExists: this.#leaseExists,
    };
  }
}
