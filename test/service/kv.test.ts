import { beforeEach, describe, expect, test } from 'vitest';
import { serviceError } from '../../src/service/errors.ts';
import { KvService } from '../../src/service/kv.ts';
import {
  deleteOp,
  deleteRequest,
  OPEN_END,
  putOp,
  putRequest,
  rangeOp,
  rangeRequest,
  txnRequest,
} from '../mvcc/requests.ts';
import { FakeNode } from './fake-node.ts';

let node: FakeNode;
let kv: KvService;

beforeEach(() => {
  node = new FakeNode();
  kv = new KvService(node);
});

const HEADER = { clusterId: 0xc1n, memberId: 0xabcn, raftTerm: 3 };

describe('range', () => {
  test('waits for the barrier, then reads here', async () => {
    node.duringBarrier = () => node.store.put(putRequest('a', 'v'));
    const reply = await kv.range(rangeRequest('a'));
    expect(node.calls).toEqual(['barrier', 'range']);
    expect(reply).toMatchObject({
      ok: true,
      value: { header: { ...HEADER, revision: 2 }, result: { count: 1 } },
    });
  });

  test('serializable: reads here at once', async () => {
    expect((await kv.range(rangeRequest('a', '', { serializable: true }))).ok).toBe(true);
    expect(node.calls).toEqual(['range']);
  });

  test('of the past has the present revision in its header', async () => {
    for (const value of ['v1', 'v2']) node.store.put(putRequest('a', value));
    expect(await kv.range(rangeRequest('a', '', { revision: 2 }))).toMatchObject({
      value: { header: { revision: 3 }, result: { kvs: [{ modRevision: 2 }] } },
    });
  });

  test.each(['leaderChanged', 'timeout', 'noLeader', 'stopped'] as const)(
    'is not answered when the barrier fails: %s',
    async (failure) => {
      node.barrierFailure = failure;
      expect(await kv.range(rangeRequest('a'))).toEqual({
        ok: false,
        error: serviceError(failure),
      });
      expect(node.calls).toEqual(['barrier']);
    },
  );

  test('passes on what the store refuses', async () => {
    expect(await kv.range(rangeRequest('a', '', { revision: 9 }))).toEqual({
      ok: false,
      error: {
        code: 11,
        message: 'etcdserver: mvcc: required revision is a future revision',
        definite: true,
      },
    });
  });

  test('refuses an empty key before anything else', async () => {
    expect(await kv.range(rangeRequest(''))).toEqual({
      ok: false,
      error: serviceError('keyNotProvided'),
    });
    expect(node.calls).toEqual([]);
  });
});

describe('writes', () => {
  test('put answers with the revision it made', async () => {
    expect(await kv.put(putRequest('a', 'v'))).toEqual({
      ok: true,
      value: { header: { ...HEADER, revision: 2 }, result: { prevKv: undefined } },
    });
    expect(node.calls).toEqual(['propose put']);
  });

  test('deleteRange', async () => {
    node.store.put(putRequest('a', 'v'));
    expect(await kv.deleteRange(deleteRequest('a', OPEN_END))).toEqual({
      ok: true,
      value: { header: { ...HEADER, revision: 3 }, result: { deleted: 1, prevKvs: [] } },
    });
    expect(node.calls).toEqual(['propose deleteRange']);
  });

  test('txn', async () => {
    expect(await kv.txn(txnRequest({ success: [putOp('a'), rangeOp('a')] }))).toMatchObject({
      ok: true,
      value: { header: { revision: 2 }, result: { succeeded: true } },
    });
    expect(node.calls).toEqual(['propose txn']);
  });

  test('are proposed once, whatever comes of it', async () => {
    node.proposeFailure = 'timeout';
    const error = { code: 14, message: 'etcdserver: request timed out', definite: false };
    expect(await kv.put(putRequest('a'))).toEqual({ ok: false, error });
    expect(await kv.deleteRange(deleteRequest('a'))).toEqual({ ok: false, error });
    expect(await kv.txn(txnRequest({ success: [putOp('a')] }))).toEqual({ ok: false, error });
    expect(node.calls).toEqual(['propose put', 'propose deleteRange', 'propose txn']);
  });

  test('pass on what the store refuses', async () => {
    expect(await kv.put(putRequest('a', '', { lease: 4n }))).toEqual({
      ok: false,
      error: serviceError('leaseNotFound'),
    });
  });

  test('of a wrong form are never proposed', async () => {
    expect((await kv.put(putRequest(''))).ok).toBe(false);
    expect((await kv.deleteRange(deleteRequest(''))).ok).toBe(false);
    const twice = txnRequest({ success: [putOp('a'), putOp('a')] });
    expect(await kv.txn(twice)).toEqual({ ok: false, error: serviceError('duplicateKey') });
    expect(node.calls).toEqual([]);
  });

  test('the limit on operations is the configured one', async () => {
    const small = new KvService(node, { maxTxnOps: 1 });
    const two = txnRequest({ success: [putOp('a'), deleteOp('b')] });
    expect(await small.txn(two)).toEqual({ ok: false, error: serviceError('tooManyOps') });
    expect((await kv.txn(two)).ok).toBe(true);
  });
});

describe('a transaction that only reads', () => {
  test('waits for the barrier and stays out of the log', async () => {
    node.duringBarrier = () => node.store.put(putRequest('a', 'v'));
    expect(await kv.txn(txnRequest({ success: [rangeOp('a')] }))).toMatchObject({
      ok: true,
      value: { header: { revision: 2 }, result: { responses: [{ result: { count: 1 } }] } },
    });
    expect(node.calls).toEqual(['barrier', 'readTxn']);
  });

  test('serializable: reads here at once', async () => {
    await kv.txn(txnRequest({ success: [rangeOp('a', '', { serializable: true })] }));
    expect(node.calls).toEqual(['readTxn']);
  });

  test('is not answered when the barrier fails, or the revision cannot be read', async () => {
    const future = rangeOp('a', '', { revision: 9 });
    expect(await kv.txn(txnRequest({ success: [future] }))).toEqual({
      ok: false,
      error: serviceError('futureRevision'),
    });
    node.barrierFailure = 'leaderChanged';
    expect(await kv.txn(txnRequest({}))).toEqual({
      ok: false,
      error: serviceError('leaderChanged'),
    });
  });
});

test('a learner answers serializable ranges only', async () => {
  node.isLearner = true;
  const refused = { ok: false, error: serviceError('notSupportedForLearner') };
  expect(await kv.range(rangeRequest('a'))).toEqual(refused);
  expect(await kv.put(putRequest('a'))).toEqual(refused);
  expect(await kv.deleteRange(deleteRequest('a'))).toEqual(refused);
  expect(await kv.txn(txnRequest({}))).toEqual(refused);
  expect((await kv.range(rangeRequest('a', '', { serializable: true }))).ok).toBe(true);
});
