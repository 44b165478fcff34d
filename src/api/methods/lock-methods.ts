import {
  LockRequestSchema,
  LockResponseSchema,
  UnlockRequestSchema,
  UnlockResponseSchema,
} from '../../wire/gen/v3lockpb/v3lock_pb.ts';
import type { RpcMethod } from '../rpc.ts';
import type { LockService } from '../services.ts';
import { esUnary, waitingCall } from './generated-method.ts';

/** v3lockpb.Lock. */
export function lockMethods(lock: LockService): RpcMethod[] {
  return [
    esUnary('/v3lockpb.Lock/Lock', LockRequestSchema, LockResponseSchema, (request, _, context) =>
      lock.lock(request, waitingCall(context)),
    ),
    esUnary('/v3lockpb.Lock/Unlock', UnlockRequestSchema, UnlockResponseSchema, (request, caller) =>
      lock.unlock(request, caller),
    ),
  ];
}
