import type { Services } from '../../src/api/services.ts';
import { compareBytes } from '../../src/lib/bytes.ts';
import { err, ok, type Result } from '../../src/lib/result.ts';
import { utf8Decode } from '../../src/lib/utf8.ts';
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
  TxnRequest,
  TxnResult,
} from '../../src/mvcc/request.ts';
import type { ServiceError } from '../../src/service/errors.ts';
import type { Answer } from '../../src/service/response.ts';

/** Services over a plain map, with hooks for what tests need of them. */

export const CLUSTER_ID = 0xfedc_ba98_7654_3210n;
export const MEMBER_ID = 0x8e9e_05c5_2164_694dn;

export interface FakeServices extends Services {
  /** Runs in front of every KV call; an error is answered instead. */
  before: (name: string) => Promise<ServiceError | undefined>;
  healthy: boolean;
  isLed: boolean;
  calls: string[];
}

export function fakeServices(): FakeServices {
  const store = new FakeStore();
  const answerWith = <Value>(result: Value): Result<Answer<Value>, ServiceError> =>
    ok({
      header: {
        clusterId: CLUSTER_ID,
        memberId: MEMBER_ID,
        revision: store.revision,
        raftTerm: 7,
      },
      result,
    });
  const run = async <Value>(
    name: string,
    work: () => Value,
  ): Promise<Result<Answer<Value>, ServiceError>> => {
    services.calls.push(name);
    const refusal = await services.before(name);
    return refusal === undefined ? answerWith(work()) : err(refusal);
  };
  const services: FakeServices = {
    before: async () => undefined,
    healthy: true,
    isLed: true,
    hasLeader: () => services.isLed,
    calls: [],
    kv: partly<Services['kv']>({
      openRange: (request) => run('range', () => store.range(request)),
      put: (request) => run('put', () => store.write(() => store.put(request))),
      deleteRange: (request) =>
        run('deleteRange', () => store.write(() => store.deleteRange(request))),
      txn: (request) => run('txn', () => store.write(() => store.txn(request))),
    }),
    maintenance: partly<Services['maintenance']>({
      status: async () =>
        answerWith({
          clusterId: CLUSTER_ID,
          memberId: MEMBER_ID,
          leader: services.isLed ? MEMBER_ID : undefined,
          term: 7,
          raftIndex: 21,
          appliedIndex: 20,
          revision: store.revision,
          dbSizeBytes: 8192,
          dbSizeInUseBytes: 4096,
          isLearner: false,
          version: '3.6.0',
          errors: [],
          storageVersion: '3.6.0',
          dbSizeQuotaBytes: 2_147_483_648,
          downgradeTo: undefined,
        }),
    }),
    cluster: partly<Services['cluster']>({
      memberList: async () =>
        answerWith({
          members: [
            {
              id: MEMBER_ID,
              name: 'm1',
              peerUrls: ['http://127.0.0.1:2380'],
              clientUrls: ['http://127.0.0.1:2379'],
              isLearner: false,
            },
          ],
        }),
    }),
    watch: partly<Services['watch']>({}),
    lease: partly<Services['lease']>({}),
    auth: partly<Services['auth']>({}),
    lock: partly<Services['lock']>({}),
    election: partly<Services['election']>({}),
  };
  return services;
}

/** Calls that the fake does not have are refused. */
function partly<Service extends object>(calls: Partial<Service>): Service {
  const refuse = async (): Promise<Result<never, ServiceError>> => err(NOT_HERE);
  return new Proxy(calls, {
    get: (target, name) => Reflect.get(target, name) ?? refuse,
  }) as Service;
}

const NOT_HERE: ServiceError = { code: 12, message: 'the fake has no such call', definite: true };

class FakeStore {
  revision = 1;
  private readonly byKey = new Map<string, KeyValue>();

  write<Value>(work: () => Value): Value {
    this.revision += 1;
    return work();
  }

  range(request: RangeRequest): RangeResult {
    const found = this.inRange(request.key, request.rangeEnd);
    const kvs = request.limit > 0 ? found.slice(0, request.limit) : found;
    return {
      kvs: request.countOnly ? [] : kvs,
      more: kvs.length < found.length,
      count: found.length,
    };
  }

  put(request: PutRequest): PutResult {
    const name = nameOf(request.key);
    const before = this.byKey.get(name);
    this.byKey.set(name, {
      // Requests alias their input: what is kept is copied.
      key: request.key.slice(),
      createRevision: before?.createRevision ?? this.revision,
      modRevision: this.revision,
      version: (before?.version ?? 0) + 1,
      value: request.value.slice(),
      lease: request.lease,
    });
    return { prevKv: request.prevKv ? before : undefined };
  }

  deleteRange(request: DeleteRangeRequest): DeleteRangeResult {
    const found = this.inRange(request.key, request.rangeEnd);
    for (const kv of found) this.byKey.delete(nameOf(kv.key));
    return { deleted: found.length, prevKvs: request.prevKv ? found : [] };
  }

  txn(request: TxnRequest): TxnResult {
    const succeeded = request.compare.every((compare) => this.holds(compare));
    const ops = succeeded ? request.success : request.failure;
    return { succeeded, responses: ops.map((op) => this.apply(op)) };
  }

  private apply(op: RequestOp): ResponseOp {
    if (op.type === 'range') return { type: 'range', result: this.range(op.request) };
    if (op.type === 'put') return { type: 'put', result: this.put(op.request) };
    if (op.type === 'txn') return { type: 'txn', result: this.txn(op.request) };
    return { type: 'deleteRange', result: this.deleteRange(op.request) };
  }

  /** Equality only: enough for what the tests ask. */
  private holds(compare: Compare): boolean {
    const kv = this.byKey.get(nameOf(compare.key));
    if (compare.target === 'value') {
      return kv !== undefined && compareBytes(kv.value, compare.operand) === 0;
    }
    if (compare.target === 'version') return (kv?.version ?? 0) === compare.operand;
    if (compare.target === 'mod') return (kv?.modRevision ?? 0) === compare.operand;
    if (compare.target === 'create') return (kv?.createRevision ?? 0) === compare.operand;
    return (kv?.lease ?? 0n) === compare.operand;
  }

  private inRange(key: Uint8Array, rangeEnd: Uint8Array): KeyValue[] {
    if (rangeEnd.length === 0) {
      const kv = this.byKey.get(nameOf(key));
      return kv === undefined ? [] : [kv];
    }
    const open = rangeEnd.length === 1 && rangeEnd[0] === 0;
    return [...this.byKey.values()]
      .filter((kv) => compareBytes(kv.key, key) >= 0)
      .filter((kv) => open || compareBytes(kv.key, rangeEnd) < 0)
      .sort((a, b) => compareBytes(a.key, b.key));
  }
}

function nameOf(key: Uint8Array): string {
  return utf8Decode(key);
}
