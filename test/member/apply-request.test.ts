import { describe, expect, test } from 'vitest';
import { utf8Decode, utf8Encode } from '../../src/lib/utf8.ts';
import { applyRequest } from '../../src/member/apply-request.ts';
import { type ReplicatedState, stateOf } from '../../src/member/replicated-state.ts';
import type { InternalRequest } from '../../src/wire/internal-request.ts';
import {
  deleteRequest,
  OPEN_END,
  putOp,
  putRequest,
  rangeOp,
  rangeRequest,
  txnOp,
  txnRequest,
} from '../mvcc/requests.ts';
import { STATE_OPTIONS } from '../service/fake-node.ts';

type Outcome = ReturnType<typeof applyRequest>;

function lab(): { state: ReplicatedState; apply: (request: InternalRequest) => Outcome } {
  const state = stateOf(undefined, STATE_OPTIONS);
  let index = 0;
  const apply = (request: InternalRequest): Outcome => {
    index += 1;
    const before = state.store.revision;
    const outcome = applyRequest(state, { id: 1n, request, auth: undefined }, { index, tick: 0 });
    // As the state machine does behind every entry.
    if (state.store.revision > before) {
      for (const { keyValue } of state.store.changesAt(state.store.revision)) {
        state.lessor.keyChanged(keyValue.key, keyValue.lease);
      }
    }
    return outcome;
  };
  return { state, apply };
}

const put = (key: string, lease = 0n): InternalRequest => {
  return { type: 'put', request: putRequest(key, 'v', { lease }) };
};

function raise(type: 'NOSPACE' | 'CORRUPT'): InternalRequest {
  return { type: 'alarm', request: { action: 'activate', memberId: 1n, type } };
}

test('a revoked lease takes its keys along, all in one revision', () => {
  const { state, apply } = lab();
  expect(apply({ type: 'leaseGrant', id: 7n, ttlS: 60 })).toMatchObject({ value: { ttlS: 60 } });
  for (const key of ['b', 'a', 'c']) expect(apply(put(key, 7n)).ok).toBe(true);
  apply(put('c'));
  expect(apply({ type: 'leaseRevoke', id: 7n })).toEqual({
    ok: true,
    value: { type: 'leaseRevoke' },
  });
  expect(state.store.revision).toBe(6);
  const changes = state.store.changesAt(6);
  expect(changes.map(({ tombstone, keyValue }) => [tombstone, utf8Decode(keyValue.key)])).toEqual([
    [true, 'a'],
    [true, 'b'],
  ]);
  expect(state.store.range(rangeRequest('a', OPEN_END))).toMatchObject({ value: { count: 1 } });
  expect(apply({ type: 'leaseRevoke', id: 7n })).toEqual({ ok: false, error: 'leaseNotFound' });
});

test('a revoked lease without keys makes no revision', () => {
  const { state, apply } = lab();
  apply({ type: 'leaseGrant', id: 7n, ttlS: 60 });
  expect(apply({ type: 'leaseRevoke', id: 7n }).ok).toBe(true);
  expect(state.store.revision).toBe(1);
});

test('refusals of store and lessor are passed on, and change nothing', () => {
  const { state, apply } = lab();
  apply({ type: 'leaseGrant', id: 7n, ttlS: 60 });
  expect(apply({ type: 'leaseGrant', id: 7n, ttlS: 60 })).toEqual({
    ok: false,
    error: 'leaseExists',
  });
  expect(apply(put('a', 8n))).toEqual({ ok: false, error: 'leaseNotFound' });
  expect(apply({ type: 'compaction', revision: 9, physical: false })).toEqual({
    ok: false,
    error: 'futureRevision',
  });
  expect(state.store.revision).toBe(1);
});

test('version, downgrade and names are part of the state', () => {
  const { state, apply } = lab();
  const member = { id: 1n, name: '', peerUrls: [], clientUrls: [], isLearner: false };
  state.membership.add(member);
  apply({ type: 'clusterVersion', version: '3.6.0' });
  apply({ type: 'downgradeInfo', enabled: true, version: '3.5.0' });
  const attributes = { memberId: 1n, name: 'one', clientUrls: ['http://c'] };
  apply({ type: 'memberAttributes', request: attributes });
  expect([state.clusterVersion, state.downgradeTo]).toEqual(['3.6.0', '3.5.0']);
  expect(state.membership.get(1n)?.name).toBe('one');
  apply({ type: 'downgradeInfo', enabled: false, version: '' });
  expect(state.downgradeTo).toBeUndefined();
  expect(apply({ type: 'nothing' })).toEqual({ ok: true, value: { type: 'nothing' } });
});

describe('under NOSPACE', () => {
  const only = (ops: readonly ReturnType<typeof putOp>[]): InternalRequest => {
    return { type: 'txn', request: txnRequest({ failure: [...ops] }) };
  };

  test.each<[string, InternalRequest]>([
    ['a put', put('b')],
    ['a grant', { type: 'leaseGrant', id: 9n, ttlS: 60 }],
    ['a transaction with a put in the branch that does not run', only([putOp('b')])],
    ['a transaction with a put further inside', only([txnOp({ success: [putOp('b')] })])],
  ])('%s is refused', (_, request) => {
    const { state, apply } = lab();
    apply(put('a'));
    apply(raise('NOSPACE'));
    expect(apply(request)).toEqual({ ok: false, error: 'noSpace' });
    expect([state.store.revision, state.lessor.count]).toEqual([2, 0]);
  });

  test.each<[string, InternalRequest]>([
    ['a delete', { type: 'deleteRange', request: deleteRequest('a') }],
    ['a transaction that puts nothing', only([rangeOp('a')])],
    ['a compaction', { type: 'compaction', revision: 2, physical: false }],
    ['a revoke', { type: 'leaseRevoke', id: 7n }],
    [
      'the end of the alarm',
      { type: 'alarm', request: { action: 'deactivate', memberId: 0n, type: 'NOSPACE' } },
    ],
    ['a name', { type: 'memberAttributes', request: { memberId: 1n, name: 'n', clientUrls: [] } }],
  ])('%s goes through', (_, request) => {
    const { apply } = lab();
    apply(put('a'));
    apply({ type: 'leaseGrant', id: 7n, ttlS: 60 });
    apply(raise('NOSPACE'));
    expect(apply(request).ok).toBe(true);
  });
});

describe('under CORRUPT', () => {
  test('nothing touches the data, whether it grows or not', () => {
    const { state, apply } = lab();
    apply(put('a'));
    apply({ type: 'leaseGrant', id: 7n, ttlS: 60 });
    apply(raise('CORRUPT'));
    const refused: InternalRequest[] = [
      put('b'),
      { type: 'deleteRange', request: deleteRequest('a') },
      { type: 'txn', request: txnRequest({}) },
      { type: 'compaction', revision: 2, physical: false },
      { type: 'leaseRevoke', id: 7n },
    ];
    for (const request of refused) expect(apply(request)).toEqual({ ok: false, error: 'corrupt' });
    expect([state.store.revision, state.lessor.count]).toEqual([2, 1]);
  });
});

test('while authentication is on, what nobody was let in for is refused when applied', () => {
  const { state, apply } = lab();
  const auth = (request: Extract<InternalRequest, { type: 'auth' }>['request']): Outcome =>
    apply({ type: 'auth', request });
  auth({ type: 'userAdd', name: 'root', hashedPassword: 'eA==', noPassword: false });
  auth({ type: 'roleAdd', name: 'root' });
  auth({ type: 'userGrantRole', user: 'root', role: 'root' });
  expect(auth({ type: 'authEnable' }).ok).toBe(true);
  expect(apply(put('a'))).toMatchObject({ ok: false });
  const info = state.auth.rootInfo();
  const logged = { id: 1n, request: put('a'), auth: info };
  expect(applyRequest(state, logged, { index: 9, tick: 0 }).ok).toBe(true);
  expect(state.store.range(rangeRequest('a'))).toMatchObject({
    value: { kvs: [{ value: utf8Encode('v') }] },
  });
});
