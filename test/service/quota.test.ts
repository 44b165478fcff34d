import { beforeEach, expect, test } from 'vitest';
import { Quota } from '../../src/service/quota.ts';
import type { InternalRequest } from '../../src/wire/internal-request.ts';
import { deleteRequest, putOp, putRequest, txnOp, txnRequest } from '../mvcc/requests.ts';
import { FakeNode, MEMBER } from './fake-node.ts';

const SIZE_BYTES = 10_000;
let node: FakeNode;

beforeEach(() => {
  node = new FakeNode();
  node.dbSizeBytes = SIZE_BYTES;
});

const put = (valueBytes: number): InternalRequest => {
  return { type: 'put', request: putRequest('k', 'v'.repeat(valueBytes)) };
};
/** Whether there is room for a request with so many bytes left. */
const admits = (request: InternalRequest, leftBytes: number): boolean =>
  new Quota(node, SIZE_BYTES + leftBytes).admits(request);

test('a put costs its key and value, and what etcd adds', () => {
  expect(admits(put(100), 256 + 1 + 100)).toBe(false);
  expect(admits(put(100), 256 + 1 + 100 + 1)).toBe(true);
});

test('a transaction costs the dearer of its branches, nested ones included', () => {
  const inner = txnOp({ success: [putOp('a', 'v')], failure: [putOp('a', 'v'.repeat(1_000))] });
  const request = txnRequest({ success: [putOp('b', '')], failure: [inner, putOp('c', '')] });
  const costBytes = 256 + 1 + 1_000 + 256 + 1;
  expect(admits({ type: 'txn', request }, costBytes)).toBe(false);
  expect(admits({ type: 'txn', request }, costBytes + 1)).toBe(true);
});

test('what does not grow the store is always let in, and without a limit everything', () => {
  expect(admits({ type: 'deleteRange', request: deleteRequest('a') }, -SIZE_BYTES)).toBe(true);
  expect(admits({ type: 'leaseRevoke', id: 7n }, 0)).toBe(true);
  expect(admits({ type: 'leaseGrant', id: 7n, ttlS: 60 }, 0)).toBe(false);
  expect(new Quota(node, undefined).admits(put(1_000_000))).toBe(true);
});

test('who finds no room raises the alarm, once', async () => {
  const quota = new Quota(node, SIZE_BYTES);
  expect([quota.admits(put(1)), quota.admits(put(1))]).toEqual([false, false]);
  await Promise.resolve();
  expect(node.alarms()).toEqual([{ memberId: MEMBER.id, type: 'NOSPACE' }]);
  expect(quota.admits(put(1))).toBe(false);
  await Promise.resolve();
  expect(node.calls).toEqual(['propose alarm']);
});

test('an alarm that could not be raised is raised by the next', async () => {
  const quota = new Quota(node, SIZE_BYTES);
  node.proposeFailure = 'noLeader';
  quota.admits(put(1));
  await new Promise((resolve) => setImmediate(resolve));
  node.proposeFailure = undefined;
  quota.admits(put(1));
  expect(node.calls).toEqual(['propose alarm', 'propose alarm']);
  expect(node.alarms()).toHaveLength(1);
});
