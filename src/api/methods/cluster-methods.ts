import { decodeMemberListRequest, encodeMemberListResponse } from '../../wire/cluster-messages.ts';
import * as rpc from '../../wire/gen/etcdserverpb/rpc_pb.ts';
import { frameMessage } from '../../wire/grpc-frame.ts';
import type { RpcMethod } from '../rpc.ts';
import type { ClusterService } from '../services.ts';
import { esUnary } from './generated-method.ts';
import { unary } from './method.ts';

/** etcdserverpb.Cluster. */
export function clusterMethods(cluster: ClusterService): RpcMethod[] {
  return [
    unary({
      path: '/etcdserverpb.Cluster/MemberList',
      decode: decodeMemberListRequest,
      call: (request, caller) => cluster.memberList(request, caller),
      encode: (answer) => frameMessage(encodeMemberListResponse(answer)),
    }),
    esUnary(
      '/etcdserverpb.Cluster/MemberAdd',
      rpc.MemberAddRequestSchema,
      rpc.MemberAddResponseSchema,
      (request, caller) => cluster.memberAdd(request, caller),
    ),
    esUnary(
      '/etcdserverpb.Cluster/MemberRemove',
      rpc.MemberRemoveRequestSchema,
      rpc.MemberRemoveResponseSchema,
      (request, caller) => cluster.memberRemove(request, caller),
    ),
    esUnary(
      '/etcdserverpb.Cluster/MemberUpdate',
      rpc.MemberUpdateRequestSchema,
      rpc.MemberUpdateResponseSchema,
      (request, caller) => cluster.memberUpdate(request, caller),
    ),
    esUnary(
      '/etcdserverpb.Cluster/MemberPromote',
      rpc.MemberPromoteRequestSchema,
      rpc.MemberPromoteResponseSchema,
      (request, caller) => cluster.memberPromote(request, caller),
    ),
  ];
}
