/**
 * The store again, as a list of everything that ever happened, replayed for each question.
 * Nothing is indexed and nothing forgotten: compaction only refuses. Slow, and written without
 * the store's code, so that the two agree only if both are right.
 */
import { err, ok, type Result } from '../../src/lib/result.ts';
import { utf8Decode, utf8Encode } from '../../src/lib/utf8.ts';
import type {
  Compare,
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
} from '../../src/mvcc/request.ts';

/** `kv` undefined: a deletion. */
interface Event {
  readonly main: number;
  readonly sub: number;
  readonly key: string;
  readonly kv: KeyValue | undefined;
}

export interface ModelRow {
  readonly main: number;
  readonly sub: number;
  readonly key: string;
  readonly tombstone: boolean;
}

export class Model {
  events: Event[] = [];
  revision = 1;
  compactRevision = 0;

  range(request: RangeRequest): Result<RangeResult, StoreError> {
    const refusal = this.#unreadable(request.revision);
    return refusal ? err(refusal) : ok(this.#read(request));
  }

  put(request: PutRequest): Result<PutResult, StoreError> {
    return unwrap(this.txn({ compare: [], success: [{ type: 'put', request }], failure: [] }));
  }

  deleteRange(request: DeleteRangeRequest): Result<DeleteRangeResult, StoreError> {
    return unwrap(
      this.txn({ compare: [], success: [{ type: 'deleteRange', request }], failure: [] }),
    );
  }

  txn(request: TxnRequest): Result<TxnResult, StoreError> {
    const branches = new Map<TxnRequest, boolean>();
    this.#decide(request, branches);
    const order = flatten(request, branches);
    for (const [at, op] of order.entries()) {
      const refusal = this.#refusal(op, order.slice(0, at));
      if (refusal) return err(refusal);
    }
    const before = this.events.length;
    const result = this.#run(request, branches);
    if (this.events.length > before) this.revision += 1;
    return ok(result);
  }

  compact(revision: number): Result<undefined, StoreError> {
    if (revision > this.revision) return err('futureRevision');
    if (revision <= this.compactRevision) return err('compacted');
    this.compactRevision = revision;
    return ok(undefined);
  }

  /** What has to be kept: all after the compaction, and what a read at it needs. */
  retained(): ModelRow[] {
    const isKept = (event: Event, at: number): boolean => {
      if (event.main > this.compactRevision) return true;
      const later = this.events.slice(at + 1).filter((other) => other.key === event.key);
      if (later.some((other) => other.main <= this.compactRevision)) return false;
      return event.kv !== undefined || event.main === this.compactRevision;
    };
    return this.events
      .filter(isKept)
      .map(({ main, sub, key, kv }) => ({ main, sub, key, tombstone: kv === undefined }));
  }

  liveKeys(): number {
    return this.#state(Number.MAX_SAFE_INTEGER).size;
  }

  #state(revision: number): Map<string, KeyValue> {
    const state = new Map<string, KeyValue>();
    for (const event of this.events) {
      if (event.main > revision) break;
      if (event.kv) state.set(event.key, event.kv);
      else state.delete(event.key);
    }
    return state;
  }

  #select(key: Uint8Array, rangeEnd: Uint8Array, revision: number): KeyValue[] {
    return [...this.#state(revision)]
      .filter(([name]) => within(name, utf8Decode(key), utf8Decode(rangeEnd)))
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([, kv]) => kv);
  }

  #unreadable(revision: number): StoreError | undefined {
    if (revision <= 0) return undefined;
    if (revision > this.revision) return 'futureRevision';
    return revision < this.compactRevision ? 'compacted' : undefined;
  }

  #read(request: RangeRequest): RangeResult {
    const at = request.revision > 0 ? request.revision : Number.MAX_SAFE_INTEGER;
    const all = this.#select(request.key, request.rangeEnd, at);
    if (request.countOnly) return { kvs: [], more: false, count: all.length };
    const filters: [number, (kv: KeyValue, bound: number) => boolean][] = [
      [request.minModRevision, (kv, bound) => kv.modRevision >= bound],
      [request.maxModRevision, (kv, bound) => kv.modRevision <= bound],
      [request.minCreateRevision, (kv, bound) => kv.createRevision >= bound],
      [request.maxCreateRevision, (kv, bound) => kv.createRevision <= bound],
    ];
    const active = filters.filter(([bound]) => bound !== 0);
    let kvs = all.filter((kv) => active.every(([bound, test]) => test(kv, bound)));
    // etcd cuts before it sorts when a target is named without an order.
    if (request.limit > 0 && request.sortOrder === 'none' && active.length === 0) {
      kvs = kvs.slice(0, request.limit + 1);
    }
    kvs = arrange(kvs, request);
    const more = request.limit > 0 && kvs.length > request.limit;
    if (more) kvs = kvs.slice(0, request.limit);
    if (request.keysOnly) kvs = kvs.map((kv) => ({ ...kv, value: new Uint8Array(0) }));
    return { kvs, more, count: all.length };
  }

  #decide(request: TxnRequest, branches: Map<TxnRequest, boolean>): void {
    const holds = request.compare.every((compare) => this.#holds(compare));
    branches.set(request, holds);
    for (const op of holds ? request.success : request.failure) {
      if (op.type === 'txn') this.#decide(op.request, branches);
    }
  }

  #holds(compare: Compare): boolean {
    const kvs = this.#select(compare.key, compare.rangeEnd, Number.MAX_SAFE_INTEGER);
    if (kvs.length > 0) return kvs.every((kv) => satisfies(compare, kv));
    if (compare.target === 'value') return false;
    const empty = new Uint8Array(0);
    const zero = { key: empty, createRevision: 0, modRevision: 0, version: 0, value: empty };
    return satisfies(compare, { ...zero, lease: 0n });
  }

  #refusal(op: RequestOp, earlier: RequestOp[]): StoreError | undefined {
    if (op.type === 'range') return this.#unreadable(op.request.revision);
    if (op.type !== 'put') return undefined;
    if (op.request.lease !== 0n) return 'leaseNotFound';
    if (!op.request.ignoreValue && !op.request.ignoreLease) return undefined;
    const key = utf8Decode(op.request.key);
    const isDeleted = earlier.some(
      (other) =>
        other.type === 'deleteRange' &&
        within(key, utf8Decode(other.request.key), utf8Decode(other.request.rangeEnd)),
    );
    const exists = this.#state(Number.MAX_SAFE_INTEGER).has(key);
    return exists && !isDeleted ? undefined : 'keyNotFound';
  }

  #run(request: TxnRequest, branches: Map<TxnRequest, boolean>): TxnResult {
    const succeeded = branches.get(request) === true;
    const responses: ResponseOp[] = [];
    for (const op of succeeded ? request.success : request.failure) {
      if (op.type === 'range') responses.push({ type: 'range', result: this.#read(op.request) });
      if (op.type === 'put') responses.push({ type: 'put', result: this.#put(op.request) });
      if (op.type === 'deleteRange') {
        responses.push({ type: 'deleteRange', result: this.#delete(op.request) });
      }
      if (op.type === 'txn') {
        responses.push({ type: 'txn', result: this.#run(op.request, branches) });
      }
    }
    return { succeeded, responses };
  }

  #put(request: PutRequest): PutResult {
    const key = utf8Decode(request.key);
    const old = this.#state(Number.MAX_SAFE_INTEGER).get(key);
    const main = this.revision + 1;
    this.#record(key, {
      key: utf8Encode(key),
      createRevision: old ? old.createRevision : main,
      modRevision: main,
      version: old ? old.version + 1 : 1,
      value: request.ignoreValue ? old!.value : request.value,
      lease: request.ignoreLease ? old!.lease : request.lease,
    });
    return { prevKv: request.prevKv ? old : undefined };
  }

  #delete(request: DeleteRangeRequest): DeleteRangeResult {
    const gone = this.#select(request.key, request.rangeEnd, Number.MAX_SAFE_INTEGER);
    for (const kv of gone) this.#record(utf8Decode(kv.key), undefined);
    return { deleted: gone.length, prevKvs: request.prevKv ? gone : [] };
  }

  #record(key: string, kv: KeyValue | undefined): void {
    const main = this.revision + 1;
    const sub = this.events.filter((event) => event.main === main).length;
    this.events.push({ main, sub, key, kv });
  }
}

/** Names of tests are ASCII, so the order of the texts is the order of the bytes. */
function within(name: string, key: string, rangeEnd: string): boolean {
  if (rangeEnd === '') return name === key;
  return name >= key && (rangeEnd === '\0' || name < rangeEnd);
}

function flatten(request: TxnRequest, branches: Map<TxnRequest, boolean>): RequestOp[] {
  const ops = branches.get(request) ? request.success : request.failure;
  return ops.flatMap((op) => (op.type === 'txn' ? flatten(op.request, branches) : [op]));
}

function arrange(kvs: KeyValue[], request: RangeRequest): KeyValue[] {
  const field = (kv: KeyValue): number | string => {
    const { sortTarget } = request;
    if (sortTarget === 'key') return utf8Decode(kv.key);
    if (sortTarget === 'value') return utf8Decode(kv.value);
    if (sortTarget === 'version') return kv.version;
    return sortTarget === 'mod' ? kv.modRevision : kv.createRevision;
  };
  const sign = request.sortOrder === 'descend' ? -1 : 1;
  return kvs.toSorted((a, b) => {
    if (field(a) === field(b)) return 0;
    return field(a) < field(b) ? -sign : sign;
  });
}

function satisfies(compare: Compare, kv: KeyValue): boolean {
  const [left, right] = operands(compare, kv);
  switch (compare.result) {
    case 'equal':
      return left === right;
    case 'notEqual':
      return left !== right;
    case 'greater':
      return left > right;
    case 'less':
      return left < right;
  }
}

type Operand = number | bigint | string;

function operands(compare: Compare, kv: KeyValue): [Operand, Operand] {
  if (compare.target === 'value') return [utf8Decode(kv.value), utf8Decode(compare.operand)];
  if (compare.target === 'lease') return [kv.lease, compare.operand];
  if (compare.target === 'version') return [kv.version, compare.operand];
  const revision = compare.target === 'mod' ? kv.modRevision : kv.createRevision;
  return [revision, compare.operand];
}

function unwrap<Value>(result: Result<TxnResult, StoreError>): Result<Value, StoreError> {
  return result.ok ? ok(result.value.responses[0]!.result as Value) : result;
}
