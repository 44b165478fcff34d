/** Changes of users, roles and permissions over etcd's API. Everybody's password is their name. */
import type { DescMessage, MessageInitShape } from '@bufbuild/protobuf';
import type { PermissionType } from '../../src/auth/request.ts';
import type { CallOptions, EtcdClient, Outcome } from '../../src/client/etcd-client.ts';
import { callGenerated } from '../../src/client/generated-call.ts';
import { assertNever } from '../../src/lib/assert.ts';
import { Permission_Type } from '../../src/wire/gen/authpb/auth_pb.ts';
import * as rpc from '../../src/wire/gen/etcdserverpb/rpc_pb.ts';
import type { AuthChange, AuthClient } from '../../workloads/full-client.ts';
import type { Login } from './login.ts';

export function changeAuth(client: EtcdClient, root: Login): Pick<AuthClient, 'changeAuth'> {
  return {
    changeAuth: (change, options) =>
      root.call(options, (with_) => make(new Calls(client, with_), change)),
  };
}

class Calls {
  readonly #client: EtcdClient;
  readonly #options: CallOptions;

  constructor(client: EtcdClient, options: CallOptions) {
    this.#client = client;
    this.#options = options;
  }

  call<Request extends DescMessage>(
    name: string,
    [request, response]: readonly [Request, DescMessage],
    fields: MessageInitShape<Request>,
  ): Outcome<object> {
    const method = { path: `etcdserverpb.Auth/${name}`, request, response };
    return callGenerated(this.#client, method, fields, () => ({}), this.#options);
  }
}

const NUMBERS: Readonly<Record<PermissionType, Permission_Type>> = {
  read: Permission_Type.READ,
  write: Permission_Type.WRITE,
  readWrite: Permission_Type.READWRITE,
};

const ENABLE = [rpc.AuthEnableRequestSchema, rpc.AuthEnableResponseSchema] as const;
const DISABLE = [rpc.AuthDisableRequestSchema, rpc.AuthDisableResponseSchema] as const;
const USER_ADD = [rpc.AuthUserAddRequestSchema, rpc.AuthUserAddResponseSchema] as const;
const USER_DELETE = [rpc.AuthUserDeleteRequestSchema, rpc.AuthUserDeleteResponseSchema] as const;
const PASSWORD = [
  rpc.AuthUserChangePasswordRequestSchema,
  rpc.AuthUserChangePasswordResponseSchema,
] as const;
const GRANT_ROLE = [
  rpc.AuthUserGrantRoleRequestSchema,
  rpc.AuthUserGrantRoleResponseSchema,
] as const;
const REVOKE_ROLE = [
  rpc.AuthUserRevokeRoleRequestSchema,
  rpc.AuthUserRevokeRoleResponseSchema,
] as const;
const ROLE_ADD = [rpc.AuthRoleAddRequestSchema, rpc.AuthRoleAddResponseSchema] as const;
const ROLE_DELETE = [rpc.AuthRoleDeleteRequestSchema, rpc.AuthRoleDeleteResponseSchema] as const;
const GRANT = [
  rpc.AuthRoleGrantPermissionRequestSchema,
  rpc.AuthRoleGrantPermissionResponseSchema,
] as const;
const REVOKE = [
  rpc.AuthRoleRevokePermissionRequestSchema,
  rpc.AuthRoleRevokePermissionResponseSchema,
] as const;

function make(calls: Calls, change: AuthChange): Outcome<object> {
  switch (change.type) {
    case 'enable':
      return calls.call('AuthEnable', ENABLE, {});
    case 'disable':
      return calls.call('AuthDisable', DISABLE, {});
    case 'userAdd':
      return calls.call('UserAdd', USER_ADD, { name: change.user, password: change.user });
    case 'userDelete':
      return calls.call('UserDelete', USER_DELETE, { name: change.user });
    case 'userPassword':
      return calls.call('UserChangePassword', PASSWORD, {
        name: change.user,
        password: change.user,
      });
    case 'grantRole':
      return calls.call('UserGrantRole', GRANT_ROLE, { user: change.user, role: change.role });
    case 'revokeRole':
      return calls.call('UserRevokeRole', REVOKE_ROLE, { name: change.user, role: change.role });
    case 'roleAdd':
      return calls.call('RoleAdd', ROLE_ADD, { name: change.role });
    case 'roleDelete':
      return calls.call('RoleDelete', ROLE_DELETE, { role: change.role });
    case 'grant': {
      const { role: name, permission, key, rangeEnd } = change;
      const perm = { permType: NUMBERS[permission], key, rangeEnd };
      return calls.call('RoleGrantPermission', GRANT, { name, perm });
    }
    case 'revoke': {
      const { role, key, rangeEnd } = change;
      return calls.call('RoleRevokePermission', REVOKE, { role, key, rangeEnd });
    }
    default:
      return assertNever(change);
  }
}
