/** What is permitted when a logged request is applied, whoever proposed it and when. */
import { expect, test } from 'vitest';
import type { AuthFailure, AuthInfo } from '../../src/auth/request.ts';
import { EMPTY_BYTES } from '../../src/lib/bytes.ts';
import { refusePermission } from '../../src/member/permission.ts';
import type { InternalRequest } from '../../src/wire/internal-request.ts';
import {
  bytes,
  enabledStoreOf,
  grant,
  grantRole,
  permission,
  roleAdd,
  storeOf,
  userAdd,
} from '../auth/requests.ts';

const SET_UP = [
  userAdd('alice'),
  roleAdd('role'),
  grant('role', permission('readWrite', 'a')),
  grantRole('alice', 'role'),
];
const DELETE_A: InternalRequest = {
  type: 'deleteRange',
  request: { key: bytes('a'), rangeEnd: EMPTY_BYTES, prevKv: false },
};
const COMPACT: InternalRequest = { type: 'compaction', revision: 2, physical: false };
const REVOKE: InternalRequest = { type: 'leaseRevoke', id: 7n };
const ADD_USER: InternalRequest = { type: 'auth', request: userAdd('bob') };
const LOGIN: InternalRequest = {
  type: 'auth',
  request: { type: 'authenticate', name: 'alice', simpleToken: 'abcdefghijklmnop' },
};

function verdict(request: InternalRequest, info: AuthInfo | undefined): AuthFailure | undefined {
  return refusePermission(enabledStoreOf(...SET_UP), request, info, () => [bytes('z')]);
}

test('nobody is asked while authentication is off', () => {
  const store = storeOf(...SET_UP);
  for (const request of [DELETE_A, COMPACT, REVOKE, ADD_USER, LOGIN]) {
    expect(refusePermission(store, request, undefined, () => [bytes('z')])).toBeUndefined();
  }
});

test('what was permitted before roles changed is not any more', () => {
  const store = enabledStoreOf(...SET_UP);
  const alice = { username: 'alice', revision: store.revision };
  expect(refusePermission(store, DELETE_A, alice, () => [])).toBeUndefined();
  store.apply({ type: 'userRevokeRole', name: 'alice', role: 'role' }, 9, 0);
  expect(refusePermission(store, DELETE_A, alice, () => [])).toBe('authOldRevision');
  const now = { username: 'alice', revision: store.revision };
  expect(refusePermission(store, DELETE_A, now, () => [])).toBe('permissionDenied');
});

test('requests on keys and users that were logged before authentication was on are refused', () => {
  expect(verdict(DELETE_A, undefined)).toBe('userEmpty');
  expect(verdict(ADD_USER, undefined)).toBe('userEmpty');
});

test('what members ask themselves is not, nor is a login', () => {
  const own: InternalRequest[] = [
    { type: 'clusterVersion', version: '3.6.0' },
    { type: 'memberAttributes', request: { memberId: 1n, name: 's1', clientUrls: [] } },
    { type: 'leaseCheckpoint', checkpoints: [] },
    { type: 'alarm', request: { action: 'activate', memberId: 1n, type: 'NOSPACE' } },
  ];
  for (const request of [...own, COMPACT, REVOKE, LOGIN]) {
    expect(verdict(request, undefined)).toBeUndefined();
  }
});

test('whoever asked for it and is no administrator any more is refused', () => {
  const alice = { username: 'alice', revision: enabledStoreOf(...SET_UP).revision };
  expect(verdict(COMPACT, alice)).toBe('permissionDenied');
  expect(verdict(REVOKE, alice)).toBe('permissionDenied');
  expect(verdict(ADD_USER, alice)).toBe('permissionDenied');
});
