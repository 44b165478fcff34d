/**
 * Users, roles and what they permit, again: a value that never changes, so that the permissions
 * of any index can still be asked. Written without the server's code.
 */

import type { AuthInfo, AuthRequest, Permission } from '../../../src/auth/request.ts';
import { assertNever } from '../../../src/lib/assert.ts';
import { compareBytes, equalBytes } from '../../../src/lib/bytes.ts';
import type { LeaseId } from '../../../src/lib/ids.ts';
import type { RequestOp, TxnRequest } from '../../../src/mvcc/request.ts';
import type { InternalRequest } from '../../../src/wire/internal-request.ts';

export interface ModelUser {
  /** As logged: base64 of the hash. */
  readonly hashedPassword: string;
  readonly noPassword: boolean;
  readonly roles: readonly string[];
}

export interface AuthModel {
  readonly enabled: boolean;
  readonly revision: number;
  readonly users: ReadonlyMap<string, ModelUser>;
  readonly roles: ReadonlyMap<string, readonly Permission[]>;
  /** How often the tokens of everybody were taken back, and how often those of a user. */
  readonly cleared: number;
  readonly invalidated: ReadonlyMap<string, number>;
}

export const NO_AUTH: AuthModel = {
  enabled: false,
  revision: 1,
  users: new Map(),
  roles: new Map(),
  cleared: 0,
  invalidated: new Map(),
};

const ROOT = 'root';

/** Keys in etcd's convention for range ends. */
interface Keys {
  readonly key: Uint8Array;
  readonly rangeEnd: Uint8Array;
}

/** Undefined: refused, and nothing has changed. */
export function applyAuth(auth: AuthModel, request: AuthRequest): AuthModel | undefined {
  const { users, roles, enabled } = auth;
  switch (request.type) {
    case 'authEnable':
      return users.get(ROOT)?.roles.includes(ROOT) || enabled
        ? { ...auth, enabled: true }
        : undefined;
    case 'authDisable':
      return enabled ? later({ ...auth, enabled: false, cleared: auth.cleared + 1 }) : auth;
    case 'authenticate': {
      const user = users.get(request.name);
      return enabled && user !== undefined && !user.noPassword ? auth : undefined;
    }
    case 'userAdd': {
      const { name, hashedPassword, noPassword } = request;
      if (name === '' || users.has(name)) return undefined;
      return withUser(auth, name, { hashedPassword, noPassword, roles: [] });
    }
    case 'userDelete':
      if ((enabled && request.name === ROOT) || !users.has(request.name)) return undefined;
      return later({ ...withoutTokens(auth, request.name), users: without(users, request.name) });
    case 'userChangePassword': {
      const { name, hashedPassword } = request;
      const user = users.get(name);
      return user && withUser(withoutTokens(auth, name), name, { ...user, hashedPassword });
    }
    case 'userGrantRole': {
      const user = users.get(request.user);
      const { role } = request;
      if (user === undefined || (role !== ROOT && !roles.has(role))) return undefined;
      if (user.roles.includes(role)) return auth;
      return withUser(auth, request.user, { ...user, roles: [...user.roles, role].sort() });
    }
    case 'userRevokeRole': {
      const user = users.get(request.name);
      if (enabled && request.name === ROOT && request.role === ROOT) return undefined;
      if (!user?.roles.includes(request.role)) return undefined;
      return withUser(auth, request.name, withoutRole(user, request.role));
    }
    default:
      return applyToRoles(auth, request);
  }
}

/** How often a user's tokens were taken back: one from before the last time is worth nothing. */
export function takenBack({ cleared, invalidated }: AuthModel, user: string): number {
  return cleared + (invalidated.get(user) ?? 0);
}

type RoleRequest = Extract<
  AuthRequest,
  { type: 'roleAdd' | 'roleDelete' | 'roleGrantPermission' | 'roleRevokePermission' }
>;

function applyToRoles(auth: AuthModel, request: RoleRequest): AuthModel | undefined {
  const { users, roles, enabled } = auth;
  switch (request.type) {
    case 'roleAdd':
      if (request.name === '' || roles.has(request.name)) return undefined;
      return later({ ...auth, roles: new Map([...roles, [request.name, []]]) });
    case 'roleDelete': {
      const { role } = request;
      if ((enabled && role === ROOT) || !roles.has(role)) return undefined;
      const left = [...users].map(([name, user]) => [name, withoutRole(user, role)] as const);
      return later({ ...auth, users: new Map(left), roles: without(roles, role) });
    }
    case 'roleGrantPermission': {
      const { name, permission } = request;
      const held = roles.get(name);
      if (permission === undefined || held === undefined || !hasRoom(permission)) return undefined;
      return withRole(auth, name, [...held.filter((one) => !isSame(one, permission)), permission]);
    }
    case 'roleRevokePermission': {
      const held = roles.get(request.role);
      const left = held?.filter((one) => !isSame(one, request));
      if (held === undefined || left?.length === held.length) return undefined;
      return withRole(auth, request.role, left ?? []);
    }
    default:
      return assertNever(request);
  }
}

/** May whoever logged the request have it applied? `keysOf`: of a lease. */
export function permits(
  auth: AuthModel,
  request: InternalRequest,
  info: AuthInfo | undefined,
  keysOf: (id: LeaseId) => readonly Uint8Array[],
): boolean {
  if (!auth.enabled) return true;
  switch (request.type) {
    case 'put':
    case 'deleteRange':
    case 'txn':
      return permitsOp(auth, request as RequestOp, info, keysOf);
    case 'leaseRevoke':
      return info === undefined || permitsLease(auth, request.id, info, keysOf);
    case 'alarm':
      return request.request.action === 'get' || info === undefined || isRoot(auth, info);
    case 'compaction':
    case 'downgradeInfo':
      return info === undefined || isRoot(auth, info);
    case 'auth':
      return request.request.type === 'authenticate' || isRoot(auth, info);
    default:
      return true;
  }
}

/** May the user read or write all of the keys, with permissions looked up at `info.revision`? */
export function permitsKeys(
  auth: AuthModel,
  info: AuthInfo | undefined,
  access: 'read' | 'write',
  keys: Keys,
): boolean {
  if (!auth.enabled) return true;
  if (info === undefined || info.revision < auth.revision) return false;
  const user = auth.users.get(info.username);
  if (user === undefined) return false;
  if (user.roles.includes(ROOT)) return true;
  const held = user.roles
    .flatMap((role) => auth.roles.get(role) ?? [])
    .filter(({ type }) => type === access || type === 'readWrite');
  return areCovered(keys, held);
}

function permitsOp(
  auth: AuthModel,
  op: RequestOp,
  info: AuthInfo | undefined,
  keysOf: (id: LeaseId) => readonly Uint8Array[],
): boolean {
  const may = (access: 'read' | 'write', keys: Keys): boolean =>
    permitsKeys(auth, info, access, keys);
  switch (op.type) {
    case 'range':
      return may('read', op.request);
    case 'put': {
      const { key, lease, prevKv } = op.request;
      const keys = { key, rangeEnd: NO_END };
      if (!may('write', keys) || (prevKv && !may('read', keys))) return false;
      return lease === 0n || permitsLease(auth, lease, info, keysOf);
    }
    case 'deleteRange':
      return may('write', op.request) && (!op.request.prevKv || may('read', op.request));
    case 'txn': {
      const request: TxnRequest = op.request;
      if (!request.compare.every((compare) => may('read', compare))) return false;
      const ops = [...request.success, ...request.failure];
      return ops.every((each) => permitsOp(auth, each, info, keysOf));
    }
    default:
      return assertNever(op);
  }
}

/** Root, or who may write every key of the lease. */
function permitsLease(
  auth: AuthModel,
  id: LeaseId,
  info: AuthInfo | undefined,
  keysOf: (id: LeaseId) => readonly Uint8Array[],
): boolean {
  if (isRoot(auth, info)) return true;
  return keysOf(id).every((key) => permitsKeys(auth, info, 'write', { key, rangeEnd: NO_END }));
}

/** However old its revision. */
function isRoot(auth: AuthModel, info: AuthInfo | undefined): boolean {
  if (!auth.enabled) return true;
  return info !== undefined && auth.users.get(info.username)?.roles.includes(ROOT) === true;
}

/** Step by step from the first key to the end, over whichever permission reaches furthest. */
function areCovered({ key, rangeEnd }: Keys, held: readonly Permission[]): boolean {
  let at = key;
  for (;;) {
    const around = held.filter((one) => compareBytes(one.key, at) <= 0);
    if (around.some((one) => isOpen(one.rangeEnd))) return true;
    const ends = around.map(endOf).filter((end) => compareBytes(at, end) < 0);
    const furthest = ends.sort(compareBytes).at(-1);
    if (furthest === undefined) return false;
    if (rangeEnd.length === 0) return true;
    if (!isOpen(rangeEnd) && compareBytes(rangeEnd, furthest) <= 0) return true;
    at = furthest;
  }
}

function endOf({ key, rangeEnd }: Keys): Uint8Array {
  return rangeEnd.length > 0 ? rangeEnd : Uint8Array.of(...key, 0);
}

function hasRoom({ key, rangeEnd }: Keys): boolean {
  if (key.length === 0) return false;
  return rangeEnd.length === 0 || isOpen(rangeEnd) || compareBytes(key, rangeEnd) < 0;
}

function isOpen(rangeEnd: Uint8Array): boolean {
  return rangeEnd.length === 1 && rangeEnd[0] === 0;
}

function isSame(a: Keys, b: Keys): boolean {
  return equalBytes(a.key, b.key) && equalBytes(a.rangeEnd, b.rangeEnd);
}

function withUser(auth: AuthModel, name: string, user: ModelUser): AuthModel {
  return later({ ...auth, users: new Map([...auth.users, [name, user]]) });
}

function withoutTokens(auth: AuthModel, user: string): AuthModel {
  const times = (auth.invalidated.get(user) ?? 0) + 1;
  return { ...auth, invalidated: new Map([...auth.invalidated, [user, times]]) };
}

function withRole(auth: AuthModel, name: string, held: readonly Permission[]): AuthModel {
  return later({ ...auth, roles: new Map([...auth.roles, [name, held]]) });
}

function withoutRole(user: ModelUser, role: string): ModelUser {
  return { ...user, roles: user.roles.filter((other) => other !== role) };
}

function without<Value>(map: ReadonlyMap<string, Value>, name: string): Map<string, Value> {
  return new Map([...map].filter(([other]) => other !== name));
}

function later(auth: AuthModel): AuthModel {
  return { ...auth, revision: auth.revision + 1 };
}

const NO_END = new Uint8Array(0);
