import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AuthStore } from '../../src/auth/auth-store.ts';
import type { AuthFailure, AuthRequest } from '../../src/auth/request.ts';
import {
  bytes,
  DISABLE,
  ENABLE,
  enabledStoreOf,
  grant,
  grantRole,
  noPasswordUser,
  permission,
  roleAdd,
  storeOf,
  userAdd,
} from './requests.ts';

const PREFIX = 'abcdefghijklmnop';
const LOGIN: AuthRequest = { type: 'authenticate', name: 'alice', simpleToken: PREFIX };

function outcome(store: AuthStore, request: AuthRequest): AuthFailure | 'ok' {
  const done = store.apply(request, 77, 0);
  return done.ok ? 'ok' : done.error;
}

describe('switching on', () => {
  test('needs a root user with the root role', () => {
    const store = new AuthStore();
    expect(outcome(store, ENABLE)).toBe('rootUserNotExist');
    store.apply(userAdd('root'), 1, 0);
    expect(outcome(store, ENABLE)).toBe('rootRoleNotExist');
    store.apply(grantRole('root', 'root'), 2, 0);
    expect(outcome(store, ENABLE)).toBe('ok');
    expect(store.enabled).toBe(true);
  });

  test('until then nobody is asked, and nobody logs in', () => {
    const store = storeOf(userAdd('alice'));
    expect(store.checkRange(undefined, bytes('a'), bytes(''))).toBeUndefined();
    expect(store.checkPut(undefined, bytes('a'))).toBeUndefined();
    expect(store.checkAdmin(undefined)).toBeUndefined();
    expect(store.rootInfo()).toBeUndefined();
    expect(outcome(store, LOGIN)).toBe('authNotEnabled');
  });

  test('does not count as a change, switching off does, once', () => {
    const store = enabledStoreOf();
    expect(store.revision).toBe(3);
    expect(outcome(store, ENABLE)).toBe('ok');
    expect(store.revision).toBe(3);
    expect(outcome(store, DISABLE)).toBe('ok');
    expect(outcome(store, DISABLE)).toBe('ok');
    expect(store.revision).toBe(4);
    expect(store.enabled).toBe(false);
  });
});

test('the revision counts what succeeds, from one', () => {
  const store = new AuthStore();
  expect(store.revision).toBe(1);
  const requests: AuthRequest[] = [
    userAdd('alice'),
    roleAdd('r'),
    grantRole('alice', 'r'),
    grant('r', permission('read', 'a')),
    { type: 'userChangePassword', name: 'alice', hashedPassword: '' },
    { type: 'roleRevokePermission', role: 'r', key: bytes('a'), rangeEnd: bytes('') },
    { type: 'userRevokeRole', name: 'alice', role: 'r' },
    { type: 'roleDelete', role: 'r' },
    { type: 'userDelete', name: 'alice' },
  ];
  for (const [at, request] of requests.entries()) {
    expect(outcome(store, request)).toBe('ok');
    expect(store.revision).toBe(2 + at);
    expect(outcome(store, { type: 'userDelete', name: 'nobody' })).toBe('userNotFound');
  }
  expect(store.revision).toBe(1 + requests.length);
});

describe('what is refused', () => {
  const alice = [userAdd('alice'), roleAdd('r'), grant('r', permission('read', 'a', 'c'))];
  test.each<[string, AuthRequest, AuthFailure]>([
    ['a user without a name', userAdd(''), 'userEmpty'],
    ['a user who is there', userAdd('alice'), 'userAlreadyExist'],
    [
      'a user whose hash is no base64',
      { type: 'userAdd', name: 'bob', hashedPassword: '?', noPassword: false },
      'noPasswordUser',
    ],
    ['to delete nobody', { type: 'userDelete', name: 'bob' }, 'userNotFound'],
    [
      'a password for nobody',
      { type: 'userChangePassword', name: 'bob', hashedPassword: '' },
      'userNotFound',
    ],
    ['a role for nobody', grantRole('bob', 'r'), 'userNotFound'],
    ['a role that is not there', grantRole('alice', 'q'), 'roleNotFound'],
    [
      'to take a role that is not held',
      { type: 'userRevokeRole', name: 'alice', role: 'r' },
      'roleNotGranted',
    ],
    ['to take from nobody', { type: 'userRevokeRole', name: 'bob', role: 'r' }, 'userNotFound'],
    ['a role without a name', roleAdd(''), 'roleEmpty'],
    ['a role that is there', roleAdd('r'), 'roleAlreadyExist'],
    ['to delete no role', { type: 'roleDelete', role: 'q' }, 'roleNotFound'],
    [
      'no permission',
      { type: 'roleGrantPermission', name: 'r', permission: undefined },
      'permissionNotGiven',
    ],
    ['a permission for no key', grant('r', permission('read', '', '\0')), 'invalidAuthMgmt'],
    ['an empty range', grant('r', permission('read', 'b', 'b')), 'invalidAuthMgmt'],
    ['an inverted range', grant('r', permission('read', 'b', 'a')), 'invalidAuthMgmt'],
    ['a permission for no role', grant('q', permission('read', 'a')), 'roleNotFound'],
    [
      'to take a permission from no role',
      { type: 'roleRevokePermission', role: 'q', key: bytes('a'), rangeEnd: bytes('c') },
      'roleNotFound',
    ],
    [
      'to take a part of a permission',
      { type: 'roleRevokePermission', role: 'r', key: bytes('a'), rangeEnd: bytes('b') },
      'permissionNotGranted',
    ],
  ])('%s', (_, request, failure) => {
    const store = storeOf(...alice);
    const before = store.records();
    expect(outcome(store, request)).toBe(failure);
    expect(store.records()).toEqual(before);
  });
});

describe('root', () => {
  const guarded: AuthRequest[] = [
    { type: 'userDelete', name: 'root' },
    { type: 'userRevokeRole', name: 'root', role: 'root' },
    { type: 'roleDelete', role: 'root' },
  ];
  test.each(guarded.map((request) => [request.type, request] as const))(
    'stays while authentication is on: %s',
    (_, request) => {
      const store = storeOf(roleAdd('root'), userAdd('root'), grantRole('root', 'root'), ENABLE);
      expect(outcome(store, request)).toBe('invalidAuthMgmt');
      store.apply(DISABLE, 9, 0);
      expect(outcome(store, request)).toBe('ok');
    },
  );

  test('need not exist as a role, and permits everything', () => {
    const store = enabledStoreOf();
    const root = store.rootInfo();
    expect(root).toEqual({ username: 'root', revision: 3 });
    expect(store.checkRange(root, bytes('\0'), bytes('\0'))).toBeUndefined();
    expect(store.checkDeleteRange(root, bytes('\0'), bytes('\0'))).toBeUndefined();
    expect(store.checkAdmin(root)).toBeUndefined();
  });

  test('another may have its role', () => {
    const store = enabledStoreOf(userAdd('alice'), grantRole('alice', 'root'));
    const info = { username: 'alice', revision: store.revision };
    expect(store.checkAdmin(info)).toBeUndefined();
    expect(store.checkPut(info, bytes('a'))).toBeUndefined();
  });
});

describe('who asks', () => {
  const store = enabledStoreOf(userAdd('alice'));
  const { revision } = store;
  test('must be somebody', () => {
    expect(store.checkRange(undefined, bytes('a'), bytes(''))).toBe('userEmpty');
    expect(store.checkAdmin(undefined)).toBe('userEmpty');
  });

  test('must be known', () => {
    const info = { username: 'bob', revision };
    expect(store.checkRange(info, bytes('a'), bytes(''))).toBe('permissionDenied');
    expect(store.checkAdmin(info)).toBe('userNotFound');
  });

  test('must have been asked at this revision, to manage users at any', () => {
    const old = { username: 'root', revision: revision - 1 };
    expect(store.checkRange(old, bytes('a'), bytes(''))).toBe('authOldRevision');
    expect(store.checkAdmin(old)).toBeUndefined();
  });

  test('needs the root role to manage users', () => {
    expect(store.checkAdmin({ username: 'alice', revision })).toBe('permissionDenied');
  });
});

describe('roles', () => {
  test('granted twice are granted once, and it changes nothing', () => {
    const store = storeOf(userAdd('alice'), roleAdd('r'), grantRole('alice', 'r'));
    const before = store.records();
    expect(outcome(store, grantRole('alice', 'r'))).toBe('ok');
    expect(store.records()).toEqual(before);
  });

  test('that are deleted are taken from everybody', () => {
    const store = storeOf(
      roleAdd('q'),
      roleAdd('r'),
      ...['alice', 'bob'].flatMap((name) => [
        userAdd(name),
        grantRole(name, 'r'),
        grantRole(name, 'q'),
      ]),
      { type: 'roleDelete', role: 'r' },
    );
    expect(store.users().map(({ name, roles }) => [name, roles])).toEqual([
      ['alice', ['q']],
      ['bob', ['q']],
    ]);
    expect(store.role('r')).toBeUndefined();
  });

  test('have one type for a range, the last one given', () => {
    const store = storeOf(
      roleAdd('r'),
      grant('r', permission('read', 'b')),
      grant('r', permission('read', 'a', 'c')),
      grant('r', permission('read', 'a')),
      grant('r', permission('write', 'a', 'c')),
    );
    expect(store.role('r')).toEqual([
      permission('read', 'a'),
      permission('write', 'a', 'c'),
      permission('read', 'b'),
    ]);
  });

  test('are in the order of their bytes, which is not that of UTF-16', () => {
    const names = ['\u{1f600}', '￿', 'z', 'é'];
    const store = storeOf(...names.map(roleAdd), userAdd('alice'));
    for (const name of names) store.apply(grantRole('alice', name), 9, 0);
    const sorted = ['z', 'é', '￿', '\u{1f600}'];
    expect(store.roles().map((role) => role.name)).toEqual(sorted);
    expect(store.user('alice')?.roles).toEqual(sorted);
  });
});

describe('a login', () => {
  test('makes a token of the entry’s index', () => {
    const store = enabledStoreOf(userAdd('alice'));
    const { revision } = store;
    expect(outcome(store, LOGIN)).toBe('ok');
    expect(store.tokens.madeOf(PREFIX)).toBe(`${PREFIX}.77`);
    expect(store.revision).toBe(revision);
  });

  test('without a token leaves none', () => {
    const store = enabledStoreOf(userAdd('alice'));
    expect(outcome(store, { ...LOGIN, simpleToken: '' })).toBe('ok');
    expect(store.tokens.size).toBe(0);
  });

  test.each(['bob', 'carol'])('of %s, who has no password or is not there, is refused', (name) => {
    const store = enabledStoreOf(noPasswordUser('bob'));
    expect(outcome(store, { ...LOGIN, name })).toBe('authFailed');
    expect(store.tokens.size).toBe(0);
  });

  test.each<[string, AuthRequest, boolean]>([
    ['deleting the user', { type: 'userDelete', name: 'alice' }, false],
    [
      'changing the password',
      { type: 'userChangePassword', name: 'alice', hashedPassword: '' },
      false,
    ],
    ['switching off', DISABLE, false],
    ['deleting another', { type: 'userDelete', name: 'root2' }, true],
    ['granting a role', grantRole('alice', 'root'), true],
  ])('%s decides over its token', (_, request, stays) => {
    const store = enabledStoreOf(userAdd('alice'), userAdd('root2'));
    store.apply(LOGIN, 77, 0);
    expect(outcome(store, request)).toBe('ok');
    expect(store.tokens.touch(`${PREFIX}.77`, 1, 10)).toBe(stays ? 'alice' : undefined);
  });
});

describe('passwords', () => {
  test('are kept as bytes, and none is kept of who has none', () => {
    const store = storeOf(userAdd('alice', 'h1'), noPasswordUser('bob'));
    expect(store.user('alice')?.hashedPassword).toEqual(bytes('h1'));
    expect(store.user('bob')?.hashedPassword).toEqual(bytes(''));
    store.apply({ type: 'userChangePassword', name: 'alice', hashedPassword: 'aDI=' }, 9, 0);
    store.apply({ type: 'userChangePassword', name: 'bob', hashedPassword: 'aDI=' }, 10, 0);
    expect(store.user('alice')?.hashedPassword).toEqual(bytes('h2'));
    expect(store.user('bob')?.hashedPassword).toEqual(bytes(''));
  });
});

describe('any sequence of changes', () => {
  const user = fc.constantFrom('root', 'alice', 'bob');
  const role = fc.constantFrom('root', 'q', 'r');
  const key = fc.constantFrom('a', 'b').map(bytes);
  const request = fc.oneof<fc.Arbitrary<AuthRequest>[]>(
    fc.constantFrom(ENABLE, DISABLE),
    user.map((name) => userAdd(name)),
    user.map((name): AuthRequest => ({ type: 'userDelete', name })),
    role.map(roleAdd),
    role.map((name): AuthRequest => ({ type: 'roleDelete', role: name })),
    fc.tuple(user, role).map(([name, held]) => grantRole(name, held)),
    fc.tuple(user, role).map(([name, held]): AuthRequest => {
      return { type: 'userRevokeRole', name, role: held };
    }),
    fc.tuple(role, key).map(([name, at]) => grant(name, { ...permission('read', 'x'), key: at })),
    fc.tuple(role, key).map(([name, at]): AuthRequest => {
      return { type: 'roleRevokePermission', role: name, key: at, rangeEnd: bytes('') };
    }),
  );

  test('goes on from a checkpoint as if there had been none', () => {
    fc.assert(
      fc.property(fc.array(request, { maxLength: 30 }), fc.nat(30), (requests, at) => {
        let store = new AuthStore();
        const whole = new AuthStore();
        for (const [index, one] of requests.entries()) {
          if (index === at) store = new AuthStore(store.records());
          expect(store.apply(one, index, 0)).toEqual(whole.apply(one, index, 0));
          for (const username of ['root', 'alice', 'bob']) {
            const info = { username, revision: whole.revision };
            const answer = whole.checkRange(info, bytes('a'), bytes(''));
            expect(store.checkRange(info, bytes('a'), bytes(''))).toBe(answer);
          }
        }
        expect(store.records()).toEqual(whole.records());
      }),
      { seed: 20261121, numRuns: 500 },
    );
  });

  test('leaves a root user with the root role while authentication is on', () => {
    fc.assert(
      fc.property(fc.array(request, { maxLength: 40, size: 'max' }), (requests) => {
        const store = enabledStoreOf();
        for (const [index, one] of requests.entries()) {
          store.apply(one, index, 0);
          if (store.enabled) expect(store.checkAdmin(store.rootInfo())).toBeUndefined();
        }
      }),
      { seed: 20261121, numRuns: 500 },
    );
  });
});
