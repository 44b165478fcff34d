/** Changes of users, roles and permissions, as a simulated administrator makes them. */
import { create } from '@bufbuild/protobuf';
import type { PermissionType } from '../../src/auth/request.ts';
import { assertNever } from '../../src/lib/assert.ts';
import type { Result } from '../../src/lib/result.ts';
import type { Caller } from '../../src/service/caller.ts';
import type { ServiceError } from '../../src/service/errors.ts';
import { Permission_Type } from '../../src/wire/gen/authpb/auth_pb.ts';
import * as rpc from '../../src/wire/gen/etcdserverpb/rpc_pb.ts';
import type { AuthChange, AuthClient } from '../../workloads/full-client.ts';
import { answered } from './client-leases.ts';
import type { ClientLink } from './client-link.ts';
import type { SimServices } from './node.ts';

export function authCalls(link: ClientLink): Pick<AuthClient, 'changeAuth'> {
  return {
    changeAuth: (change, options) =>
      link.call(options, async ({ auth }, { caller }) => {
        const changed = await make(auth, change, caller);
        return changed.ok ? answered(changed.value.header, {}) : changed;
      }),
  };
}

type Changed = Promise<Result<{ readonly header?: rpc.ResponseHeader | undefined }, ServiceError>>;

const NUMBERS: Readonly<Record<PermissionType, Permission_Type>> = {
  read: Permission_Type.READ,
  write: Permission_Type.WRITE,
  readWrite: Permission_Type.READWRITE,
};

function make(auth: SimServices['auth'], change: AuthChange, caller: Caller): Changed {
  switch (change.type) {
    case 'enable':
      return auth.authEnable(create(rpc.AuthEnableRequestSchema), caller);
    case 'disable':
      return auth.authDisable(create(rpc.AuthDisableRequestSchema), caller);
    case 'userAdd': {
      const { user: name } = change;
      return auth.userAdd(create(rpc.AuthUserAddRequestSchema, { name, password: name }), caller);
    }
    case 'userDelete':
      return auth.userDelete(
        create(rpc.AuthUserDeleteRequestSchema, { name: change.user }),
        caller,
      );
    case 'userPassword': {
      const { user: name } = change;
      const request = { name, password: name };
      return auth.userChangePassword(
        create(rpc.AuthUserChangePasswordRequestSchema, request),
        caller,
      );
    }
    case 'grantRole': {
      const { user, role } = change;
      return auth.userGrantRole(create(rpc.AuthUserGrantRoleRequestSchema, { user, role }), caller);
    }
    case 'revokeRole': {
      const request = { name: change.user, role: change.role };
      return auth.userRevokeRole(create(rpc.AuthUserRevokeRoleRequestSchema, request), caller);
    }
    default:
      return makeOfRole(auth, change, caller);
  }
}

function makeOfRole(
  auth: SimServices['auth'],
  change: Extract<AuthChange, { type: 'roleAdd' | 'roleDelete' | 'grant' | 'revoke' }>,
  caller: Caller,
): Changed {
  const { role } = change;
  switch (change.type) {
    case 'roleAdd':
      return auth.roleAdd(create(rpc.AuthRoleAddRequestSchema, { name: role }), caller);
    case 'roleDelete':
      return auth.roleDelete(create(rpc.AuthRoleDeleteRequestSchema, { role }), caller);
    case 'grant': {
      const { permission, key, rangeEnd } = change;
      const perm = { permType: NUMBERS[permission], key, rangeEnd };
      const request = create(rpc.AuthRoleGrantPermissionRequestSchema, { name: role, perm });
      return auth.roleGrantPermission(request, caller);
    }
    case 'revoke': {
      const { key, rangeEnd } = change;
      const request = create(rpc.AuthRoleRevokePermissionRequestSchema, { role, key, rangeEnd });
      return auth.roleRevokePermission(request, caller);
    }
    default:
      return assertNever(change);
  }
}
