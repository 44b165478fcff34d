import { expect, test } from 'vitest';
import { applyRequest } from '../../src/member/apply-request.ts';
import { OperationCounter } from '../../src/member/operation-counter.ts';
import { stateOf } from '../../src/member/replicated-state.ts';
import type { InternalRequest } from '../../src/wire/internal-request.ts';
import { deleteRequest, putOp, putRequest, rangeOp, txnOp, txnRequest } from '../mvcc/requests.ts';
import { STATE_OPTIONS } from '../service/fake-node.ts';

test('what ran is counted, transactions taken apart; what did not is not', () => {
  const state = stateOf(undefined, STATE_OPTIONS);
  const counter = new OperationCounter();
  let index = 0;
  const apply = (request: InternalRequest): void => {
    index += 1;
    const applied = applyRequest(state, { id: 1n, request }, { index, tick: 0 });
    if (applied.ok) counter.applied(request, applied.value);
  };
  apply({ type: 'put', request: putRequest('key', 'value') });
  apply({ type: 'put', request: putRequest('key', 'value', { lease: 9n }) });
  apply({ type: 'deleteRange', request: deleteRequest('key') });
  apply({ type: 'leaseGrant', id: 7n, ttlS: 60 });
  apply({ type: 'leaseGrant', id: 7n, ttlS: 60 });
  apply({ type: 'leaseRevoke', id: 7n });
  expect(counter.counts).toEqual({
    ...{ ranges: 0, puts: 1, deletes: 1, txns: 0, putBytes: 8 },
    ...{ leasesGranted: 1, leasesRevoked: 1 },
  });
  const inner = txnOp({ success: [rangeOp('a')], failure: [putOp('not', 'taken')] });
  apply({ type: 'txn', request: txnRequest({ success: [putOp('a', 'b'), inner] }) });
  // Of a single operation it is no transaction to etcd's count.
  apply({ type: 'txn', request: txnRequest({ success: [putOp('a', 'b')] }) });
  counter.ranged();
  expect(counter.counts).toMatchObject({ ranges: 2, puts: 3, deletes: 1, txns: 1, putBytes: 12 });
});
