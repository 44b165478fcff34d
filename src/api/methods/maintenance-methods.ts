import { ok } from '../../lib/result.ts';
import * as rpc from '../../wire/gen/etcdserverpb/rpc_pb.ts';
import { frameMessage } from '../../wire/grpc-frame.ts';
import { encodeStatusResponse } from '../../wire/maintenance-messages.ts';
import type { RpcMethod } from '../rpc.ts';
import type { MaintenanceService } from '../services.ts';
import { esServerStream, esUnary } from './generated-method.ts';
import { unary } from './method.ts';

/** etcdserverpb.Maintenance. */
export function maintenanceMethods(maintenance: MaintenanceService): RpcMethod[] {
  return [
    unary({
      path: '/etcdserverpb.Maintenance/Status',
      decode: () => ok(undefined),
      call: (_request, caller) => maintenance.status(caller),
      encode: (answer) => frameMessage(encodeStatusResponse(answer)),
    }),
    esUnary(
      '/etcdserverpb.Maintenance/Alarm',
      rpc.AlarmRequestSchema,
      rpc.AlarmResponseSchema,
      (request, caller) => maintenance.alarm(request, caller),
    ),
    ...databaseMethods(maintenance),
    esUnary(
      '/etcdserverpb.Maintenance/MoveLeader',
      rpc.MoveLeaderRequestSchema,
      rpc.MoveLeaderResponseSchema,
      (request, caller) => maintenance.moveLeader(request, caller),
    ),
    esUnary(
      '/etcdserverpb.Maintenance/Downgrade',
      rpc.DowngradeRequestSchema,
      rpc.DowngradeResponseSchema,
      (request, caller) => maintenance.downgrade(request, caller),
    ),
  ];
}

function databaseMethods(maintenance: MaintenanceService): RpcMethod[] {
  return [
    esUnary(
      '/etcdserverpb.Maintenance/Defragment',
      rpc.DefragmentRequestSchema,
      rpc.DefragmentResponseSchema,
      (request, caller) => maintenance.defragment(request, caller),
    ),
    esUnary(
      '/etcdserverpb.Maintenance/Hash',
      rpc.HashRequestSchema,
      rpc.HashResponseSchema,
      (request, caller) => maintenance.hash(request, caller),
    ),
    esUnary(
      '/etcdserverpb.Maintenance/HashKV',
      rpc.HashKVRequestSchema,
      rpc.HashKVResponseSchema,
      (request, caller) => maintenance.hashKv(request, caller),
    ),
    esServerStream(
      '/etcdserverpb.Maintenance/Snapshot',
      rpc.SnapshotRequestSchema,
      rpc.SnapshotResponseSchema,
      (request, caller, sink) => maintenance.snapshot(request, caller, sink),
    ),
  ];
}
