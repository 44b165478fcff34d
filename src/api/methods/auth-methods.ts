import * as rpc from '../../wire/gen/etcdserverpb/rpc_pb.ts';
import type { RpcMethod } from '../rpc.ts';
import type { AuthService } from '../services.ts';
import { esUnary } from './generated-method.ts';

/** etcdserverpb.Auth. */
export function authMethods(auth: AuthService): RpcMethod[] {
  return [...switchMethods(auth), ...userMethods(auth), ...roleMethods(auth)];
}

function switchMethods(auth: AuthService): RpcMethod[] {
  return [
    esUnary(
      '/etcdserverpb.Auth/AuthEnable',
      rpc.AuthEnableRequestSchema,
      rpc.AuthEnableResponseSchema,
      (request, caller) => auth.authEnable(request, caller),
    ),
    esUnary(
      '/etcdserverpb.Auth/AuthDisable',
      rpc.AuthDisableRequestSchema,
      rpc.AuthDisableResponseSchema,
      (request, caller) => auth.authDisable(request, caller),
    ),
    esUnary(
      '/etcdserverpb.Auth/AuthStatus',
      rpc.AuthStatusRequestSchema,
      rpc.AuthStatusResponseSchema,
      (request, caller) => auth.authStatus(request, caller),
    ),
    esUnary(
      '/etcdserverpb.Auth/Authenticate',
      rpc.AuthenticateRequestSchema,
      rpc.AuthenticateResponseSchema,
      (request, caller) => auth.authenticate(request, caller),
    ),
  ];
}

function userMethods(auth: AuthService): RpcMethod[] {
  return [
    esUnary(
      '/etcdserverpb.Auth/UserAdd',
      rpc.AuthUserAddRequestSchema,
      rpc.AuthUserAddResponseSchema,
      (request, caller) => auth.userAdd(request, caller),
    ),
    esUnary(
      '/etcdserverpb.Auth/UserGet',
      rpc.AuthUserGetRequestSchema,
      rpc.AuthUserGetResponseSchema,
      (request, caller) => auth.userGet(request, caller),
    ),
    esUnary(
      '/etcdserverpb.Auth/UserList',
      rpc.AuthUserListRequestSchema,
      rpc.AuthUserListResponseSchema,
      (request, caller) => auth.userList(request, caller),
    ),
    esUnary(
      '/etcdserverpb.Auth/UserDelete',
      rpc.AuthUserDeleteRequestSchema,
      rpc.AuthUserDeleteResponseSchema,
      (request, caller) => auth.userDelete(request, caller),
    ),
    esUnary(
      '/etcdserverpb.Auth/UserChangePassword',
      rpc.AuthUserChangePasswordRequestSchema,
      rpc.AuthUserChangePasswordResponseSchema,
      (request, caller) => auth.userChangePassword(request, caller),
    ),
    esUnary(
      '/etcdserverpb.Auth/UserGrantRole',
      rpc.AuthUserGrantRoleRequestSchema,
      rpc.AuthUserGrantRoleResponseSchema,
      (request, caller) => auth.userGrantRole(request, caller),
    ),
    esUnary(
      '/etcdserverpb.Auth/UserRevokeRole',
      rpc.AuthUserRevokeRoleRequestSchema,
      rpc.AuthUserRevokeRoleResponseSchema,
      (request, caller) => auth.userRevokeRole(request, caller),
    ),
  ];
}

function roleMethods(auth: AuthService): RpcMethod[] {
  return [
    esUnary(
      '/etcdserverpb.Auth/RoleAdd',
      rpc.AuthRoleAddRequestSchema,
      rpc.AuthRoleAddResponseSchema,
      (request, caller) => auth.roleAdd(request, caller),
    ),
    esUnary(
      '/etcdserverpb.Auth/RoleGet',
      rpc.AuthRoleGetRequestSchema,
      rpc.AuthRoleGetResponseSchema,
      (request, caller) => auth.roleGet(request, caller),
    ),
    esUnary(
      '/etcdserverpb.Auth/RoleList',
      rpc.AuthRoleListRequestSchema,
      rpc.AuthRoleListResponseSchema,
      (request, caller) => auth.roleList(request, caller),
    ),
    esUnary(
      '/etcdserverpb.Auth/RoleDelete',
      rpc.AuthRoleDeleteRequestSchema,
      rpc.AuthRoleDeleteResponseSchema,
      (request, caller) => auth.roleDelete(request, caller),
    ),
    esUnary(
      '/etcdserverpb.Auth/RoleGrantPermission',
      rpc.AuthRoleGrantPermissionRequestSchema,
      rpc.AuthRoleGrantPermissionResponseSchema,
      (request, caller) => auth.roleGrantPermission(request, caller),
    ),
    esUnary(
      '/etcdserverpb.Auth/RoleRevokePermission',
      rpc.AuthRoleRevokePermissionRequestSchema,
      rpc.AuthRoleRevokePermissionResponseSchema,
      (request, caller) => auth.roleRevokePermission(request, caller),
    ),
  ];
}
