import { assertNever } from '../lib/assert.ts';
import { compareBytes, EMPTY_BYTES, equalBytes } from '../lib/bytes.ts';
import type { Index } from '../lib/ids.ts';
import { err, ok, type Result } from '../lib/result.ts';
import { utf8Encode } from '../lib/utf8.ts';
import { decodeBase64 } from './base64.ts';
import { isPermissionRange, type KeyRange } from './key-intervals.ts';
import type { AuthFailure, AuthInfo, AuthRequest, Permission } from './request.ts';
import { SimpleTokens } from './simple-tokens.ts';
import { ROOT_ROLE, UserAccess } from './user-access.ts';

/** authpb.User */
export interface UserRecord {
  readonly name: string;
  /** bcrypt's text form; empty: no password fits. */
  readonly hashedPassword: Uint8Array;
  /** In the order of their bytes. */
  readonly roles: readonly string[];
  /** May not log in with a password, only be named by a certificate or a signed token. */
  readonly noPassword: boolean;
}

/** authpb.Role */
export interface RoleRecord {
  readonly name: string;
  /** In the order of their keys; no two for the same range. */
  readonly permissions: readonly Permission[];
}

/** All that is replicated, for a checkpoint; names in the order of their bytes. */
export interface AuthRecords {
  readonly enabled: boolean;
  readonly revision: number;
  readonly users: readonly UserRecord[];
  readonly roles: readonly RoleRecord[];
}

/** Nobody can switch authentication on without this user having the root role. */
export const ROOT_USER = 'root';

/** etcd's revision of a store in which nothing was changed yet. */
const FIRST_REVISION = 1;

type Change = Result<undefined, AuthFailure>;

/**
 * Users, roles and what they permit. Part of the replicated state: changed by {@link apply} and
 * nothing else, and the same on every member; the tokens of logins are each member's own.
 * How many users and roles there are is up to the administrator.
 */
export class AuthStore {
  /** Of logins that this member applied since it started or installed a snapshot. */
  readonly tokens: SimpleTokens;
  #enabled: boolean;
  #revision: number;
  readonly #users = new Map<string, UserRecord>();
  readonly #roles = new Map<string, readonly Permission[]>();
  /** Made when first asked for, thrown away with every change. */
  readonly #access = new Map<string, UserAccess>();

  constructor(from?: AuthRecords, tokens: SimpleTokens = new SimpleTokens()) {
    this.tokens = tokens;
    this.#enabled = from?.enabled ?? false;
    this.#revision = Math.max(from?.revision ?? 0, FIRST_REVISION);
    for (const user of from?.users ?? []) this.#users.set(user.name, user);
    for (const { name, permissions } of from?.roles ?? []) this.#roles.set(name, permissions);
  }

  get enabled(): boolean {
    return this.#enabled;
  }

  /** One more with every change but switching on, as in etcd: what was checked before is stale. */
  get revision(): number {
    return this.#revision;
  }

  user(name: string): UserRecord | undefined {
    return this.#users.get(name);
  }

  /** A role's permissions; undefined: no such role. */
  role(name: string): readonly Permission[] | undefined {
    return this.#roles.get(name);
  }

  users(): readonly UserRecord[] {
    return [...this.#users.values()].sort((a, b) => compareNames(a.name, b.name));
  }

  roles(): readonly RoleRecord[] {
    return [...this.#roles]
      .map(([name, permissions]) => ({ name, permissions }))
      .sort((a, b) => compareNames(a.name, b.name));
  }

  records(): AuthRecords {
    const [users, roles] = [this.users(), this.roles()];
    return { enabled: this.#enabled, revision: this.#revision, users, roles };
  }

  /** In whose name a member asks for something itself; undefined while nobody is asked who. */
  rootInfo(): AuthInfo | undefined {
    return this.#enabled ? { username: ROOT_USER, revision: this.#revision } : undefined;
  }

  /** undefined: permitted, as are the other checks' answers. */
  checkRange(info: AuthInfo | undefined, key: Uint8Array, rangeEnd: Uint8Array): Refusal {
    return this.#check(info, (access) => access.mayRead(key, rangeEnd));
  }

  checkPut(info: AuthInfo | undefined, key: Uint8Array): Refusal {
    return this.#check(info, (access) => access.mayWrite(key, EMPTY_BYTES));
  }

  checkDeleteRange(info: AuthInfo | undefined, key: Uint8Array, rangeEnd: Uint8Array): Refusal {
    return this.#check(info, (access) => access.mayWrite(key, rangeEnd));
  }

  /** Of an old revision too, as in etcd: the user's roles of this moment decide. */
  checkAdmin(info: AuthInfo | undefined): Refusal {
    if (!this.#enabled) return undefined;
    if (info === undefined || info.username === '') return 'userEmpty';
    const access = this.#accessOf(info.username);
    if (access === undefined) return 'userNotFound';
    return access.isRoot ? undefined : 'permissionDenied';
  }

  /**
   * `index` is the entry's, which becomes part of a login's token; `nowTick` is the member's own
   * time and decides nothing but how long its token lives there. A refused request has changed
   * nothing.
   */
  apply(request: AuthRequest, index: Index, nowTick: number): Change {
    switch (request.type) {
      case 'authEnable':
        return this.#enable();
      case 'authDisable':
        return this.#disable();
      case 'authenticate':
        return this.#authenticate(request, index, nowTick);
      case 'userAdd':
        return this.#userAdd(request);
      case 'userDelete':
        return this.#userDelete(request.name);
      case 'userChangePassword':
        return this.#userChangePassword(request);
      case 'userGrantRole':
        return this.#userGrantRole(request.user, request.role);
      case 'userRevokeRole':
        return this.#userRevokeRole(request.name, request.role);
      case 'roleAdd':
        return this.#roleAdd(request.name);
      case 'roleDelete':
        return this.#roleDelete(request.role);
      case 'roleGrantPermission':
        return this.#roleGrantPermission(request.name, request.permission);
      case 'roleRevokePermission':
        return this.#roleRevokePermission(request.role, request);
      default:
        return assertNever(request);
    }
  }

  #check(info: AuthInfo | undefined, permits: (access: UserAccess) => boolean): Refusal {
    if (!this.#enabled) return undefined;
    if (info === undefined) return 'userEmpty';
    if (info.revision < this.#revision) return 'authOldRevision';
    const access = this.#accessOf(info.username);
    return access !== undefined && permits(access) ? undefined : 'permissionDenied';
  }

  #accessOf(username: string): UserAccess | undefined {
    const known = this.#access.get(username);
    if (known !== undefined) return known;
    const user = this.#users.get(username);
    if (user === undefined) return undefined;
    const access = new UserAccess(user.roles, (role) => this.#roles.get(role));
    this.#access.set(username, access);
    return access;
  }

  #enable(): Change {
    if (this.#enabled) return ok(undefined);
    const root = this.#users.get(ROOT_USER);
    if (root === undefined) return err('rootUserNotExist');
    if (!root.roles.includes(ROOT_ROLE)) return err('rootRoleNotExist');
    this.#enabled = true;
    return ok(undefined);
  }

  #disable(): Change {
    if (!this.#enabled) return ok(undefined);
    this.#enabled = false;
    this.tokens.clear();
    return this.#changed();
  }

  #authenticate(
    request: { readonly name: string; readonly simpleToken: string },
    index: Index,
    nowTick: number,
  ): Change {
    if (!this.#enabled) return err('authNotEnabled');
    const user = this.#users.get(request.name);
    if (user === undefined || user.noPassword) return err('authFailed');
    // Members of a cluster with signed tokens log none.
    const { simpleToken } = request;
    if (simpleToken !== '') this.tokens.assign(simpleToken, index, request.name, nowTick);
    return ok(undefined);
  }

  #userAdd(request: AuthRequest & { readonly type: 'userAdd' }): Change {
    const { name, noPassword } = request;
    if (name === '') return err('userEmpty');
    if (this.#users.has(name)) return err('userAlreadyExist');
    const hashedPassword = noPassword ? EMPTY_BYTES : decodeBase64(request.hashedPassword);
    if (hashedPassword === undefined) return err('noPasswordUser');
    this.#users.set(name, { name, hashedPassword, roles: [], noPassword });
    return this.#changed();
  }

  #userDelete(name: string): Change {
    if (this.#enabled && name === ROOT_USER) return err('invalidAuthMgmt');
    if (!this.#users.delete(name)) return err('userNotFound');
    this.tokens.invalidateUser(name);
    return this.#changed();
  }

  #userChangePassword(request: AuthRequest & { readonly type: 'userChangePassword' }): Change {
    const user = this.#users.get(request.name);
    if (user === undefined) return err('userNotFound');
    const hashedPassword = user.noPassword ? EMPTY_BYTES : decodeBase64(request.hashedPassword);
    if (hashedPassword === undefined) return err('noPasswordUser');
    this.#users.set(user.name, { ...user, hashedPassword });
    this.tokens.invalidateUser(user.name);
    return this.#changed();
  }

  /** The root role need not exist to be granted. Granting what is held already is no change. */
  #userGrantRole(name: string, role: string): Change {
    const user = this.#users.get(name);
    if (user === undefined) return err('userNotFound');
    if (role !== ROOT_ROLE && !this.#roles.has(role)) return err('roleNotFound');
    if (user.roles.includes(role)) return ok(undefined);
    this.#users.set(name, { ...user, roles: [...user.roles, role].sort(compareNames) });
    return this.#changed();
  }

  #userRevokeRole(name: string, role: string): Change {
    if (this.#enabled && name === ROOT_USER && role === ROOT_ROLE) return err('invalidAuthMgmt');
    const user = this.#users.get(name);
    if (user === undefined) return err('userNotFound');
    if (!user.roles.includes(role)) return err('roleNotGranted');
    this.#users.set(name, withoutRole(user, role));
    return this.#changed();
  }

  #roleAdd(name: string): Change {
    if (name === '') return err('roleEmpty');
    if (this.#roles.has(name)) return err('roleAlreadyExist');
    this.#roles.set(name, []);
    return this.#changed();
  }

  #roleDelete(role: string): Change {
    if (this.#enabled && role === ROOT_ROLE) return err('invalidAuthMgmt');
    if (!this.#roles.delete(role)) return err('roleNotFound');
    for (const user of this.#users.values()) {
      if (user.roles.includes(role)) this.#users.set(user.name, withoutRole(user, role));
    }
    return this.#changed();
  }

  /** For a range that the role has already, the type is replaced. */
  #roleGrantPermission(role: string, permission: Permission | undefined): Change {
    if (permission === undefined) return err('permissionNotGiven');
    if (!isPermissionRange(permission)) return err('invalidAuthMgmt');
    const permissions = this.#roles.get(role);
    if (permissions === undefined) return err('roleNotFound');
    const others = permissions.filter((other) => !isSameRange(other, permission));
    this.#roles.set(role, [...others, permission].sort(compareRanges));
    return this.#changed();
  }

  #roleRevokePermission(role: string, range: KeyRange): Change {
    const permissions = this.#roles.get(role);
    if (permissions === undefined) return err('roleNotFound');
    const others = permissions.filter((other) => !isSameRange(other, range));
    if (others.length === permissions.length) return err('permissionNotGranted');
    this.#roles.set(role, others);
    return this.#changed();
  }

  #changed(): Change {
    this.#revision++;
    this.#access.clear();
    return ok(undefined);
  }
}

/** undefined: nothing to refuse. */
type Refusal = AuthFailure | undefined;

function withoutRole(user: UserRecord, role: string): UserRecord {
  return { ...user, roles: user.roles.filter((other) => other !== role) };
}

function isSameRange(a: KeyRange, b: KeyRange): boolean {
  return equalBytes(a.key, b.key) && equalBytes(a.rangeEnd, b.rangeEnd);
}

function compareRanges(a: KeyRange, b: KeyRange): number {
  return compareBytes(a.key, b.key) || compareBytes(a.rangeEnd, b.rangeEnd);
}

/** Of UTF-8, which is how names are ordered in a checkpoint; JavaScript's own order differs. */
function compareNames(a: string, b: string): number {
  return compareBytes(utf8Encode(a), utf8Encode(b));
}
