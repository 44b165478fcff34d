import { describe, expect, test } from 'vitest';
import type { AuthFailure, AuthRequest } from '../../src/auth/request.ts';
import { EMPTY_BYTES } from '../../src/lib/bytes.ts';
import { err, ok } from '../../src/lib/result.ts';
import type { PutRequest, RequestOp, TxnRequest } from '../../src/mvcc/request.ts';
import type { TokenProvider } from '../../src/ports/token-provider.ts';
import { AuthGate } from '../../src/service/auth-gate.ts';
import { ANONYMOUS, type Caller } from '../../src/service/caller.ts';
import type { Access } from '../../src/service/permission.ts';
import type { InternalRequest } from '../../src/wire/internal-request.ts';
import {
  bytes,
  enabledStoreOf,
  grant,
  grantRole,
  permission,
  roleAdd,
  userAdd,
} from '../auth/requests.ts';
import { AuthNode } from './auth-node.ts';

const PREFIX = 'abcdefghijklmnop';
const LOGIN: AuthRequest = { type: 'authenticate', name: 'alice', simpleToken: PREFIX };

/** alice may read [r, s) and [w, x), and write [w, x). */
function nodeWithAlice(): AuthNode {
  const node = new AuthNode();
  node.auth = enabledStoreOf(
    userAdd('alice'),
    roleAdd('role'),
    grant('role', permission('read', 'r', 's')),
    grant('role', permission('readWrite', 'w', 'x')),
    grant('role', permission('write', 'v')),
    grantRole('alice', 'role'),
  );
  node.appliedIndex = 20;
  return node;
}

function withToken(token: string): Caller {
  return { ...ANONYMOUS, token };
}

function named(commonName: string): Caller {
  return { ...ANONYMOUS, commonName };
}

describe('who a caller is', () => {
  test('is not asked while authentication is off', () => {
    const gate = new AuthGate(new AuthNode());
    expect(gate.identify(ANONYMOUS)).toEqual(ok(undefined));
    expect(gate.identify(withToken('nonsense'))).toEqual(ok(undefined));
    expect(gate.permit(ANONYMOUS, { type: 'admin' })).toEqual(ok(undefined));
  });

  test('is known by its token, at the present revision', () => {
    const node = nodeWithAlice();
    node.apply(LOGIN);
    const alice = { username: 'alice', revision: node.auth.revision };
    expect(new AuthGate(node).identify(withToken(`${PREFIX}.21`))).toEqual(ok(alice));
  });

  test('is known by a certificate that names a user', () => {
    const node = nodeWithAlice();
    const gate = new AuthGate(node);
    const { revision } = node.auth;
    expect(gate.identify(named('alice'))).toEqual(ok({ username: 'alice', revision }));
    expect(gate.identify(named('nobody'))).toEqual(err('permissionDenied'));
  });

  test('is nobody without either, and an invalid token is not made up for', () => {
    const gate = new AuthGate(nodeWithAlice());
    expect(gate.identify(ANONYMOUS)).toEqual(err('userEmpty'));
    const both = { ...named('alice'), token: `${PREFIX}.21` };
    expect(gate.identify(both)).toEqual(err('invalidAuthToken'));
  });

  test('is forgotten when the token was not used for its time', () => {
    const node = nodeWithAlice();
    node.apply(LOGIN);
    const gate = new AuthGate(node, { signedTokens: undefined, tokenTtlMs: 1000 });
    node.nowTick = 9;
    expect(gate.identify(withToken(`${PREFIX}.21`)).ok).toBe(true);
    node.nowTick = 18;
    expect(gate.identify(withToken(`${PREFIX}.21`)).ok).toBe(true);
    node.nowTick = 28;
    expect(gate.identify(withToken(`${PREFIX}.21`))).toEqual(err('invalidAuthToken'));
  });
});

describe('a token of a login that this member has not applied yet', () => {
  test('is waited for', async () => {
    const node = nodeWithAlice();
    node.duringBarrier = () => node.apply(LOGIN);
    const admitted = await new AuthGate(node).admit(withToken(`${PREFIX}.21`));
    expect(admitted).toEqual(ok({ username: 'alice', revision: node.auth.revision }));
  });

  test('is refused if it was of none, or nobody can say', async () => {
    const node = nodeWithAlice();
    const gate = new AuthGate(node);
    expect(await gate.admit(withToken(`${PREFIX}.21`))).toEqual(err('invalidAuthToken'));
    expect(node.barriers).toBe(1);
    node.barrierFailure = 'noLeader';
    expect(await gate.admit(withToken(`${PREFIX}.21`))).toEqual(err('noLeader'));
  });

  test.each([`${PREFIX}.20`, 'nonsense'])('cannot be %s', async (token) => {
    const node = nodeWithAlice();
    expect(await new AuthGate(node).admit(withToken(token))).toEqual(err('invalidAuthToken'));
    expect(node.barriers).toBe(0);
  });
});

describe('signed tokens', () => {
  const provider: TokenProvider = {
    sign: () => err('verifyOnly'),
    verify: (token) => {
      const [username, revision] = token.split('@');
      return username === '' ? undefined : { username: username!, revision: Number(revision) };
    },
  };

  test('say who it is and since when; a simple one counts nothing then', async () => {
    const node = nodeWithAlice();
    node.apply(LOGIN);
    const gate = new AuthGate(node, { signedTokens: provider, tokenTtlMs: 1000 });
    expect(gate.identify(withToken('alice@4'))).toEqual(ok({ username: 'alice', revision: 4 }));
    expect(await gate.admit(withToken('@'))).toEqual(err('invalidAuthToken'));
    expect(node.barriers).toBe(0);
    const read: Access = { type: 'range', key: bytes('r'), rangeEnd: EMPTY_BYTES };
    expect(gate.permit(withToken('alice@4'), read)).toEqual(err('authOldRevision'));
    expect(gate.permit(withToken(`alice@${node.auth.revision}`), read).ok).toBe(true);
  });
});

const LEASED_W = 1n;
const LEASED_R = 2n;
const LEASED_BOTH = 3n;
const LEASED_V = 4n;

function gateWithLeases(): AuthGate {
  const node = nodeWithAlice();
  node.leaseKeys.set(LEASED_W, [bytes('w1'), bytes('w2')]);
  node.leaseKeys.set(LEASED_R, [bytes('r1')]);
  node.leaseKeys.set(LEASED_BOTH, [bytes('w1'), bytes('z')]);
  node.leaseKeys.set(LEASED_V, [bytes('v')]);
  return new AuthGate(node);
}

function range(key: string, rangeEnd = ''): { readonly key: Uint8Array; rangeEnd: Uint8Array } {
  return { key: bytes(key), rangeEnd: bytes(rangeEnd) };
}

function put(key: string, more: Partial<PutRequest> = {}): RequestOp & { type: 'put' } {
  const fields = { value: EMPTY_BYTES, lease: 0n, prevKv: false };
  const ignored = { ignoreValue: false, ignoreLease: false };
  return { type: 'put', request: { key: bytes(key), ...fields, ...ignored, ...more } };
}

function deletion(key: string, rangeEnd = '', prevKv = false): RequestOp & { type: 'deleteRange' } {
  return { type: 'deleteRange', request: { ...range(key, rangeEnd), prevKv } };
}

function read(key: string, rangeEnd = ''): RequestOp {
  const filters = {
    minModRevision: 0,
    maxModRevision: 0,
    minCreateRevision: 0,
    maxCreateRevision: 0,
  };
  const options = { limit: 0, revision: 0, serializable: false, keysOnly: false, countOnly: false };
  return {
    type: 'range',
    request: {
      ...range(key, rangeEnd),
      ...options,
      ...filters,
      sortOrder: 'none',
      sortTarget: 'key',
    },
  };
}

function guard(key: string): TxnRequest['compare'][number] {
  return { ...range(key), target: 'version', operand: 0, result: 'equal' };
}

function txn(more: Partial<TxnRequest>): TxnRequest {
  return { compare: [], success: [], failure: [], ...more };
}

type Verdict = AuthFailure | 'permitted';

describe('what alice may have proposed', () => {
  const nested = (op: RequestOp): InternalRequest => {
    return {
      type: 'txn',
      request: txn({ failure: [{ type: 'txn', request: txn({ success: [op] }) }] }),
    };
  };
  test.each<[string, InternalRequest, Verdict]>([
    ['a put', put('w1'), 'permitted'],
    ['a put where she reads only', put('r1'), 'permissionDenied'],
    ['a put that shows what was there', put('w1', { prevKv: true }), 'permitted'],
    ['the same where she writes only', put('v', { prevKv: true }), 'permissionDenied'],
    ['a put where she writes only', put('v'), 'permitted'],
    ['a put onto a lease of keys she writes', put('v', { lease: LEASED_W }), 'permitted'],
    ['a put onto a lease with another key', put('v', { lease: LEASED_BOTH }), 'permissionDenied'],
    ['a put onto a lease of keys she reads', put('v', { lease: LEASED_R }), 'permissionDenied'],
    ['a put onto an empty lease', put('v', { lease: 99n }), 'permitted'],
    ['deleting what she writes', deletion('w', 'x'), 'permitted'],
    ['deleting more than that', deletion('w', 'y'), 'permissionDenied'],
    ['deleting and seeing what she writes only', deletion('v', '', true), 'permissionDenied'],
    [
      'a txn of guards she reads',
      { type: 'txn', request: txn({ compare: [guard('r')] }) },
      'permitted',
    ],
    [
      'a guard on another key',
      { type: 'txn', request: txn({ compare: [guard('z')] }) },
      'permissionDenied',
    ],
    [
      'a guard she writes only',
      { type: 'txn', request: txn({ compare: [guard('v')] }) },
      'permissionDenied',
    ],
    [
      'a put in the branch not taken',
      { type: 'txn', request: txn({ failure: [put('z')] }) },
      'permissionDenied',
    ],
    ['a nested read', nested(read('r', 's')), 'permitted'],
    ['a nested read of too much', nested(read('r', 't')), 'permissionDenied'],
    [
      'a nested put onto a foreign lease',
      nested(put('w', { lease: LEASED_BOTH })),
      'permissionDenied',
    ],
    ['a nested deletion of too much', nested(deletion('w', '\0')), 'permissionDenied'],
    ['a lease', { type: 'leaseGrant', id: 9n, ttlS: 9 }, 'permitted'],
    ['to revoke a lease of keys she writes', { type: 'leaseRevoke', id: LEASED_W }, 'permitted'],
    ['to revoke another', { type: 'leaseRevoke', id: LEASED_BOTH }, 'permissionDenied'],
    ['a compaction', { type: 'compaction', revision: 2, physical: false }, 'permissionDenied'],
    ['a downgrade', { type: 'downgradeInfo', enabled: true, version: '3.5.0' }, 'permissionDenied'],
    ['a user', { type: 'auth', request: userAdd('bob') }, 'permissionDenied'],
    [
      'to see alarms',
      { type: 'alarm', request: { action: 'get', memberId: 0n, type: undefined } },
      'permitted',
    ],
    [
      'to put an alarm off',
      { type: 'alarm', request: { action: 'deactivate', memberId: 0n, type: 'NOSPACE' } },
      'permissionDenied',
    ],
  ])('%s', async (_, request, verdict) => {
    const gate = gateWithLeases();
    const alice = await gate.permitRequest(named('alice'), request);
    expect(alice.ok ? 'permitted' : alice.error).toBe(verdict);
    expect((await gate.permitRequest(named('root'), request)).ok).toBe(true);
    expect(await gate.permitRequest(ANONYMOUS, request)).toEqual(err('userEmpty'));
  });
});

describe('what alice may do without the log', () => {
  test.each<[string, Access, Verdict]>([
    ['read', { type: 'range', ...range('r', 's') }, 'permitted'],
    ['read too much', { type: 'range', ...range('r', 'w') }, 'permissionDenied'],
    ['read what she writes only', { type: 'range', ...range('v') }, 'permissionDenied'],
    ['read in a txn', { type: 'txn', request: txn({ success: [read('w')] }) }, 'permitted'],
    [
      'read too much in a txn',
      { type: 'txn', request: txn({ failure: [read('z')] }) },
      'permissionDenied',
    ],
    ['keep a lease of hers alive', { type: 'leaseKeepAlive', id: LEASED_W }, 'permitted'],
    ['keep another alive', { type: 'leaseKeepAlive', id: LEASED_R }, 'permissionDenied'],
    ['see the keys of leases', { type: 'leaseKeys', ids: [LEASED_W, LEASED_R, 99n] }, 'permitted'],
    [
      'see keys she writes only',
      { type: 'leaseKeys', ids: [LEASED_R, LEASED_V] },
      'permissionDenied',
    ],
    ['ask for the status', { type: 'anyUser' }, 'permitted'],
    ['administer', { type: 'admin' }, 'permissionDenied'],
  ])('%s', (_, access, verdict) => {
    const gate = gateWithLeases();
    const alice = gate.permit(named('alice'), access);
    expect(alice.ok ? 'permitted' : alice.error).toBe(verdict);
    expect(gate.permit(named('root'), access).ok).toBe(true);
    expect(gate.permit(ANONYMOUS, access)).toEqual(err('userEmpty'));
  });
});
