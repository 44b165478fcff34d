import { beforeEach, describe, expect, test } from 'vitest';
import { AuthGate } from '../../src/service/auth-gate.ts';
import { ANONYMOUS } from '../../src/service/caller.ts';
import { serviceError } from '../../src/service/errors.ts';
import { KvService } from '../../src/service/kv.ts';
import { DEFAULT_SERVICE_LIMITS, type ServiceLimits } from '../../src/service/limits.ts';
import { Quota } from '../../src/service/quota.ts';
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
  kv = serviceOf(DEFAULT_SERVICE_LIMITS);
});

function serviceOf(limits: ServiceLimits, pause = async (): Promise<void> => undefined): KvService {
  return new KvService(node, {
    gate: new AuthGate(node),
    quota: new Quota(node, undefined),
    limits,
    pause,
  });
}

const HEADER = { clusterId: 0xc1n, memberId: 0xabcn, raftTerm: 3 };

describe('range', () => {
  test('waits for the barrier, then reads here', async () => {
    node.duringBarrier = () => node.store.put(putRequest('a', 'v'));
    const reply = await kv.range(rangeRequest('a'), ANONYMOUS);
    expect(node.calls).toEqual(['barrier', 'range']);
    expect(reply).toMatchObject({
      ok: true,
      value: { header: { ...HEADER, revision: 2 }, result: { count: 1 } },
    });
  });

  test('serializable: reads here at once', async () => {
    expect((await kv.range(rangeRequest('a', '', { serializable: true }), ANONYMOUS)).ok).toBe(
      true,
    );
    expect(node.calls).toEqual(['range']);
  });

  test('of very many keys is read in parts, all of one revision', async () => {
    for (let n = 0; n < 2_500; n++) node.store.put(putRequest(`k${n}`, 'v'));
    const { revision } = node.store;
    let pauses = 0;
    const service = serviceOf(DEFAULT_SERVICE_LIMITS, async () => {
      pauses += 1;
      node.store.put(putRequest(`k1/${pauses}`, 'later'));
    });
    const reply = await service.range(rangeRequest('k', OPEN_END), ANONYMOUS);
    expect(reply).toMatchObject({ ok: true, value: { header: { revision } } });
    expect(reply.ok && reply.value.result.kvs.length).toBe(2_500);
    // Before the second and third part, to learn its size; before each, to read it.
    expect(pauses).toBe(2 + 3);
  });

  test('is read in parts as small as one asks for', async () => {
    for (let n = 0; n < 10; n++) node.store.put(putRequest(`k${n}`, 'v'));
    let pauses = 0;
    const limits = { ...DEFAULT_SERVICE_LIMITS, rangeKeysPerTurnMax: 2 };
    const service = serviceOf(limits, async () => {
      pauses += 1;
      node.store.put(putRequest(`k1/${pauses}`, 'later'));
    });
    const reply = await service.range(rangeRequest('k', OPEN_END), ANONYMOUS);
    expect(reply.ok && reply.value.result.kvs.length).toBe(10);
    expect(pauses).toBeGreaterThanOrEqual(4);
  });

  test('of more than all of them may hold together is refused', async () => {
    for (let n = 0; n < 10; n++) node.store.put(putRequest(`k${n}`, 'v'.repeat(100)));
    const service = serviceOf({ ...DEFAULT_SERVICE_LIMITS, rangeBytesMax: 1_100 });
    expect(await service.range(rangeRequest('k', OPEN_END), ANONYMOUS)).toEqual({
      ok: false,
      error: serviceError('rangesTooLarge'),
    });
    expect((await service.range(rangeRequest('k', 'k8'), ANONYMOUS)).ok).toBe(true);
  });

  test('of the past has the present revision in its header', async () => {
    for (const value of ['v1', 'v2']) node.store.put(putRequest('a', value));
    expect(await kv.range(rangeRequest('a', '', { revision: 2 }), ANONYMOUS)).toMatchObject({
      value: { header: { revision: 3 }, result: { kvs: [{ modRevision: 2 }] } },
    });
  });

  test.each(['leaderChanged', 'timeout', 'noLeader', 'stopped'] as const)(
    'is not answered when the barrier fails: %s',
    async (failure) => {
      node.barrierFailure = failure;
      expect(await kv.range(rangeRequest('a'), ANONYMOUS)).toEqual({
        ok: false,
        error: serviceError(failure),
      });
      expect(node.calls).toEqual(['barrier']);
    },
  );

  test('passes on what the store refuses', async () => {
    expect(await kv.range(rangeRequest('a', '', { revision: 9 }), ANONYMOUS)).toEqual({
      ok: false,
      error: {
        code: 11,
        message: 'etcdserver: mvcc: required revision is a future revision',
        definite: true,
      },
    });
  });

  test('refuses an empty key before anything else', async () => {
    expect(await kv.range(rangeRequest(''), ANONYMOUS)).toEqual({
      ok: false,
      error: serviceError('keyNotProvided'),
    });
    expect(node.calls).toEqual([]);
  });
});

describe('writes', () => {
  test('put answers with the revision it made', async () => {
    expect(await kv.put(putRequest('a', 'v'), ANONYMOUS)).toEqual({
      ok: true,
      value: { header: { ...HEADER, revision: 2 }, result: { prevKv: undefined } },
    });
    expect(node.calls).toEqual(['propose put']);
  });

  test('deleteRange', async () => {
    node.store.put(putRequest('a', 'v'));
    expect(await kv.deleteRange(deleteRequest('a', OPEN_END), ANONYMOUS)).toEqual({
      ok: true,
      value: { header: { ...HEADER, revision: 3 }, result: { deleted: 1, prevKvs: [] } },
    });
    expect(node.calls).toEqual(['propose deleteRange']);
  });

  test('txn', async () => {
    expect(
      await kv.txn(txnRequest({ success: [putOp('a'), rangeOp('a')] }), ANONYMOUS),
    ).toMatchObject({
      ok: true,
      value: { header: { revision: 2 }, result: { succeeded: true } },
    });
    expect(node.calls).toEqual(['propose txn']);
  });

  test('are proposed once, whatever comes of it', async () => {
    node.proposeFailure = 'timeout';
    const error = { code: 14, message: 'etcdserver: request timed out', definite: false };
    expect(await kv.put(putRequest('a'), ANONYMOUS)).toEqual({ ok: false, error });
    expect(await kv.deleteRange(deleteRequest('a'), ANONYMOUS)).toEqual({ ok: false, error });
    expect(await kv.txn(txnRequest({ success: [putOp('a')] }), ANONYMOUS)).toEqual({
      ok: false,
      error,
    });
    expect(node.calls).toEqual(['propose put', 'propose deleteRange', 'propose txn']);
  });

  test('pass on what the store refuses', async () => {
    expect(await kv.put(putRequest('a', '', { lease: 4n }), ANONYMOUS)).toEqual({
      ok: false,
      error: serviceError('leaseNotFound'),
    });
  });

  test('of a wrong form are never proposed', async () => {
    expect((await kv.put(putRequest(''), ANONYMOUS)).ok).toBe(false);
    expect((await kv.deleteRange(deleteRequest(''), ANONYMOUS)).ok).toBe(false);
    const twice = txnRequest({ success: [putOp('a'), putOp('a')] });
    expect(await kv.txn(twice, ANONYMOUS)).toEqual({
      ok: false,
      error: serviceError('duplicateKey'),
    });
    expect(node.calls).toEqual([]);
  });

  test('the limit on operations is the configured one', async () => {
    const small = serviceOf({ ...DEFAULT_SERVICE_LIMITS, maxTxnOps: 1 });
    const two = txnRequest({ success: [putOp('a'), deleteOp('b')] });
    expect(await small.txn(two, ANONYMOUS)).toEqual({
      ok: false,
      error: serviceError('tooManyOps'),
    });
    expect((await kv.txn(two, ANONYMOUS)).ok).toBe(true);
  });
});

describe('a transaction that only reads', () => {
  test('waits for the barrier and stays out of the log', async () => {
    node.duringBarrier = () => node.store.put(putRequest('a', 'v'));
    expect(await kv.txn(txnRequest({ success: [rangeOp('a')] }), ANONYMOUS)).toMatchObject({
      ok: true,
      value: { header: { revision: 2 }, result: { responses: [{ result: { count: 1 } }] } },
    });
    expect(node.calls).toEqual(['barrier', 'readTxn']);
  });

  test('serializable: reads here at once', async () => {
    await kv.txn(txnRequest({ success: [rangeOp('a', '', { serializable: true })] }), ANONYMOUS);
    expect(node.calls).toEqual(['readTxn']);
  });

  test('is not answered when the barrier fails, or the revision cannot be read', async () => {
    const future = rangeOp('a', '', { revision: 9 });
    expect(await kv.txn(txnRequest({ success: [future] }), ANONYMOUS)).toEqual({
      ok: false,
      error: serviceError('futureRevision'),
    });
    node.barrierFailure = 'leaderChanged';
    expect(await kv.txn(txnRequest({}), ANONYMOUS)).toEqual({
      ok: false,
      error: serviceError('leaderChanged'),
    });
  });
});

test('a learner answers serializable ranges only', async () => {
  node.isLearner = true;
  const refused = { ok: false, error: serviceError('notSupportedForLearner') };
  expect(await kv.range(rangeRequest('a'), ANONYMOUS)).toEqual(refused);
  expect(await kv.put(putRequest('a'), ANONYMOUS)).toEqual(refused);
  expect(await kv.deleteRange(deleteRequest('a'), ANONYMOUS)).toEqual(refused);
  expect(await kv.txn(txnRequest({}), ANONYMOUS)).toEqual(refused);
  expect((await kv.range(rangeRequest('a', '', { serializable: true }), ANONYMOUS)).ok).toBe(true);
});
