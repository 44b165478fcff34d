/** Random requests over few keys and revisions, so that they meet each other often. */
import fc from 'fast-check';
import { utf8Encode } from '../../src/lib/utf8.ts';
import type {
  Compare,
  DeleteRangeRequest,
  PutRequest,
  RangeRequest,
  RequestOp,
  TxnRequest,
} from '../../src/mvcc/request.ts';

export type Action =
  | { readonly type: 'range'; readonly request: RangeRequest }
  | { readonly type: 'put'; readonly request: PutRequest }
  | { readonly type: 'deleteRange'; readonly request: DeleteRangeRequest }
  | { readonly type: 'txn'; readonly request: TxnRequest }
  | { readonly type: 'compact'; readonly revision: number }
  | { readonly type: 'restart' };

const key = fc.constantFrom('a', 'aa', 'ab', 'b', 'c', 'd').map(utf8Encode);
const rangeEnd = fc
  .oneof(
    { weight: 3, arbitrary: fc.constant('') },
    { weight: 3, arbitrary: fc.constantFrom('ab', 'b', 'c', 'e') },
    { weight: 1, arbitrary: fc.constant('\0') },
  )
  .map(utf8Encode);
const value = fc.constantFrom('', 'u', 'v', 'vv').map(utf8Encode);
const revision = fc.oneof(fc.nat(5), fc.nat(20));
const bound = fc.oneof(
  { weight: 7, arbitrary: fc.constant(0) },
  { weight: 1, arbitrary: revision },
);

const range: fc.Arbitrary<RangeRequest> = fc.record({
  key,
  rangeEnd,
  limit: fc.constantFrom(0, 0, 1, 2, 3),
  revision: fc.oneof({ weight: 2, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: revision }),
  sortOrder: fc.constantFrom('none', 'ascend', 'descend'),
  sortTarget: fc.constantFrom('key', 'version', 'create', 'mod', 'value'),
  serializable: fc.boolean(),
  keysOnly: fc.boolean(),
  countOnly: fc.constantFrom(false, false, true),
  minModRevision: bound,
  maxModRevision: bound,
  minCreateRevision: bound,
  maxCreateRevision: bound,
});

const rarely = fc.nat(14).map((roll) => roll === 0);

const put: fc.Arbitrary<PutRequest> = fc.record({
  key,
  value,
  lease: rarely.map((isLeased) => (isLeased ? 7n : 0n)),
  prevKv: fc.boolean(),
  ignoreValue: rarely,
  ignoreLease: rarely,
});

const deleteRange: fc.Arbitrary<DeleteRangeRequest> = fc.record({
  key,
  rangeEnd,
  prevKv: fc.boolean(),
});

const guard = fc.record({
  key,
  rangeEnd,
  result: fc.constantFrom('equal', 'notEqual', 'greater', 'less'),
});
const target = fc.oneof(
  fc.record({ target: fc.constantFrom('version', 'create', 'mod'), operand: fc.nat(6) }),
  fc.record({ target: fc.constant('value'), operand: value }),
  fc.record({ target: fc.constant('lease'), operand: fc.constantFrom(0n, 7n) }),
);
const compare = fc.tuple(guard, target).map(([where, what]): Compare => ({ ...where, ...what }));

/** Not checked for duplicate keys: the store must stay whole whatever the log holds. */
export const txn: fc.Arbitrary<TxnRequest> = fc.letrec<{ txn: TxnRequest; op: RequestOp }>(
  (tie) => ({
    txn: fc.record({
      compare: fc.array(compare, { maxLength: 2 }),
      success: fc.array(tie('op'), { maxLength: 4 }),
      failure: fc.array(tie('op'), { maxLength: 4 }),
    }),
    op: fc.oneof(
      { maxDepth: 2 },
      put.map((request): RequestOp => ({ type: 'put', request })),
      put.map((request): RequestOp => ({ type: 'put', request })),
      deleteRange.map((request): RequestOp => ({ type: 'deleteRange', request })),
      range.map((request): RequestOp => ({ type: 'range', request })),
      tie('txn').map((request): RequestOp => ({ type: 'txn', request })),
    ),
  }),
).txn;

export const action: fc.Arbitrary<Action> = fc.oneof(
  { weight: 6, arbitrary: put.map((request): Action => ({ type: 'put', request })) },
  {
    weight: 2,
    arbitrary: deleteRange.map((request): Action => ({ type: 'deleteRange', request })),
  },
  { weight: 5, arbitrary: range.map((request): Action => ({ type: 'range', request })) },
  { weight: 5, arbitrary: txn.map((request): Action => ({ type: 'txn', request })) },
  { weight: 1, arbitrary: revision.map((at): Action => ({ type: 'compact', revision: at })) },
  { weight: 1, arbitrary: fc.constant<Action>({ type: 'restart' }) },
);
