/** The methods of etcd's API that scenarios call by {@link callMethod}. */
import * as rpc from '../../../src/wire/gen/etcdserverpb/rpc_pb.ts';
import type { Method } from './call.ts';

export const AUTHENTICATE: Method<
  typeof rpc.AuthenticateRequestSchema,
  typeof rpc.AuthenticateResponseSchema
> = {
  path: 'etcdserverpb.Auth/Authenticate',
  request: rpc.AuthenticateRequestSchema,
  response: rpc.AuthenticateResponseSchema,
};

export const AUTH_ENABLE: Method<
  typeof rpc.AuthEnableRequestSchema,
  typeof rpc.AuthEnableResponseSchema
> = {
  path: 'etcdserverpb.Auth/AuthEnable',
  request: rpc.AuthEnableRequestSchema,
  response: rpc.AuthEnableResponseSchema,
};

export const USER_ADD: Method<
  typeof rpc.AuthUserAddRequestSchema,
  typeof rpc.AuthUserAddResponseSchema
> = {
  path: 'etcdserverpb.Auth/UserAdd',
  request: rpc.AuthUserAddRequestSchema,
  response: rpc.AuthUserAddResponseSchema,
};

export const USER_GRANT_ROLE: Method<
  typeof rpc.AuthUserGrantRoleRequestSchema,
  typeof rpc.AuthUserGrantRoleResponseSchema
> = {
  path: 'etcdserverpb.Auth/UserGrantRole',
  request: rpc.AuthUserGrantRoleRequestSchema,
  response: rpc.AuthUserGrantRoleResponseSchema,
};

export const ROLE_ADD: Method<
  typeof rpc.AuthRoleAddRequestSchema,
  typeof rpc.AuthRoleAddResponseSchema
> = {
  path: 'etcdserverpb.Auth/RoleAdd',
  request: rpc.AuthRoleAddRequestSchema,
  response: rpc.AuthRoleAddResponseSchema,
};

export const ROLE_GRANT: Method<
  typeof rpc.AuthRoleGrantPermissionRequestSchema,
  typeof rpc.AuthRoleGrantPermissionResponseSchema
> = {
  path: 'etcdserverpb.Auth/RoleGrantPermission',
  request: rpc.AuthRoleGrantPermissionRequestSchema,
  response: rpc.AuthRoleGrantPermissionResponseSchema,
};

export const TXN: Method<typeof rpc.TxnRequestSchema, typeof rpc.TxnResponseSchema> = {
  path: 'etcdserverpb.KV/Txn',
  request: rpc.TxnRequestSchema,
  response: rpc.TxnResponseSchema,
};

export const RANGE: Method<typeof rpc.RangeRequestSchema, typeof rpc.RangeResponseSchema> = {
  path: 'etcdserverpb.KV/Range',
  request: rpc.RangeRequestSchema,
  response: rpc.RangeResponseSchema,
};

export const PUT: Method<typeof rpc.PutRequestSchema, typeof rpc.PutResponseSchema> = {
  path: 'etcdserverpb.KV/Put',
  request: rpc.PutRequestSchema,
  response: rpc.PutResponseSchema,
};

export const COMPACT: Method<
  typeof rpc.CompactionRequestSchema,
  typeof rpc.CompactionResponseSchema
> = {
  path: 'etcdserverpb.KV/Compact',
  request: rpc.CompactionRequestSchema,
  response: rpc.CompactionResponseSchema,
};

export const DEFRAGMENT: Method<
  typeof rpc.DefragmentRequestSchema,
  typeof rpc.DefragmentResponseSchema
> = {
  path: 'etcdserverpb.Maintenance/Defragment',
  request: rpc.DefragmentRequestSchema,
  response: rpc.DefragmentResponseSchema,
};

export const ALARM: Method<typeof rpc.AlarmRequestSchema, typeof rpc.AlarmResponseSchema> = {
  path: 'etcdserverpb.Maintenance/Alarm',
  request: rpc.AlarmRequestSchema,
  response: rpc.AlarmResponseSchema,
};

export const HASH_KV: Method<typeof rpc.HashKVRequestSchema, typeof rpc.HashKVResponseSchema> = {
  path: 'etcdserverpb.Maintenance/HashKV',
  request: rpc.HashKVRequestSchema,
  response: rpc.HashKVResponseSchema,
};

export const MEMBER_ADD: Method<
  typeof rpc.MemberAddRequestSchema,
  typeof rpc.MemberAddResponseSchema
> = {
  path: 'etcdserverpb.Cluster/MemberAdd',
  request: rpc.MemberAddRequestSchema,
  response: rpc.MemberAddResponseSchema,
};

export const MEMBER_REMOVE: Method<
  typeof rpc.MemberRemoveRequestSchema,
  typeof rpc.MemberRemoveResponseSchema
> = {
  path: 'etcdserverpb.Cluster/MemberRemove',
  request: rpc.MemberRemoveRequestSchema,
  response: rpc.MemberRemoveResponseSchema,
};

export const MEMBER_LIST: Method<
  typeof rpc.MemberListRequestSchema,
  typeof rpc.MemberListResponseSchema
> = {
  path: 'etcdserverpb.Cluster/MemberList',
  request: rpc.MemberListRequestSchema,
  response: rpc.MemberListResponseSchema,
};
