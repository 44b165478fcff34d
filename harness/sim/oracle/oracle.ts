/**
 * Knows what every member must hold and what every answer must say, from the committed entries
 * alone: it applies them, once, to an independent model. Comparing changes nothing in it.
 */
import { assert } from '../../../src/lib/assert.ts';
import type { Index, LeaseId, RequestId, Revision } from '../../../src/lib/ids.ts';
import type { Result } from '../../../src/lib/result.ts';
import type { Member } from '../../../src/member/member.ts';
import type { Membership } from '../../../src/member/membership.ts';
import type { HashKvResult } from '../../../src/mvcc/hash-kv.ts';
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
} from '../../../src/mvcc/request.ts';
import type { Store } from '../../../src/mvcc/store.ts';
import { isReadOnly } from '../../../src/mvcc/txn.ts';
import type { ConfState, Entry } from '../../../src/raft/message.ts';
import type { Checkpoint } from '../../../src/snap/read-checkpoint.ts';
import type { AuthModel } from './auth-model.ts';
import {
  type ClusterModel,
  type ClusterOptions,
  type KvWrite,
  newCluster,
} from './cluster-model.ts';
import { difference, inWords } from './difference.ts';
import type { Model } from './kv-model.ts';
import { rowDifference } from './row-difference.ts';
import { type Summary, storeDifference } from './store-difference.ts';
import type { UpkeepModel } from './upkeep-model.ts';
import {
  memberStateWords,
  modelWords,
  SUBJECTS,
  type Subject,
  stateWords,
  tableWords,
  votersWords,
} from './upkeep-words.ts';
import type { ModelChange } from './versions.ts';

/** What a client was told; `revision` is the one in the header. */
export interface GivenAnswer<Value> {
  readonly revision: Revision;
  readonly result: Value;
}

/** A read, and how much the member that answered it had applied. */
export interface GivenRead<Value> extends GivenAnswer<Value> {
  readonly applied?: Index;
}

/** A committed request that was not refused, and what it was answered. */
interface Logged {
  readonly type: KvWrite['type'];
  readonly request: KvWrite['request'];
  readonly result: PutResult | DeleteRangeResult | TxnResult;
}

/** A lease that a committed entry ended. */
export interface RevokedLease {
  readonly id: LeaseId;
  /** By the cluster itself; otherwise somebody asked for it. */
  readonly hasExpired: boolean;
}

/** What committing an entry showed. */
export interface Committed {
  /** What is wrong with it. */
  readonly repeated: string | undefined;
  readonly revoked: RevokedLease | undefined;
}

/** Every `compare…` gives undefined, or one line that says what differs. */
export class Oracle {
  readonly #cluster: ClusterModel;
  /** By index: what there is besides keys. */
  readonly #upkeeps: UpkeepModel[];
  /** By index: the revision when that entry was applied. */
  readonly #revisions: Revision[];
  readonly #summaries = new Map<Revision, Summary>();
  /** By the revision after them: the one that made it, then those that changed nothing. */
  readonly #logged = new Map<Revision, Logged[]>();
  readonly #indexById = new Map<RequestId, Index>();
  /** By revision and compaction: what members said of it. */
  readonly #hashes = new Map<string, number>();

  constructor(options: Partial<ClusterOptions> = {}) {
    this.#cluster = newCluster(options);
    this.#upkeeps = [this.#cluster.upkeep];
    this.#revisions = [this.#model.revision];
    this.#summarise();
  }

  /**
   * The cluster's next committed entry, in index order; each once, whoever calls it committed.
   * A request that was committed before is told: stores that apply it twice would still agree.
   */
  commit(entry: Entry): Committed {
    const { index } = entry;
    assert(index === this.committed + 1, `entry ${index} after ${this.committed}`);
    const applied = this.#cluster.apply(entry);
    if (applied.kv !== undefined) this.#note(applied.kv);
    this.#revisions.push(this.#model.revision);
    this.#upkeeps.push(this.#cluster.upkeep);
    this.#summarise();
    const { id, revoked } = applied;
    // What members ask for themselves nobody waits for: it may be asked for twice.
    const before = id === 0n ? undefined : this.#indexById.get(id);
    if (id !== 0n) this.#indexById.set(id, index);
    const repeated =
      before === undefined ? undefined : `entry ${index} is the request of entry ${before} again`;
    return { repeated, revoked };
  }

  /** Index of the last committed entry; 0: none yet. */
  get committed(): Index {
    return this.#revisions.length - 1;
  }

  /** Of the last committed entry. */
  get revision(): Revision {
    return this.#model.revision;
  }

  /** What there is besides keys, by all that is committed. */
  get upkeep(): UpkeepModel {
    return this.#cluster.upkeep;
  }

  /** What there was besides keys when the entries up to `index` were applied. */
  upkeepAt(index: Index): UpkeepModel {
    const upkeep = this.#upkeeps[index];
    assert(upkeep !== undefined, `entry ${index} is not committed`);
    return upkeep;
  }

  authAt(index: Index): AuthModel {
    return this.upkeepAt(index).auth;
  }

  /** A store's revision when it has applied the entries up to `index`, a committed one. */
  revisionAt(index: Index): Revision {
    const revision = this.#revisions[index];
    assert(revision !== undefined, `entry ${index} is not committed`);
    return revision;
  }

  /** What happened to keys of a range at revisions in (after, upTo], in order. */
  changes(key: Uint8Array, rangeEnd: Uint8Array, after: Revision, upTo: Revision): ModelChange[] {
    return this.#model.changes(key, rangeEnd, after, upTo);
  }

  /** Keys of a range that were there at the revision, in key order. */
  keysIn(key: Uint8Array, rangeEnd: Uint8Array, revision: Revision): readonly KeyValue[] {
    return this.#model.within(key, rangeEnd, revision);
  }

  /** Keys that hung on the lease at the revision, in byte order. */
  keysOf(lease: LeaseId, revision: Revision): readonly Uint8Array[] {
    return this.#model.keysOf(lease, revision);
  }

  /** The present of a store that has applied the entries up to `applied`. */
  compareStore(applied: Index, store: Store): string | undefined {
    if (applied > this.committed) return `${applied} entries applied, ${this.committed} committed`;
    const revision = this.revisionAt(applied);
    const place = `the store at applied index ${applied}`;
    if (store.revision !== revision) {
      return `${place} is at revision ${store.revision}, the model says ${revision}`;
    }
    const { keyCount } = this.#summaryAt(revision);
    if (store.keyCount !== keyCount) {
      return `${place} counts ${store.keyCount} keys, the model ${keyCount}`;
    }
    const found = storeDifference(store, this.#model, revision, this.#summaryAt(revision));
    return found === undefined ? undefined : `${place} (revision ${revision}): ${found}`;
  }

  /** What such a store says about a past revision, 1 to its present one. */
  compareHistory(applied: Index, store: Store, revision: Revision): string | undefined {
    if (applied > this.committed) return `${applied} entries applied, ${this.committed} committed`;
    assert(revision >= 1 && revision <= this.revisionAt(applied), `no past revision: ${revision}`);
    const { compactRevision } = this.upkeepAt(applied);
    const place = `revision ${revision} in the store at applied index ${applied}`;
    if (revision < compactRevision) {
      const read = store.hashKvSteps(revision);
      return read.ok || read.error !== 'compacted'
        ? `${place} is readable, though compacted at ${compactRevision}`
        : undefined;
    }
    const found = storeDifference(store, this.#model, revision, this.#summaryAt(revision));
    return found === undefined ? undefined : `${place}: ${found}`;
  }

  /** All that such a store holds, of the past too. For when it is new: it costs a look at each row. */
  compareRows(applied: Index, store: Store): string | undefined {
    if (applied > this.committed) return `${applied} entries applied, ${this.committed} committed`;
    const image = store.image();
    const { compactRevision } = image;
    const expected = this.#model.rows(compactRevision, this.revisionAt(applied));
    const found = rowDifference(image.revisions(), expected);
    image.release();
    return found === undefined ? undefined : `rows at applied index ${applied}: ${found}`;
  }

  /** Everything that a checkpoint says. */
  compareCheckpoint(checkpoint: Checkpoint): string | undefined {
    const { index, compactRevision } = checkpoint;
    const place = `the checkpoint at index ${index}`;
    if (index > this.committed) return `${place}, ${this.committed} are committed`;
    const model = this.upkeepAt(index);
    const [actual, expected] = [stateWords(checkpoint), modelWords(model)];
    for (const subject of SUBJECTS) {
      if (model.members.size === 0 && (subject === 'voters' || subject === 'members')) continue;
      if (actual[subject] === expected[subject]) continue;
      return `${place}: ${subject}: ${actual[subject]}; the model says ${expected[subject]}`;
    }
    const rows = this.#model.rows(compactRevision, this.revisionAt(index));
    const found = rowDifference(checkpoint.revisions(), rows);
    return found === undefined ? undefined : `${place}: ${found}`;
  }

  /** Members say the same of a revision, however much each has removed of what is compacted. */
  compareHash(applied: Index, store: Store, revision: Revision): string | undefined {
    const hash = store.hashKv(Math.max(revision, store.compactRevision));
    if (!hash.ok) return `the hash of revision ${revision} at ${applied} is refused: ${hash.error}`;
    return this.compareHashed(hash.value);
  }

  /** As a member says it. */
  compareHashed({ hash, compactRevision, hashRevision }: HashKvResult): string | undefined {
    const key = `${hashRevision} ${compactRevision}`;
    const known = this.#hashes.get(key) ?? hash;
    this.#hashes.set(key, known);
    if (known === hash) return undefined;
    return `revision ${hashRevision}, compacted at ${compactRevision}, hashes to ${hash}; another says ${known}`;
  }

  /** Everything but keys, of a member: what differs first, and how. */
  compareUpkeep(member: Member): { readonly subject: Subject; readonly words: string } | undefined {
    const { applied } = member.machine;
    if (applied > this.committed) return undefined;
    const model = this.upkeepAt(applied);
    const expected = modelWords(model);
    const actual = memberStateWords(member);
    // Raft has a snapshot's members before the state machine has its state.
    const { log } = member.core;
    const isBetween = log.pendingSnapshot !== undefined || log.applied !== applied;
    for (const subject of SUBJECTS) {
      if (subject === 'voters' && isBetween) continue;
      // Of members that were not begun as a cluster is, nothing is known.
      if (model.members.size === 0 && (subject === 'voters' || subject === 'members')) continue;
      if (actual[subject] === expected[subject]) continue;
      return { subject, words: `${actual[subject]}; the model says ${expected[subject]}` };
    }
    return this.#compareAttachments(member);
  }

  /** Who belongs to the cluster, by the log up to `index`: in the table, and for raft. */
  compareMembers(
    index: Index,
    { table, conf }: { readonly table?: Membership; readonly conf: ConfState | undefined },
  ): string | undefined {
    const model = this.upkeepAt(index);
    if (model.members.size === 0) return undefined;
    const { members, voters } = modelWords(model);
    const found = table === undefined ? members : tableWords(table.list(), table.removed());
    if (found !== members) return `${found}; the model says ${members}`;
    const counted = conf === undefined ? voters : votersWords(conf);
    return counted === voters ? undefined : `${counted}; the model says ${voters}`;
  }

  /** Linearizable or not: stale is one thing, wrong another. */
  compareRange(request: RangeRequest, answer: GivenRead<RangeResult>): string | undefined {
    return this.#compareRead('range', request, answer, {
      reads: [request],
      evaluate: () => this.#model.rangeBefore(request, answer.revision),
    });
  }

  comparePut(request: PutRequest, answer: GivenAnswer<PutResult>): string | undefined {
    return this.#compareLogged({ type: 'put', request }, answer);
  }

  compareDeleteRange(
    request: DeleteRangeRequest,
    answer: GivenAnswer<DeleteRangeResult>,
  ): string | undefined {
    return this.#compareLogged({ type: 'deleteRange', request }, answer);
  }

  /** One that only reads never goes through the log. */
  compareTxn(request: TxnRequest, answer: GivenRead<TxnResult>): string | undefined {
    if (!isReadOnly(request)) return this.#compareLogged({ type: 'txn', request }, answer);
    const taken = answer.result.succeeded ? request.success : request.failure;
    return this.#compareRead('txn', request, answer, {
      reads: taken.flatMap((op) => (op.type === 'range' ? [op.request] : [])),
      evaluate: () => this.#model.readTxnBefore(request, answer.revision),
    });
  }

  get #model(): Model {
    return this.#cluster.store;
  }

  #note({
    request,
    result,
  }: {
    readonly request: KvWrite;
    readonly result: Result<Logged['result'], StoreError>;
  }): void {
    if (!result.ok) return;
    const logged = this.#logged.get(this.#model.revision) ?? [];
    logged.push({ ...request, result: result.value });
    this.#logged.set(this.#model.revision, logged);
  }

  /** A lease knows its keys, and keys know their lease. */
  #compareAttachments({ machine }: Member): { subject: Subject; words: string } | undefined {
    const { lessor } = machine.state;
    for (const { id } of lessor.records()) {
      const actual = lessor.keysOf(id);
      const expected = this.keysOf(id, this.revisionAt(machine.applied));
      const found = difference(actual, expected);
      if (found !== undefined) return { subject: 'leases', words: `keys of ${id}: ${found}` };
    }
    return undefined;
  }

  /** It must have been committed, there, and with that result. */
  #compareLogged(
    { type, request }: KvWrite,
    answer: GivenAnswer<Logged['result']>,
  ): string | undefined {
    const place = placeOf(type, request, answer.revision);
    const unknown = this.#unknownRevision(answer.revision);
    if (unknown !== undefined) return `${place}: ${unknown}`;
    const logged = this.#logged.get(answer.revision) ?? [];
    const same = logged.filter(
      (other) => other.type === type && difference(request, other.request) === undefined,
    );
    if (same.length === 0) {
      const others = logged.map((other) => `${other.type} ${inWords(other.request)}`);
      return `${place}: never committed there, but ${others.join(', ') || 'nothing else either'}`;
    }
    const found = same.map(({ result }) => difference(answer.result, result));
    return found.includes(undefined) ? undefined : `${place}: ${found[0]}`;
  }

  /** `evaluate`: the same on the model, at the answer's revision. */
  #compareRead(
    type: string,
    request: unknown,
    answer: GivenRead<unknown>,
    { reads, evaluate }: { readonly reads: readonly RangeRequest[]; evaluate: () => unknown },
  ): string | undefined {
    const place = placeOf(type, request, answer.revision);
    const unknown = this.#unknownRevision(answer.revision);
    if (unknown !== undefined) return `${place}: ${unknown}`;
    const compacted =
      answer.applied === undefined ? 0 : this.upkeepAt(answer.applied).compactRevision;
    for (const { revision } of reads) {
      if (revision > answer.revision) return `${place}: the model refuses it: futureRevision`;
      if (revision > 0 && revision < compacted) return `${place}: the model refuses it: compacted`;
    }
    const found = difference(answer.result, evaluate());
    return found === undefined ? undefined : `${place}: ${found}`;
  }

  #unknownRevision(revision: Revision): string | undefined {
    const { revision: newest } = this.#model;
    if (revision > newest) return `an answer from the future, ${newest} is the last committed`;
    return this.#summaries.has(revision) ? undefined : 'there is no such revision';
  }

  #summaryAt(revision: Revision): Summary {
    return this.#summaries.get(revision)!;
  }

  #summarise(): void {
    const { revision, digest } = this.#model;
    this.#summaries.set(revision, { keyCount: this.#model.liveKeys(), digest });
  }
}

function placeOf(type: string, request: unknown, revision: Revision): string {
  return `${type} ${inWords(request)} at revision ${revision}`;
}
