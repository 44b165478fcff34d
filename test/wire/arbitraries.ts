import fc from 'fast-check';
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
import type { LoggedRequest } from '../../src/wire/internal-request.ts';
import type { HeaderMessage } from '../../src/wire/kv-messages.ts';

/** Values of every message, with the edges of their number ranges among them. */

/** Where fast-check begins; one number, so that every run tests the same. */
export const PROPERTY: fc.Parameters<unknown> = { seed: 20_260_101, numRuns: 150 };

export const bytes: fc.Arbitrary<Uint8Array> = fc.oneof(
  fc.uint8Array({ maxLength: 40 }),
  // Around where a length takes a second byte, and a third.
  fc.constantFrom(126, 127, 128, 129, 16_383, 16_384, 20_000).map((n) => new Uint8Array(n).fill(7)),
);
const anyInt64 = fc.oneof(fc.maxSafeInteger(), fc.integer({ min: -300, max: 300 }));
const revision = fc.oneof(fc.maxSafeNat(), fc.integer({ min: 0, max: 300 }));
const lease = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
const id = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });

export const header: fc.Arbitrary<HeaderMessage> = fc.record({
  clusterId: id,
  memberId: id,
  revision,
  raftTerm: revision,
});

export const keyValue: fc.Arbitrary<KeyValue> = fc.record({
  key: bytes,
  createRevision: revision,
  modRevision: revision,
  version: revision,
  value: bytes,
  lease,
});

/** Keys are not empty, as in every request that is accepted. */
const key = bytes.filter((value) => value.length > 0);

export const rangeRequest: fc.Arbitrary<RangeRequest> = fc.record({
  key,
  rangeEnd: bytes,
  limit: anyInt64,
  revision: anyInt64,
  sortOrder: fc.constantFrom('none', 'ascend', 'descend'),
  sortTarget: fc.constantFrom('key', 'version', 'create', 'mod', 'value'),
  serializable: fc.boolean(),
  keysOnly: fc.boolean(),
  countOnly: fc.boolean(),
  minModRevision: anyInt64,
  maxModRevision: anyInt64,
  minCreateRevision: anyInt64,
  maxCreateRevision: anyInt64,
});

export const rangeResult: fc.Arbitrary<RangeResult> = fc.record({
  kvs: fc.array(keyValue, { maxLength: 4 }),
  more: fc.boolean(),
  count: revision,
});

export const putRequest: fc.Arbitrary<PutRequest> = fc.record({
  key,
  value: bytes,
  lease,
  prevKv: fc.boolean(),
  ignoreValue: fc.boolean(),
  ignoreLease: fc.boolean(),
});

export const putResult: fc.Arbitrary<PutResult> = fc.record({
  prevKv: fc.option(keyValue, { nil: undefined }),
});

export const deleteRangeRequest: fc.Arbitrary<DeleteRangeRequest> = fc.record({
  key,
  rangeEnd: bytes,
  prevKv: fc.boolean(),
});

export const deleteRangeResult: fc.Arbitrary<DeleteRangeResult> = fc.record({
  deleted: revision,
  prevKvs: fc.array(keyValue, { maxLength: 3 }),
});

const guard = {
  key,
  rangeEnd: bytes,
  result: fc.constantFrom('equal', 'greater', 'less', 'notEqual'),
} as const;

export const compare: fc.Arbitrary<Compare> = fc.oneof(
  fc.record({
    ...guard,
    target: fc.constantFrom('version', 'create', 'mod'),
    operand: anyInt64,
  }) as fc.Arbitrary<Compare>,
  fc.record({ ...guard, target: fc.constant('value'), operand: bytes }) as fc.Arbitrary<Compare>,
  fc.record({ ...guard, target: fc.constant('lease'), operand: lease }) as fc.Arbitrary<Compare>,
);

const nested = fc.letrec<{
  op: RequestOp;
  txn: TxnRequest;
  response: ResponseOp;
  result: TxnResult;
}>((tie) => ({
  op: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.record({ type: fc.constant('range'), request: rangeRequest }),
    fc.record({ type: fc.constant('put'), request: putRequest }),
    fc.record({ type: fc.constant('deleteRange'), request: deleteRangeRequest }),
    fc.record({ type: fc.constant('txn'), request: tie('txn') }),
  ) as fc.Arbitrary<RequestOp>,
  txn: fc.record({
    compare: fc.array(compare, { maxLength: 3 }),
    success: fc.array(tie('op'), { maxLength: 3 }),
    failure: fc.array(tie('op'), { maxLength: 2 }),
  }),
  response: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.record({ type: fc.constant('range'), result: rangeResult }),
    fc.record({ type: fc.constant('put'), result: putResult }),
    fc.record({ type: fc.constant('deleteRange'), result: deleteRangeResult }),
    fc.record({ type: fc.constant('txn'), result: tie('result') }),
  ) as fc.Arbitrary<ResponseOp>,
  result: fc.record({
    succeeded: fc.boolean(),
    responses: fc.array(tie('response'), { maxLength: 3 }),
  }),
}));

export const txnRequest: fc.Arbitrary<TxnRequest> = nested.txn;
export const txnResult: fc.Arbitrary<TxnResult> = nested.result;

const name = fc.string({ unit: 'grapheme', maxLength: 20 });

export const loggedRequest: fc.Arbitrary<LoggedRequest> = fc.record({
  id: id.filter((value) => value !== 0n),
  request: fc.oneof(
    fc.record({ type: fc.constant('put'), request: putRequest }),
    fc.record({ type: fc.constant('deleteRange'), request: deleteRangeRequest }),
    fc.record({ type: fc.constant('txn'), request: txnRequest }),
    fc.record({
      type: fc.constant('memberAttributes'),
      request: fc.record({ memberId: id, name, clientUrls: fc.array(name, { maxLength: 3 }) }),
    }),
  ) as fc.Arbitrary<LoggedRequest['request']>,
});
