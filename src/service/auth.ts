/** etcdserverpb.Auth: what its calls mean. */
import { create } from '@bufbuild/protobuf';
import type { UserRecord } from '../auth/auth-store.ts';
import { encodeBase64 } from '../auth/base64.ts';
import type { AuthFailure, AuthInfo, AuthRequest } from '../auth/request.ts';
import { TOKEN_PREFIX_LENGTH } from '../auth/simple-tokens.ts';
import { ROOT_ROLE } from '../auth/user-access.ts';
import { err, ok, type Result } from '../lib/result.ts';
import { utf8Decode, utf8Encode } from '../lib/utf8.ts';
import type { MemberNode } from '../member/node.ts';
import type { PasswordHasher } from '../ports/password-hasher.ts';
import type { Random } from '../ports/random.ts';
import type { TokenProvider } from '../ports/token-provider.ts';
import {
  type AuthDisableRequest,
  type AuthDisableResponse,
  AuthDisableResponseSchema,
  type AuthEnableRequest,
  type AuthEnableResponse,
  AuthEnableResponseSchema,
  type AuthenticateRequest,
  type AuthenticateResponse,
  AuthenticateResponseSchema,
  type AuthRoleAddRequest,
  type AuthRoleAddResponse,
  AuthRoleAddResponseSchema,
  type AuthRoleDeleteRequest,
  type AuthRoleDeleteResponse,
  AuthRoleDeleteResponseSchema,
  type AuthRoleGetRequest,
  type AuthRoleGetResponse,
  AuthRoleGetResponseSchema,
  type AuthRoleGrantPermissionRequest,
  type AuthRoleGrantPermissionResponse,
  AuthRoleGrantPermissionResponseSchema,
  type AuthRoleListRequest,
  type AuthRoleListResponse,
  AuthRoleListResponseSchema,
  type AuthRoleRevokePermissionRequest,
  type AuthRoleRevokePermissionResponse,
  AuthRoleRevokePermissionResponseSchema,
  type AuthStatusRequest,
  type AuthStatusResponse,
  AuthStatusResponseSchema,
  type AuthUserAddRequest,
  type AuthUserAddResponse,
  AuthUserAddResponseSchema,
  type AuthUserChangePasswordRequest,
  type AuthUserChangePasswordResponse,
  AuthUserChangePasswordResponseSchema,
  type AuthUserDeleteRequest,
  type AuthUserDeleteResponse,
  AuthUserDeleteResponseSchema,
  type AuthUserGetRequest,
  type AuthUserGetResponse,
  AuthUserGetResponseSchema,
  type AuthUserGrantRoleRequest,
  type AuthUserGrantRoleResponse,
  AuthUserGrantRoleResponseSchema,
  type AuthUserListRequest,
  type AuthUserListResponse,
  AuthUserListResponseSchema,
  type AuthUserRevokeRoleRequest,
  type AuthUserRevokeRoleResponse,
  AuthUserRevokeRoleResponseSchema,
  type ResponseHeader,
  ResponseHeaderSchema,
} from '../wire/gen/etcdserverpb/rpc_pb.ts';
import type { AuthGate } from './auth-gate.ts';
import { permissionOf, permissionsToWire, ROOT_PERMISSION } from './auth-messages.ts';
import type { Caller } from './caller.ts';
import { type ServiceError, type ServiceFailure, serviceError } from './errors.ts';

type Answered<Response> = Promise<Result<Response, ServiceError>>;

export interface AuthServiceParts {
  readonly node: Pick<MemberNode, 'auth' | 'status' | 'readBarrier' | 'propose'>;
  readonly gate: AuthGate;
  readonly hasher: PasswordHasher;
  readonly random: Pick<Random, 'below'>;
  /** The gate's; undefined: logins make simple tokens. */
  readonly signedTokens: TokenProvider | undefined;
}

/**
 * Changes go through the log; reading is linearizable. A password is hashed before it is logged
 * and compared before a login is, so that no member computes hashes while it applies. Nobody
 * makes this member hash who may not manage users.
 */
export class AuthService {
  readonly #parts: AuthServiceParts;

  constructor(parts: AuthServiceParts) {
    this.#parts = parts;
  }

  async authEnable(_: AuthEnableRequest, caller: Caller): Answered<AuthEnableResponse> {
    const changed = await this.#change({ type: 'authEnable' }, caller);
    return answer(changed, (header) => create(AuthEnableResponseSchema, { header }));
  }

  async authDisable(_: AuthDisableRequest, caller: Caller): Answered<AuthDisableResponse> {
    const changed = await this.#change({ type: 'authDisable' }, caller);
    return answer(changed, (header) => create(AuthDisableResponseSchema, { header }));
  }

  /** Anybody may ask: clients do before they know whether to log in. */
  async authStatus(_: AuthStatusRequest, _caller: Caller): Answered<AuthStatusResponse> {
    const refusal = await this.#barrier();
    if (refusal !== undefined) return refuse(refusal);
    const { enabled, revision } = this.#parts.node.auth;
    const header = this.#header();
    return ok(
      create(AuthStatusResponseSchema, { header, enabled, authRevision: BigInt(revision) }),
    );
  }

  /**
   * A wrong name and a wrong password are refused alike. If users, roles or permissions change
   * while the password is compared, it is compared again.
   */
  async authenticate(
    { name, password }: AuthenticateRequest,
    _caller: Caller,
  ): Answered<AuthenticateResponse> {
    const refusal = await this.#barrier();
    if (refusal !== undefined) return refuse(refusal);
    const { node, hasher } = this.#parts;
    for (let attempt = 0; attempt < LOGIN_ATTEMPTS_MAX; attempt++) {
      const user = this.#userWithPassword(name);
      if (!user.ok) return refuse(user.error);
      const { revision } = node.auth;
      const isRight = await hasher.compare(password, utf8Decode(user.value.hashedPassword));
      if (!isRight.ok) return refuse(isRight.error);
      if (!isRight.value) return refuse('authFailed');
      if (node.auth.revision !== revision) continue;
      const token = await this.#makeToken({ username: name, revision });
      if (!token.ok) return refuse(token.error);
      if (node.auth.revision !== revision || token.value === undefined) continue;
      const header = this.#header();
      return ok(create(AuthenticateResponseSchema, { header, token: token.value }));
    }
    return refuse('authOldRevision');
  }

  async userAdd(request: AuthUserAddRequest, caller: Caller): Answered<AuthUserAddResponse> {
    const { name, password } = request;
    const noPassword = request.options?.noPassword ?? false;
    const hashed = noPassword ? ok('') : await this.#hash(password, name === '', caller);
    if (!hashed.ok) return refuse(hashed.error);
    const hashedPassword = hashed.value;
    const changed = await this.#change(
      { type: 'userAdd', name, hashedPassword, noPassword },
      caller,
    );
    return answer(changed, (header) => create(AuthUserAddResponseSchema, { header }));
  }

  /** Oneself may be looked up by anybody. */
  async userGet({ name }: AuthUserGetRequest, caller: Caller): Answered<AuthUserGetResponse> {
    const allowed = await this.#permitRead(caller, (info) => info?.username === name);
    if (!allowed.ok) return allowed;
    const user = this.#parts.node.auth.user(name);
    if (user === undefined) return refuse('userNotFound');
    const header = this.#header();
    return ok(create(AuthUserGetResponseSchema, { header, roles: [...user.roles] }));
  }

  async userList(_: AuthUserListRequest, caller: Caller): Answered<AuthUserListResponse> {
    const allowed = await this.#permitRead(caller);
    if (!allowed.ok) return allowed;
    const users = this.#parts.node.auth.users().map(({ name }) => name);
    return ok(create(AuthUserListResponseSchema, { header: this.#header(), users }));
  }

  async userDelete(
    { name }: AuthUserDeleteRequest,
    caller: Caller,
  ): Answered<AuthUserDeleteResponse> {
    const changed = await this.#change({ type: 'userDelete', name }, caller);
    return answer(changed, (header) => create(AuthUserDeleteResponseSchema, { header }));
  }

  /** As in etcd, an empty password leaves the user with none that fits, or the given hash. */
  async userChangePassword(
    request: AuthUserChangePasswordRequest,
    caller: Caller,
  ): Answered<AuthUserChangePasswordResponse> {
    const { name, password } = request;
    const hashed =
      password === '' ? ok(request.hashedPassword) : await this.#hash(password, false, caller);
    if (!hashed.ok) return refuse(hashed.error);
    const change = { type: 'userChangePassword', name, hashedPassword: hashed.value } as const;
    const changed = await this.#change(change, caller);
    return answer(changed, (header) => create(AuthUserChangePasswordResponseSchema, { header }));
  }

  async userGrantRole(
    { user, role }: AuthUserGrantRoleRequest,
    caller: Caller,
  ): Answered<AuthUserGrantRoleResponse> {
    const changed = await this.#change({ type: 'userGrantRole', user, role }, caller);
    return answer(changed, (header) => create(AuthUserGrantRoleResponseSchema, { header }));
  }

  async userRevokeRole(
    { name, role }: AuthUserRevokeRoleRequest,
    caller: Caller,
  ): Answered<AuthUserRevokeRoleResponse> {
    const changed = await this.#change({ type: 'userRevokeRole', name, role }, caller);
    return answer(changed, (header) => create(AuthUserRevokeRoleResponseSchema, { header }));
  }

  async roleAdd({ name }: AuthRoleAddRequest, caller: Caller): Answered<AuthRoleAddResponse> {
    const changed = await this.#change({ type: 'roleAdd', name }, caller);
    return answer(changed, (header) => create(AuthRoleAddResponseSchema, { header }));
  }

  /** One's own roles may be looked up by anybody. The root role permits all there is. */
  async roleGet({ role }: AuthRoleGetRequest, caller: Caller): Answered<AuthRoleGetResponse> {
    const { auth } = this.#parts.node;
    const allowed = await this.#permitRead(caller, (info) => {
      return info !== undefined && (auth.user(info.username)?.roles.includes(role) ?? false);
    });
    if (!allowed.ok) return allowed;
    const permissions = this.#parts.node.auth.role(role);
    if (permissions === undefined) return refuse('roleNotFound');
    const shown = role === ROOT_ROLE ? [ROOT_PERMISSION] : permissions;
    const perm = permissionsToWire(shown);
    return ok(create(AuthRoleGetResponseSchema, { header: this.#header(), perm }));
  }

  async roleList(_: AuthRoleListRequest, caller: Caller): Answered<AuthRoleListResponse> {
    const allowed = await this.#permitRead(caller);
    if (!allowed.ok) return allowed;
    const roles = this.#parts.node.auth.roles().map(({ name }) => name);
    return ok(create(AuthRoleListResponseSchema, { header: this.#header(), roles }));
  }

  async roleDelete(
    { role }: AuthRoleDeleteRequest,
    caller: Caller,
  ): Answered<AuthRoleDeleteResponse> {
    const changed = await this.#change({ type: 'roleDelete', role }, caller);
    return answer(changed, (header) => create(AuthRoleDeleteResponseSchema, { header }));
  }

  async roleGrantPermission(
    { name, perm }: AuthRoleGrantPermissionRequest,
    caller: Caller,
  ): Answered<AuthRoleGrantPermissionResponse> {
    const permission = permissionOf(perm);
    if (!permission.ok) return refuse(permission.error);
    const change = { type: 'roleGrantPermission', name, permission: permission.value } as const;
    const changed = await this.#change(change, caller);
    return answer(changed, (header) => create(AuthRoleGrantPermissionResponseSchema, { header }));
  }

  async roleRevokePermission(
    { role, key, rangeEnd }: AuthRoleRevokePermissionRequest,
    caller: Caller,
  ): Answered<AuthRoleRevokePermissionResponse> {
    const changed = await this.#change(
      { type: 'roleRevokePermission', role, key, rangeEnd },
      caller,
    );
    return answer(changed, (header) => create(AuthRoleRevokePermissionResponseSchema, { header }));
  }

  async #change(request: AuthRequest, caller: Caller): Answered<ResponseHeader> {
    const { node, gate } = this.#parts;
    if (node.status().isLearner) return refuse('notSupportedForLearner');
    const who = await gate.permitRequest(caller, { type: 'auth', request });
    if (!who.ok) return refuse(who.error);
    const applied = await node.propose({ type: 'auth', request }, who.value);
    return applied.ok ? ok(this.#header(applied.value.revision)) : refuse(applied.error);
  }

  /** Of users and roles: for administrators, and for whom the exception is made. */
  async #permitRead(
    caller: Caller,
    isExempt: (info: AuthInfo | undefined) => boolean = () => false,
  ): Answered<undefined> {
    const refusal = await this.#barrier();
    if (refusal !== undefined) return refuse(refusal);
    const { node, gate } = this.#parts;
    const who = gate.identify(caller);
    if (!who.ok) return refuse(who.error);
    const denial = node.auth.checkAdmin(who.value);
    return denial === undefined || isExempt(who.value) ? ok(undefined) : refuse(denial);
  }

  async #barrier(): Promise<ServiceFailure | undefined> {
    const { node } = this.#parts;
    if (node.status().isLearner) return 'notSupportedForLearner';
    const barrier = await node.readBarrier();
    return barrier.ok ? undefined : barrier.error;
  }

  #userWithPassword(name: string): Result<UserRecord, AuthFailure> {
    const { auth } = this.#parts.node;
    if (!auth.enabled) return err('authNotEnabled');
    const user = auth.user(name);
    if (user === undefined) return err('authFailed');
    return user.noPassword ? err('noPasswordUser') : ok(user);
  }

  /** As logged. */
  async #hash(
    password: string,
    isNameEmpty: boolean,
    caller: Caller,
  ): Promise<Result<string, ServiceFailure>> {
    const { node, gate, hasher } = this.#parts;
    if (node.status().isLearner) return err('notSupportedForLearner');
    const who = await gate.admit(caller);
    if (!who.ok) return who;
    const denial = node.auth.checkAdmin(who.value);
    if (denial !== undefined) return err(denial);
    if (isNameEmpty) return err('userEmpty');
    if (utf8Encode(password).length > PASSWORD_BYTES_MAX) return err('passwordTooLong');
    const hash = await hasher.hash(password);
    return hash.ok ? ok(encodeBase64(utf8Encode(hash.value))) : hash;
  }

  /** undefined: the login was applied here, and its token was taken back since. */
  async #makeToken(info: AuthInfo): Promise<Result<string | undefined, ServiceFailure>> {
    const { node, signedTokens } = this.#parts;
    if (signedTokens !== undefined) {
      const signed = signedTokens.sign(info);
      return signed.ok ? signed : err('tokensVerifyOnly');
    }
    const simpleToken = this.#letters();
    const request: AuthRequest = { type: 'authenticate', name: info.username, simpleToken };
    const applied = await node.propose({ type: 'auth', request });
    return applied.ok ? ok(node.auth.tokens.madeOf(simpleToken)) : applied;
  }

  #letters(): string {
    const { random } = this.#parts;
    let letters = '';
    while (letters.length < TOKEN_PREFIX_LENGTH) letters += LETTERS[random.below(LETTERS.length)];
    return letters;
  }

  /** Its revision is the store's, which nothing here changes. */
  #header(revision?: number): ResponseHeader {
    const status = this.#parts.node.status();
    return create(ResponseHeaderSchema, {
      clusterId: status.clusterId,
      memberId: status.memberId,
      revision: BigInt(revision ?? status.revision),
      raftTerm: BigInt(status.term),
    });
  }
}

const LETTERS = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ';

/** bcrypt looks at no more than this; etcd refuses longer passwords when they are set. */
const PASSWORD_BYTES_MAX = 72;

/** Then the login is refused: somebody changes users faster than a password can be compared. */
const LOGIN_ATTEMPTS_MAX = 8;

function refuse(failure: ServiceFailure): Result<never, ServiceError> {
  return err(serviceError(failure));
}

function answer<Response>(
  changed: Result<ResponseHeader, ServiceError>,
  make: (header: ResponseHeader) => Response,
): Result<Response, ServiceError> {
  return changed.ok ? ok(make(changed.value)) : changed;
}
