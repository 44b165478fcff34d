import { STATUS_CODES } from 'node:http';
import { GrpcCode } from '../../wire/grpc-code.ts';
import type { RpcStatus } from '../rpc.ts';

/** gRPC's errors in the words of HTTP and JSON, as etcd's gateway tells them. */

/** As of API 3.6: 3.4 had 412 for failedPrecondition and 408 for cancelled. */
const HTTP_STATUS: ReadonlyMap<number, number> = new Map([
  [GrpcCode.ok, 200],
  [GrpcCode.cancelled, 499],
  [GrpcCode.unknown, 500],
  [GrpcCode.invalidArgument, 400],
  [GrpcCode.deadlineExceeded, 504],
  [GrpcCode.notFound, 404],
  [GrpcCode.alreadyExists, 409],
  [GrpcCode.permissionDenied, 403],
  [GrpcCode.resourceExhausted, 429],
  [GrpcCode.failedPrecondition, 400],
  [GrpcCode.aborted, 409],
  [GrpcCode.outOfRange, 400],
  [GrpcCode.unimplemented, 501],
  [GrpcCode.internal, 500],
  [GrpcCode.unavailable, 503],
  [GrpcCode.dataLoss, 500],
  [GrpcCode.unauthenticated, 401],
]);

export function httpStatusOf(code: number): number {
  return HTTP_STATUS.get(code) ?? 500;
}

/**
 * `error` is for clients of 3.4, which had it beside the same `message` and `code`; the `details`
 * of 3.6, which are always empty, are left out, as tests of 3.4 compare whole bodies.
 */
export function errorBody({ code, message }: RpcStatus): string {
  return JSON.stringify({ error: message, message, code });
}

/** A stream's error: the last line, or all there is. */
export function streamErrorLine({ code, message }: RpcStatus): string {
  const httpCode = httpStatusOf(code);
  const error = {
    grpc_code: code,
    http_code: httpCode,
    message,
    http_status: STATUS_CODES[httpCode] ?? '',
  };
  return JSON.stringify({ error });
}
