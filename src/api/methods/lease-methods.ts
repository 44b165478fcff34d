import * as rpc from '../../wire/gen/etcdserverpb/rpc_pb.ts';
import type { RpcMethod } from '../rpc.ts';
import type { LeaseService } from '../services.ts';
import { esBidiStream, esUnary } from './generated-method.ts';

/** etcdserverpb.Lease. */
export function leaseMethods(lease: LeaseService): RpcMethod[] {
  return [
    esUnary(
      '/etcdserverpb.Lease/LeaseGrant',
      rpc.LeaseGrantRequestSchema,
      rpc.LeaseGrantResponseSchema,
      (request, caller) => lease.leaseGrant(request, caller),
    ),
    esUnary(
      '/etcdserverpb.Lease/LeaseRevoke',
      rpc.LeaseRevokeRequestSchema,
      rpc.LeaseRevokeResponseSchema,
      (request, caller) => lease.leaseRevoke(request, caller),
    ),
    esUnary(
      '/etcdserverpb.Lease/LeaseTimeToLive',
      rpc.LeaseTimeToLiveRequestSchema,
      rpc.LeaseTimeToLiveResponseSchema,
      (request, caller) => lease.leaseTimeToLive(request, caller),
    ),
    esUnary(
      '/etcdserverpb.Lease/LeaseLeases',
      rpc.LeaseLeasesRequestSchema,
      rpc.LeaseLeasesResponseSchema,
      (request, caller) => lease.leaseLeases(request, caller),
    ),
    esBidiStream(
      '/etcdserverpb.Lease/LeaseKeepAlive',
      rpc.LeaseKeepAliveRequestSchema,
      rpc.LeaseKeepAliveResponseSchema,
      (caller, sink) => lease.keepAlive(caller, sink),
    ),
  ];
}
