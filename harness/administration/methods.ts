/** Methods of etcd's API that only administrators call, beside those of the scenarios. */
import type { GeneratedMethod } from '../../src/client/generated-call.ts';
import * as rpc from '../../src/wire/gen/etcdserverpb/rpc_pb.ts';

export const MEMBER_PROMOTE: GeneratedMethod<
  typeof rpc.MemberPromoteRequestSchema,
  typeof rpc.MemberPromoteResponseSchema
> = {
  path: 'etcdserverpb.Cluster/MemberPromote',
  request: rpc.MemberPromoteRequestSchema,
  response: rpc.MemberPromoteResponseSchema,
};

export const MOVE_LEADER: GeneratedMethod<
  typeof rpc.MoveLeaderRequestSchema,
  typeof rpc.MoveLeaderResponseSchema
> = {
  path: 'etcdserverpb.Maintenance/MoveLeader',
  request: rpc.MoveLeaderRequestSchema,
  response: rpc.MoveLeaderResponseSchema,
};

/** A stream: it has no {@link GeneratedMethod} of its own. */
export const SNAPSHOT_PATH = 'etcdserverpb.Maintenance/Snapshot';
