/**
 * The replicated state: etcd's multi-version key-value store, in memory. Synchronous and
 * deterministic, so members that apply the same requests hold the same store. A refused request
 * changes nothing. A fresh store has revision 1; each request that changes anything adds one.
 */
import { assert } from '../lib/assert.ts';
import type { Revision } from '../lib/ids.ts';
import { err, ok, type Result } from '../lib/result.ts';
import { KeyIndex } from './key-index.ts';
import { evaluateRange } from './range.ts';
import type {
  DeleteRangeRequest,
  DeleteRangeResult,
  PutRequest,
  PutResult,
  RangeRequest,
  RangeResult,
  StoreError,
  TxnRequest,
  TxnResult,
} from './request.ts';
import type { StoredRevision } from './revision-record.ts';
import { checkPlan, checkPut, checkReadable, isReadOnly, planTxn, runPlan } from './txn.ts';
import { Writer } from './writer.ts';

/** The store as it was when the image was taken, whatever is applied later. */
export interface StoreImage {
  readonly revision: Revision;
  /** 0: never compacted. */
  readonly compactRevision: Revision;
  /** Every retained change, ascending by (main, sub); each call starts again. */
  revisions(): Iterable<StoredRevision>;
  /** The image is not used any more; what it alone held may be freed. */
  release(): void;
}

/** What a checkpoint holds of a store. */
export interface StoredState {
  readonly compactRevision: Revision;
  /** Ascending by (main, sub). */
  readonly revisions: Iterable<StoredRevision>;
}

/** Revision of a store that nothing was ever written to. */
const FRESH_REVISION: Revision = 1;
const PAGE_BYTES = 4096;
/** Two meta pages, free list, root, and one page for each of the other nine buckets. */
const FIXED_PAGES = 13;

/** Not to be used from two places at once: only the applier of the log writes. */
export class Store {
  readonly #index: KeyIndex;
  #revision: Revision;
  #compactRevision: Revision;

  constructor(from: StoredState = { compactRevision: 0, revisions: [] }) {
    this.#index = KeyIndex.load(from.revisions);
    this.#compactRevision = from.compactRevision;
    const last = this.#index.last?.main ?? 0;
    this.#revision = Math.max(FRESH_REVISION, last, from.compactRevision);
    assert(Number.isSafeInteger(this.#revision), 'revision must be a safe integer');
  }

  /** Bulk load; rows that an interrupted compaction left behind are dropped by the next one. */
  static restore(from: StoredState): Store {
    return new Store(from);
  }

  get revision(): Revision {
    return this.#revision;
  }

  /** Reads below it are refused, at it they are not; 0 before the first compaction. */
  get compactRevision(): Revision {
    return this.#compactRevision;
  }

  /** Keys that exist now. */
  get keyCount(): number {
    return this.#index.liveKeys;
  }

  /** Bytes of a checkpoint file written now, roughly. */
  get sizeBytes(): number {
    return (FIXED_PAGES + Math.ceil(this.#index.rowBytes / PAGE_BYTES)) * PAGE_BYTES;
  }

  /** Bytes of the rows in such a checkpoint, roughly. */
  get sizeInUseBytes(): number {
    return this.#index.rowBytes;
  }

  range(request: RangeRequest): Result<RangeResult, StoreError> {
    const refusal = checkReadable(this.#checkedAgainst(), request.revision);
    return refusal === undefined ? ok(evaluateRange(this.#index, request)) : err(refusal);
  }

  /** A transaction for which {@link isReadOnly} holds, evaluated at the present revision. */
  readTxn(request: TxnRequest): Result<TxnResult, StoreError> {
    assert(isReadOnly(request), 'a transaction with writes must go through the log');
    return this.txn(request);
  }

  put(request: PutRequest): Result<PutResult, StoreError> {
    const refusal = checkPut(this.#index, request);
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

  /** Forgets what no read at or after `revision` needs, and refuses reads before it. */
  compact(revision: Revision): Result<undefined, StoreError> {
    if (revision <= this.#compactRevision) return err('compacted');
    if (revision > this.#revision) return err('futureRevision');
    this.#compactRevision = revision;
    this.#index.compact(revision);
    return ok(undefined);
  }

  /** Costs one reference per thousand retained changes, so it may be taken at any size. */
  image(): StoreImage {
    let blocks: ReturnType<KeyIndex['blocks']> | undefined = this.#index.blocks();
    return {
      revision: this.#revision,
      compactRevision: this.#compactRevision,
      *revisions() {
        assert(blocks !== undefined, 'the image was released');
        for (const block of blocks) yield* block;
      },
      release() {
        blocks = undefined;
      },
    };
  }

  #write<Value>(run: (writer: Writer) => Value): Value {
    const writer = new Writer(this.#index, this.#revision + 1);
    const result = run(writer);
    if (writer.hasWritten) this.#revision++;
    assert((this.#index.last?.main ?? 0) <= this.#revision, 'a change is ahead of the revision');
    return result;
  }

  #checkedAgainst(): { index: KeyIndex; revision: Revision; compactRevision: Revision } {
    return {
      index: this.#index,
      revision: this.#revision,
      compactRevision: this.#compactRevision,
    };
  }
}
