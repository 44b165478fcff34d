import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { beforeEach, describe, expect, test } from 'vitest';
import type { AuthRequest } from '../../src/auth/request.ts';
import type { Result } from '../../src/lib/result.ts';
import { err, ok } from '../../src/lib/result.ts';
import type { TokenProvider } from '../../src/ports/token-provider.ts';
import { AuthService } from '../../src/service/auth.ts';
import { AuthGate } from '../../src/service/auth-gate.ts';
import { ANONYMOUS, type Caller } from '../../src/service/caller.ts';
import { type ServiceError, type ServiceFailure, serviceError } from '../../src/service/errors.ts';
import { Permission_Type, PermissionSchema } from '../../src/wire/gen/authpb/auth_pb.ts';
import * as rpc from '../../src/wire/gen/etcdserverpb/rpc_pb.ts';
import {
  bytes,
  enabledStoreOf,
  grant,
  grantRole,
  noPasswordUser,
  permission,
  roleAdd,
  storeOf,
  userAdd,
} from '../auth/requests.ts';
import { smallRandom } from '../support/small-random.ts';
import { AuthNode, PlainHasher } from './auth-node.ts';

const ROOT: Caller = { ...ANONYMOUS, commonName: 'root' };
const ALICE: Caller = { ...ANONYMOUS, commonName: 'alice' };

let node: AuthNode;
let hasher: PlainHasher;
let service: AuthService;

function serviceOf(signedTokens?: TokenProvider): AuthService {
  const gate = new AuthGate(node, { signedTokens, tokenTtlMs: 300_000 });
  return new AuthService({ node, gate, hasher, random: smallRandom(7), signedTokens });
}

beforeEach(() => {
  node = new AuthNode();
  node.auth = enabledStoreOf(
    roleAdd('root'),
    roleAdd('role'),
    roleAdd('other'),
    grant('role', permission('read', 'a', 'b')),
    userAdd('alice', '#secret'),
    grantRole('alice', 'role'),
    noPasswordUser('bob'),
  );
  hasher = new PlainHasher();
  service = serviceOf();
});

function failed(failure: ServiceFailure): Result<never, ServiceError> {
  return err(serviceError(failure));
}

function login(
  name: string,
  password: string,
  by: AuthService = service,
): Promise<Result<rpc.AuthenticateResponse, ServiceError>> {
  return by.authenticate(create(rpc.AuthenticateRequestSchema, { name, password }), ANONYMOUS);
}

function tokenOf(answer: Result<rpc.AuthenticateResponse, ServiceError>): string {
  expect(answer.ok).toBe(true);
  return answer.ok ? answer.value.token : '';
}

describe('a login', () => {
  test('makes a token that says who it is', async () => {
    const token = tokenOf(await login('alice', 'secret'));
    expect(token).toMatch(/^[a-zA-Z]{16}\.1$/);
    const caller = { ...ANONYMOUS, token };
    const got = await service.userGet(
      create(rpc.AuthUserGetRequestSchema, { name: 'alice' }),
      caller,
    );
    expect(got.ok && got.value.roles).toEqual(['role']);
  });

  test('logs the name and the letters, never the password', async () => {
    const token = tokenOf(await login('alice', 'secret'));
    expect(node.proposed).toEqual([
      {
        request: { type: 'authenticate', name: 'alice', simpleToken: token.slice(0, 16) },
        info: undefined,
      },
    ]);
  });

  test('has other letters each time', async () => {
    const first = tokenOf(await login('alice', 'secret'));
    const second = tokenOf(await login('alice', 'secret'));
    expect(second.slice(0, 16)).not.toBe(first.slice(0, 16));
  });

  test('is refused alike for a wrong name and a wrong password', async () => {
    expect(await login('alice', 'wrong')).toEqual(failed('authFailed'));
    expect(await login('nobody', 'secret')).toEqual(failed('authFailed'));
    expect(node.proposed).toEqual([]);
  });

  test('is refused to who has no password, with any', async () => {
    expect(await login('bob', '')).toEqual(failed('noPasswordUser'));
    expect(hasher.compared).toBe(0);
  });

  test('is refused while authentication is off', async () => {
    node.auth = storeOf(userAdd('alice', '#secret'));
    expect(await login('alice', 'secret')).toEqual(failed('authNotEnabled'));
  });

  test('is refused when too many wait', async () => {
    hasher.failure = 'tooManyRequests';
    expect(await login('alice', 'secret')).toEqual(failed('tooManyRequests'));
  });

  test('sees what was acknowledged before', async () => {
    node.duringBarrier = () => {
      node.duringBarrier = () => {};
      node.apply({ type: 'userDelete', name: 'alice' });
    };
    expect(await login('alice', 'secret')).toEqual(failed('authFailed'));
    node.barrierFailure = 'noLeader';
    expect(await login('alice', 'secret')).toEqual(failed('noLeader'));
  });

  test('compares again when something changed meanwhile', async () => {
    hasher.duringCompare = () => {
      hasher.duringCompare = () => {};
      node.apply({ type: 'userChangePassword', name: 'alice', hashedPassword: 'I25ldw==' });
    };
    expect(await login('alice', 'secret')).toEqual(failed('authFailed'));
    expect(hasher.compared).toBe(2);
    expect(node.proposed).toEqual([]);
    expect(tokenOf(await login('alice', 'new'))).not.toBe('');
  });

  test('logs in again when something changed while it was logged', async () => {
    node.afterApply = () => {
      node.afterApply = () => {};
      node.apply(roleAdd('third'));
    };
    const token = tokenOf(await login('alice', 'secret'));
    expect(hasher.compared).toBe(2);
    expect(node.proposed).toHaveLength(2);
    expect(node.auth.tokens.touch(token, 0, 10)).toBe('alice');
  });

  test('gives up when things change all the time', async () => {
    let count = 0;
    hasher.duringCompare = () => node.apply(roleAdd(`more${count++}`));
    expect(await login('alice', 'secret')).toEqual(failed('authOldRevision'));
    expect(hasher.compared).toBe(8);
  });
});

describe('signed tokens', () => {
  test('are made without the log', async () => {
    const provider: TokenProvider = {
      sign: ({ username, revision }) => ok(`${username}@${revision}`),
      verify: () => undefined,
    };
    const token = tokenOf(await login('alice', 'secret', serviceOf(provider)));
    expect(token).toBe(`alice@${node.auth.revision}`);
    expect(node.proposed).toEqual([]);
  });

  test('cannot be made by who only verifies', async () => {
    const provider: TokenProvider = { sign: () => err('verifyOnly'), verify: () => undefined };
    const answer = await login('alice', 'secret', serviceOf(provider));
    expect(answer).toEqual(failed('tokensVerifyOnly'));
  });
});

describe('a new user', () => {
  function add(
    fields: MessageInitShape<typeof rpc.AuthUserAddRequestSchema>,
    caller: Caller = ROOT,
  ): Promise<Result<rpc.AuthUserAddResponse, ServiceError>> {
    return service.userAdd(create(rpc.AuthUserAddRequestSchema, fields), caller);
  }

  test('is logged with a hash, by whom it was asked', async () => {
    const { revision } = node.auth;
    const added = await add({ name: 'carol', password: 'pw' });
    expect(added.ok && added.value.header).toMatchObject({
      clusterId: 0xc1n,
      memberId: 0xabn,
      revision: 5n,
      raftTerm: 3n,
    });
    expect(node.proposed).toEqual([
      { request: userAdd('carol', '#pw'), info: { username: 'root', revision } },
    ]);
    expect(tokenOf(await login('carol', 'pw'))).not.toBe('');
  });

  test('may have no password', async () => {
    const added = await add({ name: 'carol', password: 'pw', options: { noPassword: true } });
    expect(added.ok).toBe(true);
    expect(hasher.hashed).toBe(0);
    expect(await login('carol', 'pw')).toEqual(failed('noPasswordUser'));
  });

  test.each<[string, Caller, string, string, ServiceFailure]>([
    ['without a name', ROOT, '', 'pw', 'userEmpty'],
    ['with a password longer than counts', ROOT, 'carol', 'ü'.repeat(37), 'passwordTooLong'],
    ['asked for by who may not', ALICE, 'carol', 'pw', 'permissionDenied'],
    ['asked for by nobody', ANONYMOUS, 'carol', 'pw', 'userEmpty'],
  ])('%s costs no hash', async (_, caller, name, password, failure) => {
    expect(await add({ name, password }, caller)).toEqual(failed(failure));
    expect(hasher.hashed).toBe(0);
    expect(node.proposed).toEqual([]);
  });

  test('who is there is refused when applied', async () => {
    expect(await add({ name: 'alice', password: 'pw' })).toEqual(failed('userAlreadyExist'));
  });
});

describe('a changed password', () => {
  function change(name: string, password: string): ReturnType<AuthService['userChangePassword']> {
    const request = create(rpc.AuthUserChangePasswordRequestSchema, { name, password });
    return service.userChangePassword(request, ROOT);
  }

  test('is the one that counts, and ends tokens', async () => {
    const token = tokenOf(await login('alice', 'secret'));
    expect((await change('alice', 'new')).ok).toBe(true);
    expect(await login('alice', 'secret')).toEqual(failed('authFailed'));
    expect(tokenOf(await login('alice', 'new'))).not.toBe('');
    expect(node.auth.tokens.touch(token, 0, 10)).toBeUndefined();
  });

  test('that is empty fits nothing', async () => {
    expect((await change('alice', '')).ok).toBe(true);
    expect(await login('alice', '')).toEqual(failed('authFailed'));
    expect(await login('alice', 'secret')).toEqual(failed('authFailed'));
  });
});

describe('looking users and roles up', () => {
  const get = (name: string, caller: Caller) =>
    service.userGet(create(rpc.AuthUserGetRequestSchema, { name }), caller);
  const role = (name: string, caller: Caller) =>
    service.roleGet(create(rpc.AuthRoleGetRequestSchema, { role: name }), caller);

  test('administrators see all', async () => {
    const users = await service.userList(create(rpc.AuthUserListRequestSchema), ROOT);
    expect(users.ok && users.value.users).toEqual(['alice', 'bob', 'root']);
    const roles = await service.roleList(create(rpc.AuthRoleListRequestSchema), ROOT);
    expect(roles.ok && roles.value.roles).toEqual(['other', 'role', 'root']);
    expect(await get('nobody', ROOT)).toEqual(failed('userNotFound'));
    expect(await role('none', ROOT)).toEqual(failed('roleNotFound'));
  });

  test('others see themselves and their roles', async () => {
    const own = await get('alice', ALICE);
    expect(own.ok && own.value.roles).toEqual(['role']);
    expect(await get('bob', ALICE)).toEqual(failed('permissionDenied'));
    const held = await role('role', ALICE);
    expect(held.ok && held.value.perm).toMatchObject([
      { permType: Permission_Type.READ, key: bytes('a'), rangeEnd: bytes('b') },
    ]);
    expect(await role('other', ALICE)).toEqual(failed('permissionDenied'));
    const users = await service.userList(create(rpc.AuthUserListRequestSchema), ALICE);
    expect(users).toEqual(failed('permissionDenied'));
    const roles = await service.roleList(create(rpc.AuthRoleListRequestSchema), ANONYMOUS);
    expect(roles).toEqual(failed('userEmpty'));
  });

  test('the root role permits all there is, whatever it was given', async () => {
    const root = await role('root', ROOT);
    expect(root.ok && root.value.perm).toMatchObject([
      { permType: Permission_Type.READWRITE, key: bytes(''), rangeEnd: bytes('\0') },
    ]);
  });

  test('anybody sees whether authentication is on', async () => {
    const request = create(rpc.AuthStatusRequestSchema);
    const { revision } = node.auth;
    const on = await service.authStatus(request, ANONYMOUS);
    expect(on.ok && on.value).toMatchObject({ enabled: true, authRevision: BigInt(revision) });
    node.auth = storeOf();
    const off = await service.authStatus(request, ANONYMOUS);
    expect(off.ok && off.value).toMatchObject({ enabled: false, authRevision: 1n });
  });
});

describe('every change', () => {
  const key = bytes('k');
  const rangeEnd = bytes('l');
  const perm = create(PermissionSchema, { permType: Permission_Type.WRITE, key, rangeEnd });
  type Call = (caller: Caller) => Promise<Result<unknown, ServiceError>>;
  const changes: [AuthRequest, Call][] = [
    [{ type: 'authEnable' }, (c) => service.authEnable(create(rpc.AuthEnableRequestSchema), c)],
    [{ type: 'authDisable' }, (c) => service.authDisable(create(rpc.AuthDisableRequestSchema), c)],
    [
      { type: 'userDelete', name: 'bob' },
      (c) => service.userDelete(create(rpc.AuthUserDeleteRequestSchema, { name: 'bob' }), c),
    ],
    [
      { type: 'userGrantRole', user: 'bob', role: 'role' },
      (c) => {
        const fields = { user: 'bob', role: 'role' };
        return service.userGrantRole(create(rpc.AuthUserGrantRoleRequestSchema, fields), c);
      },
    ],
    [
      { type: 'userRevokeRole', name: 'alice', role: 'role' },
      (c) => {
        const fields = { name: 'alice', role: 'role' };
        return service.userRevokeRole(create(rpc.AuthUserRevokeRoleRequestSchema, fields), c);
      },
    ],
    [
      { type: 'roleAdd', name: 'new' },
      (c) => service.roleAdd(create(rpc.AuthRoleAddRequestSchema, { name: 'new' }), c),
    ],
    [
      { type: 'roleDelete', role: 'role' },
      (c) => service.roleDelete(create(rpc.AuthRoleDeleteRequestSchema, { role: 'role' }), c),
    ],
    [
      { type: 'roleGrantPermission', name: 'role', permission: { type: 'write', key, rangeEnd } },
      (c) => {
        const fields = { name: 'role', perm };
        return service.roleGrantPermission(
          create(rpc.AuthRoleGrantPermissionRequestSchema, fields),
          c,
        );
      },
    ],
    [
      { type: 'roleRevokePermission', role: 'role', key: bytes('a'), rangeEnd: bytes('b') },
      (c) => {
        const fields = { role: 'role', key: bytes('a'), rangeEnd: bytes('b') };
        return service.roleRevokePermission(
          create(rpc.AuthRoleRevokePermissionRequestSchema, fields),
          c,
        );
      },
    ],
  ];

  test.each(changes.map(([request, call]) => [request.type, request, call] as const))(
    '%s is logged for administrators and nobody else',
    async (_, request, call) => {
      expect(await call(ALICE)).toEqual(failed('permissionDenied'));
      expect(await call(ANONYMOUS)).toEqual(failed('userEmpty'));
      expect(node.proposed).toEqual([]);
      const { revision } = node.auth;
      expect((await call(ROOT)).ok).toBe(true);
      expect(node.proposed).toEqual([{ request, info: { username: 'root', revision } }]);
    },
  );

  test('is refused by a learner, which has nothing up to date to say either', async () => {
    node.isLearner = true;
    for (const [, call] of changes) {
      expect(await call(ROOT)).toEqual(failed('notSupportedForLearner'));
    }
    expect(await login('alice', 'secret')).toEqual(failed('notSupportedForLearner'));
    const status = await service.authStatus(create(rpc.AuthStatusRequestSchema), ROOT);
    expect(status).toEqual(failed('notSupportedForLearner'));
  });

  test('may be made by anybody while authentication is off', async () => {
    node.auth = storeOf(roleAdd('role'), userAdd('alice'), userAdd('bob'), userAdd('root'));
    const add = create(rpc.AuthRoleAddRequestSchema, { name: 'new' });
    expect((await service.roleAdd(add, ANONYMOUS)).ok).toBe(true);
    const enable = create(rpc.AuthEnableRequestSchema);
    expect(await service.authEnable(enable, ANONYMOUS)).toEqual(failed('rootRoleNotExist'));
  });

  test('a permission needs a type that there is, and to be given', async () => {
    const odd = create(PermissionSchema, { permType: 9 as Permission_Type, key });
    const wrong = create(rpc.AuthRoleGrantPermissionRequestSchema, { name: 'role', perm: odd });
    expect(await service.roleGrantPermission(wrong, ROOT)).toEqual(failed('invalidAuthMgmt'));
    const none = create(rpc.AuthRoleGrantPermissionRequestSchema, { name: 'role' });
    expect(await service.roleGrantPermission(none, ROOT)).toEqual(failed('permissionNotGiven'));
  });
});
