import type { Log } from '../ports/log.ts';
import { type ClientPort, type ListenAddress, openClientPort } from './client-port.ts';
import { etcdMethods } from './etcd-methods.ts';
import { GrpcServer } from './grpc-server.ts';
import { HttpServer, type MetricsText } from './http-server.ts';
import type { ApiLimits } from './limits.ts';
import type { Services } from './services.ts';

/** The front end: what clients reach, from ports to services. */

export interface ApiOptions {
  readonly services: Services;
  readonly metrics: MetricsText;
  readonly listen: readonly ListenAddress[];
  readonly limits: ApiLimits;
  readonly log: Log;
}

export interface ApiServer {
  /** As bound: where port 0 was asked for, the one that was found. */
  readonly addresses: readonly ListenAddress[];
  /** Accepts no more, lets requests in flight finish for a grace time, then cuts them. */
  close(): Promise<void>;
}

/** Rejects with ApiError if a port cannot be opened; then none stays open. */
export async function startApi(options: ApiOptions): Promise<ApiServer> {
  const { services, metrics, limits, log } = options;
  const grpc = new GrpcServer({ methods: etcdMethods(services), limits, log });
  const http = new HttpServer({ services, metrics, limits, log });
  const ports: ClientPort[] = [];
  const closePorts = async (): Promise<void> => {
    await Promise.all(ports.map((port) => port.close()));
  };
  try {
    for (const address of options.listen) {
      const port = await openClientPort(address, {
        limits,
        log,
        acceptHttp2: (socket) => grpc.accept(socket),
        acceptHttp1: (socket) => http.accept(socket),
      });
      ports.push(port);
    }
  } catch (error) {
    await closePorts();
    throw error;
  }
  return {
    addresses: ports.map((port) => port.address),
    close: async () => {
      await closePorts();
      await Promise.all([grpc.close(), http.close()]);
    },
  };
}
