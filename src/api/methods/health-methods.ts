import { create } from '@bufbuild/protobuf';
import { err, ok } from '../../lib/result.ts';
import {
  HealthCheckRequestSchema,
  type HealthCheckResponse,
  HealthCheckResponse_ServingStatus,
  HealthCheckResponseSchema,
} from '../../wire/gen/grpc/health/v1/health_pb.ts';
import { GrpcCode } from '../../wire/grpc-code.ts';
import type { RpcMethod } from '../rpc.ts';
import { ServingStatus } from '../serving-status.ts';
import { esServerStream, esUnary } from './generated-method.ts';

/** The only service that has a status of its own: the server as a whole. */
const WHOLE_SERVER = '';

/**
 * grpc.health.v1.Health, which says, as etcd's does, that the process serves; whether the cluster
 * can agree on anything is the business of /health and /readyz.
 */
export function healthMethods(serving: ServingStatus = new ServingStatus()): RpcMethod[] {
  const { SERVING, NOT_SERVING, SERVICE_UNKNOWN } = HealthCheckResponse_ServingStatus;
  const current = (): HealthCheckResponse => answer(serving.isServing ? SERVING : NOT_SERVING);
  return [
    esUnary(
      '/grpc.health.v1.Health/Check',
      HealthCheckRequestSchema,
      HealthCheckResponseSchema,
      async ({ service }) =>
        service === WHOLE_SERVER
          ? ok(current())
          : err({ code: GrpcCode.notFound, message: 'unknown service', definite: true }),
    ),
    esServerStream(
      '/grpc.health.v1.Health/Watch',
      HealthCheckRequestSchema,
      HealthCheckResponseSchema,
      ({ service }, _caller, sink) => {
        if (service !== WHOLE_SERVER) {
          // That never changes: the call stays open until the client or the server leaves.
          sink.send(answer(SERVICE_UNKNOWN));
          return { closed: () => undefined };
        }
        sink.send(current());
        return { closed: serving.watch(() => sink.send(current())) };
      },
    ),
  ];
}

function answer(status: HealthCheckResponse_ServingStatus): HealthCheckResponse {
  return create(HealthCheckResponseSchema, { status });
}
