/**
 * Knows what every store must hold and what every answer must say, from the committed entries
 * alone: it applies them, once, to an independent model. Comparing changes nothing in it.
 */
import { assert, assertNever } from '../../../src/lib/assert.ts';
import type { Index, RequestId, Revision } from '../../../src/lib/ids.ts';
import type { Result } from '../../../src/lib/result.ts';
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
} from '../../../src/mvcc/request.ts';
import type { Store } from '../../../src/mvcc/store.ts';
import { isReadOnly } from '../../../src/mvcc/txn.ts';
import type { Entry } from '../../../src/raft/message.ts';
import type { InternalRequest, LoggedRequest } from '../../../src/wire/internal-request.ts';
import { decodeLoggedRequest } from '../../../src/wire/logged-request.ts';
import { difference, inWords } from './difference.ts';
import { Model } from './kv-model.ts';
import { type Summary, storeDifference } from './store-difference.ts';

/** What a client was told; `revision` is the one in the header. */
export interface GivenAnswer<Value> {
  readonly revision: Revision;
  readonly result: Value;
}

type Write = Exclude<InternalRequest, { readonly type: 'memberAttributes' }>;

/** A committed request that was not refused, and what it was answered. */
interface Logged {
  readonly request: Write;
  readonly result: PutResult | DeleteRangeResult | TxnResult;
}

/** Every `compare…` gives undefined, or one line that says what differs. */
export class Oracle {
  readonly #model = new Model();
  /** By index: the revision when that entry was applied. */
  readonly #revisions: Revision[] = [this.#model.revision];
  readonly #summaries = new Map<Revision, Summary>();
  /** By the revision after them: the one that made it, then those that changed nothing. */
  readonly #logged = new Map<Revision, Logged[]>();
  readonly #indexById = new Map<RequestId, Index>();

  constructor() {
    this.#summarise();
  }

  /**
   * The cluster's next committed entry, in index order; each once, whoever calls it committed.
   * A request that was committed before is told: stores that apply it twice would still agree.
   */
  commit(entry: Entry): string | undefined {
    const { index } = entry;
    assert(index === this.committed + 1, `entry ${index} after ${this.committed}`);
    const logged = loggedIn(entry);
    if (logged !== undefined && logged.request.type !== 'memberAttributes') {
      this.#apply(logged.request);
    }
    this.#revisions.push(this.#model.revision);
    this.#summarise();
    if (logged === undefined) return undefined;
    const before = this.#indexById.get(logged.id);
    this.#indexById.set(logged.id, index);
    if (before === undefined) return undefined;
    return `entry ${index} is the request of entry ${before} again`;
  }

  /** Index of the last committed entry; 0: none yet. */
  get committed(): Index {
    return this.#revisions.length - 1;
  }

  /** A store's revision when it has applied the entries up to `index`, a committed one. */
  revisionAt(index: Index): Revision {
    const revision = this.#revisions[index];
    assert(revision !== undefined, `entry ${index} is not committed`);
    return revision;
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
    const found = storeDifference(store, this.#model, revision, this.#summaryAt(revision));
    if (found === undefined) return undefined;
    return `revision ${revision} in the store at applied index ${applied}: ${found}`;
  }

  /** Linearizable or not: stale is one thing, wrong another. */
  compareRange(request: RangeRequest, answer: GivenAnswer<RangeResult>): string | undefined {
    return this.#compareRead('range', request, answer, () =>
      this.#model.range(request, answer.revision),
    );
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
  compareTxn(request: TxnRequest, answer: GivenAnswer<TxnResult>): string | undefined {
    if (!isReadOnly(request)) return this.#compareLogged({ type: 'txn', request }, answer);
    return this.#compareRead('txn', request, answer, () =>
      this.#model.readTxn(request, answer.revision),
    );
  }

  #apply(request: Write): void {
    const result = this.#resultOf(request);
    if (!result.ok) return;
    const logged = this.#logged.get(this.#model.revision) ?? [];
    logged.push({ request, result: result.value });
    this.#logged.set(this.#model.revision, logged);
  }

  #resultOf(request: Write): Result<Logged['result'], StoreError> {
    switch (request.type) {
      case 'put':
        return this.#model.put(request.request);
      case 'deleteRange':
        return this.#model.deleteRange(request.request);
      case 'txn':
        return this.#model.txn(request.request);
      default:
        return assertNever(request);
    }
  }

  /** It must have been committed, there, and with that result. */
  #compareLogged(
    { type, request }: Write,
    answer: GivenAnswer<Logged['result']>,
  ): string | undefined {
    const place = placeOf(type, request, answer.revision);
    const unknown = this.#unknownRevision(answer.revision);
    if (unknown !== undefined) return `${place}: ${unknown}`;
    const logged = this.#logged.get(answer.revision) ?? [];
    const same = logged.filter(
      (other) =>
        other.request.type === type && difference(request, other.request.request) === undefined,
    );
    if (same.length === 0) {
      const others = logged.map(
        (other) => `${other.request.type} ${inWords(other.request.request)}`,
      );
      return `${place}: never committed there, but ${others.join(', ') || 'nothing else either'}`;
    }
    const found = same.map(({ result }) => difference(answer.result, result));
    return found.includes(undefined) ? undefined : `${place}: ${found[0]}`;
  }

  /** `evaluate`: the same on the model, at the answer's revision. */
  #compareRead(
    type: string,
    request: unknown,
    answer: GivenAnswer<unknown>,
    evaluate: () => Result<unknown, StoreError>,
  ): string | undefined {
    const place = placeOf(type, request, answer.revision);
    const unknown = this.#unknownRevision(answer.revision);
    if (unknown !== undefined) return `${place}: ${unknown}`;
    const expected = evaluate();
    if (!expected.ok) return `${place}: the model refuses it: ${expected.error}`;
    const found = difference(answer.result, expected.value);
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

/** undefined: the entry holds no request. */
function loggedIn(entry: Entry): LoggedRequest | undefined {
  // A new leader's no-op has no data.
  if (entry.type === 'confChange' || entry.data.length === 0) return undefined;
  // A copy, because decoded requests look into the bytes they came from.
  const logged = decodeLoggedRequest(new Uint8Array(entry.data));
  assert(logged.ok, `entry ${entry.index} holds no request this version knows`);
  return logged.value;
}

function placeOf(type: string, request: unknown, revision: Revision): string {
  return `${type} ${inWords(request)} at revision ${revision}`;
}
