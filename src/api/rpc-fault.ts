import { GrpcCode } from '../wire/grpc-code.ts';
import type { RpcStatus } from './rpc.ts';

/** For a request that ends before its message does. */
export function cutStatus(isMidMessage: boolean): RpcStatus {
  const what = isMidMessage ? 'ends within a message' : 'has no message';
  return { code: GrpcCode.internal, message: `grpc: the request ${what}` };
}
