/** The methods of etcd's API that scenarios call by {@link callMethod}. */
import type { GeneratedMethod } from '../../../src/client/generated-call.ts';
import * as rpc from '../../../src/wire/gen/etcdserverpb/rpc_pb.ts';

export const AUTHENTICATE: GeneratedMethod<
  typeof rpc.AuthenticateRequestSchema,
  typeof rpc.AuthenticateResponseSchema
> = {
  path: 'etcdserverpb.Auth/Authenticate',
  request: rpc.AuthenticateRequestSchema,
  response: rpc.AuthenticateResponseSchema,
};

export const AUTH_ENABLE: GeneratedMethod<
  typeof rpc.AuthEnableRequestSchema,
  typeof rpc.AuthEnableResponseSchema
> = {
  path: 'etcdserverpb.Auth/AuthEnable',
  request: rpc.AuthEnableRequestSchema,
  response: rpc.AuthEnableResponseSchema,
};

export const USER_ADD: GeneratedMethod<
  typeof rpc.AuthUserAddRequestSchema,
  typeof rpc.AuthUserAddResponseSchema
> = {
  path: 'etcdserverpb.Auth/UserAdd',
  request: rpc.AuthUserAddRequestSchema,
  response: rpc.AuthUserAddResponseSchema,
};

export const USER_GRANT_ROLE: GeneratedMethod<
  typeof rpc.AuthUserGrantRoleRequestSchema,
  typeof rpc.AuthUserGrantRoleResponseSchema
> = {
  path: 'etcdserverpb.Auth/UserGrantRole',
  request: rpc.AuthUserGrantRoleRequestSchema,
  response: rpc.AuthUserGrantRoleResponseSchema,
};

export const ROLE_ADD: GeneratedMethod<
  typeof rpc.AuthRoleAddRequestSchema,
  typeof rpc.AuthRoleAddResponseSchema
> = {
  path: 'etcdserverpb.Auth/RoleAdd',
  request: rpc.AuthRoleAddRequestSchema,
  response: rpc.AuthRoleAddResponseSchema,
};

export const ROLE_GRANT: GeneratedMethod<
  typeof rpc.AuthRoleGrantPermissionRequestSchema,
  typeof rpc.AuthRoleGrantPermissionResponseSchema
> = {
  path: 'etcdserverpb.Auth/RoleGrantPermission',
  request: rpc.AuthRoleGrantPermissionRequestSchema,
  response: rpc.AuthRoleGrantPermissionResponseSchema,
};

export const TXN: GeneratedMethod<typeof rpc.TxnRequestSchema, typeof rpc.TxnResponseSchema> = {
  path: 'etcdserverpb.KV/Txn',
  request: rpc.TxnRequestSchema,
  response: rpc.TxnResponseSchema,
};

export const RANGE: GeneratedMethod<typeof rpc.RangeRequestSchema, typeof rpc.RangeResponseSchema> =
  {
    path: 'etcdserverpb.KV/Range',
    request: rpc.RangeRequestSchema,
    response: rpc.RangeResponseSchema,
  };

export const PUT: GeneratedMethod<typeof rpc.PutRequestSchema, typeof rpc.PutResponseSchema> = {
  path: 'etcdserverpb.KV/Put',
  request: rpc.PutRequestSchema,
  response: rpc.PutResponseSchema,
};

export const COMPACT: GeneratedMethod<
  typeof rpc.CompactionRequestSchema,
  typeof rpc.CompactionResponseSchema
> = {
  path: 'etcdserverpb.KV/Compact',
  request: rpc.CompactionRequestSchema,
  response: rpc.CompactionResponseSchema,
};

export const DEFRAGMENT: GeneratedMethod<
  typeof rpc.DefragmentRequestSchema,
  typeof rpc.DefragmentResponseSchema
> = {
  path: 'etcdserverpb.Maintenance/Defragment',
  request: rpc.DefragmentRequestSchema,
  response: rpc.DefragmentResponseSchema,
};

export const ALARM: GeneratedMethod<typeof rpc.AlarmRequestSchema, typeof rpc.AlarmResponseSchema> =
  {
    path: 'etcdserverpb.Maintenance/Alarm',
    request: rpc.AlarmRequestSchema,
    response: rpc.AlarmResponseSchema,
  };

export const HASH_KV: GeneratedMethod<
  typeof rpc.HashKVRequestSchema,
  typeof rpc.HashKVResponseSchema
> = {
  path: 'etcdserverpb.Maintenance/HashKV',
  request: rpc.HashKVRequestSchema,
  response: rpc.HashKVResponseSchema,
};

export const MEMBER_ADD: GeneratedMethod<
  typeof rpc.MemberAddRequestSchema,
  typeof rpc.MemberAddResponseSchema
> = {
  path: 'etcdserverpb.Cluster/MemberAdd',
  request: rpc.MemberAddRequestSchema,
  response: rpc.MemberAddResponseSchema,
};

export const MEMBER_REMOVE: GeneratedMethod<
  typeof rpc.MemberRemoveRequestSchema,
  typeof rpc.MemberRemoveResponseSchema
> = {
  path: 'etcdserverpb.Cluster/MemberRemove',
  request: rpc.MemberRemoveRequestSchema,
  response: rpc.MemberRemoveResponseSchema,
};

export const MEMBER_LIST: GeneratedMethod<
  typeof rpc.MemberListRequestSchema,
  typeof rpc.MemberListResponseSchema
> = {
  path: 'etcdserverpb.Cluster/MemberList',
  request: rpc.MemberListRequestSchema,
  response: rpc.MemberListResponseSchema,
};
