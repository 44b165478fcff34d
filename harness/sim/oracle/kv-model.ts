/**
 * The store again, for the simulator to compare with: all versions of all keys, kept for ever,
 * and the meaning of requests spelled out. Compaction only refuses. Written without the store's
 * code, so that the two agree only if both are right.
 */
import type { LeaseId, Revision } from '../../../src/lib/ids.ts';
import { err, ok, type Result } from '../../../src/lib/result.ts';
import type {
  DeleteRangeRequest,
  DeleteRangeResult,
  KeyValue,
  PutRequest,
  PutResult,
  RangeRequest,
  RangeResult,
  RequestOp,
  ResponseOp,
  StoreError,
  TxnRequest,
  TxnResult,
} from '../../../src/mvcc/request.ts';
import { Digest } from './digest.ts';
import { answerRange, holds, isWithin } from './meaning.ts';
import { type ModelChange, type Version, Versions } from './versions.ts';

/** A change that a store has to keep. */
export interface ModelRow {
  readonly main: Revision;
  readonly sub: number;
  readonly key: string;
  readonly tombstone: boolean;
}

/** For each transaction, nested ones too, whether its guards hold. */
type Branches = ReadonlyMap<TxnRequest, boolean>;

export class Model {
  revision: Revision = 1;
  compactRevision: Revision = 0;
  readonly #versions = new Versions();
  readonly #digest = new Digest();
  #liveKeys = 0;
  /** Of the running request. */
  #changes = 0;
  readonly #hasLease: (id: LeaseId) => boolean;

  constructor(hasLease: (id: LeaseId) => boolean = () => false) {
    this.#hasLease = hasLease;
  }

  /** As it would have been answered when the revision was `now`. */
  range(request: RangeRequest, now: Revision = this.revision): Result<RangeResult, StoreError> {
    const refusal = this.#unreadable(request.revision, now);
    return refusal === undefined ? ok(this.#read(request, now)) : err(refusal);
  }

  put(request: PutRequest): Result<PutResult, StoreError> {
    return onlyResult(this.txn({ compare: [], success: [{ type: 'put', request }], failure: [] }));
  }

  deleteRange(request: DeleteRangeRequest): Result<DeleteRangeResult, StoreError> {
    const op: RequestOp = { type: 'deleteRange', request };
    return onlyResult(this.txn({ compare: [], success: [op], failure: [] }));
  }

  txn(request: TxnRequest): Result<TxnResult, StoreError> {
    const branches = this.#decide(request, this.revision);
    const refusal = this.#refusal(flatten(request, branches), this.revision);
    if (refusal !== undefined) return err(refusal);
    this.#changes = 0;
    // Steps see what the steps before them wrote, which has the revision to come.
    const result = this.#run(request, branches, this.revision + 1);
    if (this.#changes > 0) this.revision += 1;
    return ok(result);
  }

  /** A transaction of ranges only, as it would have been answered when the revision was `now`. */
  readTxn(request: TxnRequest, now: Revision): Result<TxnResult, StoreError> {
    const branches = this.#decide(request, now);
    const refusal = this.#refusal(flatten(request, branches), now);
    return refusal === undefined ? ok(this.#run(request, branches, now)) : err(refusal);
  }

  compact(revision: Revision): Result<undefined, StoreError> {
    if (revision > this.revision) return err('futureRevision');
    if (revision <= this.compactRevision) return err('compacted');
    this.compactRevision = revision;
    return ok(undefined);
  }

  /** A read at a revision that may be compacted by now: what it was answered before. */
  rangeBefore(request: RangeRequest, now: Revision): RangeResult {
    return this.#read(request, now);
  }

  /** Of a transaction of ranges only. */
  readTxnBefore(request: TxnRequest, now: Revision): TxnResult {
    return this.#run(request, this.#decide(request, now), now);
  }

  /** Keys that hung on the lease at the revision, in byte order. */
  keysOf(lease: LeaseId, revision: Revision = this.revision): Uint8Array[] {
    return this.#versions
      .select(ALL_KEYS, ALL_KEYS, revision)
      .filter((kv) => kv.lease === lease)
      .map((kv) => kv.key);
  }

  /** What happened to keys of a range at revisions in (after, upTo], in order. */
  changes(key: Uint8Array, rangeEnd: Uint8Array, after: Revision, upTo: Revision): ModelChange[] {
    return this.#versions.changes(key, rangeEnd, after, upTo);
  }

  /** Keys of a range that were there at the revision, in key order. */
  within(key: Uint8Array, rangeEnd: Uint8Array, revision: Revision): KeyValue[] {
    return this.#versions.select(key, rangeEnd, revision);
  }

  /** What a store of revision `upTo` must hold that was compacted at `compactRevision`, in order. */
  rows(
    compactRevision: Revision,
    upTo: Revision,
  ): Iterable<{ readonly key: Uint8Array; readonly version: Version }> {
    return this.#versions.retained(compactRevision, upTo);
  }

  liveKeys(): number {
    return this.#liveKeys;
  }

  /** Of all keys that exist now ({@link Digest}). */
  get digest(): number {
    return this.#digest.value;
  }

  /** What has to be kept: all after the compaction, and what a read at it needs. */
  retained(): ModelRow[] {
    const rows = this.#versions.all().flatMap(({ key, versions }) => {
      const isOld = (version: Version): boolean => version.main <= this.compactRevision;
      const readable = versions.findLast(isOld);
      return versions
        .filter((version) => {
          if (!isOld(version)) return true;
          const isNeeded = version.kv !== undefined || version.main === this.compactRevision;
          return version === readable && isNeeded;
        })
        .map(({ main, sub, kv }) => ({ main, sub, key, tombstone: kv === undefined }));
    });
    return rows.sort((a, b) => a.main - b.main || a.sub - b.sub);
  }

  #unreadable(revision: Revision, now: Revision): StoreError | undefined {
    if (revision <= 0) return undefined;
    if (revision > now) return 'futureRevision';
    return revision < this.compactRevision ? 'compacted' : undefined;
  }

  #read(request: RangeRequest, now: Revision): RangeResult {
    const at = request.revision > 0 ? request.revision : now;
    return answerRange(this.#versions.select(request.key, request.rangeEnd, at), request);
  }

  /** Guards see the state before the transaction, those of nested transactions too. */
  #decide(request: TxnRequest, now: Revision, branches = new Map<TxnRequest, boolean>()): Branches {
    const isSuccess = request.compare.every((compare) =>
      holds(compare, this.#versions.select(compare.key, compare.rangeEnd, now)),
    );
    branches.set(request, isSuccess);
    for (const op of isSuccess ? request.success : request.failure) {
      if (op.type === 'txn') this.#decide(op.request, now, branches);
    }
    return branches;
  }

  /** Of the first step that is refused. */
  #refusal(steps: readonly RequestOp[], now: Revision): StoreError | undefined {
    for (const [at, op] of steps.entries()) {
      if (op.type === 'range') {
        const refusal = this.#unreadable(op.request.revision, now);
        if (refusal !== undefined) return refusal;
      }
      if (op.type !== 'put') continue;
      if (op.request.lease !== 0n && !this.#hasLease(op.request.lease)) return 'leaseNotFound';
      if (!op.request.ignoreValue && !op.request.ignoreLease) continue;
      const isDeleted = steps
        .slice(0, at)
        .some((other) => other.type === 'deleteRange' && isWithin(op.request.key, other.request));
      const isThere = this.#versions.at(op.request.key, now) !== undefined;
      if (!isThere || isDeleted) return 'keyNotFound';
    }
    return undefined;
  }

  #run(request: TxnRequest, branches: Branches, at: Revision): TxnResult {
    const succeeded = branches.get(request) === true;
    const responses: ResponseOp[] = [];
    for (const op of succeeded ? request.success : request.failure) {
      if (op.type === 'range')
        responses.push({ type: op.type, result: this.#read(op.request, at) });
      if (op.type === 'put') responses.push({ type: op.type, result: this.#put(op.request) });
      if (op.type === 'deleteRange') {
        responses.push({ type: op.type, result: this.#delete(op.request, at) });
      }
      if (op.type === 'txn') {
        responses.push({ type: op.type, result: this.#run(op.request, branches, at) });
      }
    }
    return { succeeded, responses };
  }

  #put(request: PutRequest): PutResult {
    const main = this.revision + 1;
    const old = this.#versions.at(request.key, main);
    this.#record(request.key, old, {
      key: new Uint8Array(request.key),
      createRevision: old ? old.createRevision : main,
      modRevision: main,
      version: old ? old.version + 1 : 1,
      value: request.ignoreValue ? old!.value : new Uint8Array(request.value),
      lease: request.ignoreLease ? old!.lease : request.lease,
    });
    return { prevKv: request.prevKv ? old : undefined };
  }

  #delete(request: DeleteRangeRequest, at: Revision): DeleteRangeResult {
    const gone = this.#versions.select(request.key, request.rangeEnd, at);
    for (const kv of gone) this.#record(kv.key, kv, undefined);
    return { deleted: gone.length, prevKvs: request.prevKv ? gone : [] };
  }

  #record(key: Uint8Array, old: Version['kv'], kv: Version['kv']): void {
    this.#versions.add(key, { main: this.revision + 1, sub: this.#changes, kv });
    this.#changes += 1;
    this.#liveKeys += Number(kv !== undefined) - Number(old !== undefined);
    if (old !== undefined) this.#digest.remove(old);
    if (kv !== undefined) this.#digest.add(kv);
  }
}

/** The steps of the branches that run, in order. */
function flatten(request: TxnRequest, branches: Branches): RequestOp[] {
  const ops = branches.get(request) ? request.success : request.failure;
  return ops.flatMap((op) => (op.type === 'txn' ? flatten(op.request, branches) : [op]));
}

/** From the least key there can be, without an end. */
const ALL_KEYS = Uint8Array.of(0);

function onlyResult<Value>(result: Result<TxnResult, StoreError>): Result<Value, StoreError> {
  return result.ok ? ok(result.value.responses[0]!.result as Value) : result;
}
