import type { Clock } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';
import type { CallObserver } from './call-observer.ts';
import type { ClientPort, ListenAddress, OpenTls } from './client-port.ts';
import { type ClientAddress, openClientPorts } from './client-ports.ts';
import { Gateway } from './gateway/gateway.ts';
import { GrpcServer } from './grpc-server.ts';
import { type AccessRules, HttpServer } from './http-server.ts';
import type { KeepAliveSettings } from './keep-alive.ts';
import type { ApiLimits } from './limits.ts';
import { etcdMethods } from './methods/etcd-methods.ts';
import { type MetricsText, metricsRoutes, type PagesObserver, pageRoutes } from './pages/pages.ts';
import type { PagesSource } from './pages/pages-source.ts';
import type { Services } from './services.ts';
import type { ServingStatus } from './serving-status.ts';

/** The front end: what clients reach, from ports to services. */

export interface ApiOptions {
  readonly services: Services;
  readonly pages: PagesSource;
  readonly metrics: MetricsText;
  /** What gRPC health checks are told; default: that it serves. */
  readonly serving?: ServingStatus;
  /** Is told of health checks. */
  readonly pagesObserver?: PagesObserver;
  /** --enable-grpc-gateway; default: yes. */
  readonly jsonGateway?: boolean;
  /** Default: open to all origins and names. */
  readonly access?: AccessRules;
  readonly listen: readonly ClientAddress[];
  /** --listen-metrics-urls: where metrics and health checks are served, and nothing else. */
  readonly listenMetrics?: readonly ClientAddress[];
  /** Needed where an address is secure. */
  readonly tls?: OpenTls;
  /** --client-cert-auth: the common name in a client's certificate says who it is. */
  readonly certificateIsUser?: boolean;
  /** --socket-reuse-port. */
  readonly reusePort?: boolean;
  readonly limits: ApiLimits;
  /** --grpc-keepalive-…; default: etcd's. */
  readonly keepAlive?: KeepAliveSettings;
  readonly clock: Pick<Clock, 'nowNs'>;
  readonly log: Log;
  /** Is told of every gRPC call. */
  readonly observer?: CallObserver;
}

export interface ApiServer {
  /** As bound: where port 0 was asked for, the one that was found. */
  readonly addresses: readonly ListenAddress[];
  /** Accepts no more, lets requests in flight finish for a grace time, then cuts them. */
  close(): Promise<void>;
}

/** Rejects with ApiError if a port cannot be opened; then none stays open. */
export async function startApi(options: ApiOptions): Promise<ApiServer> {
  const { services, pages, metrics, access, limits, clock, log, observer } = options;
  const methods = etcdMethods(services, options.serving);
  const gatewayOptions = { methods, limits, clock, log, observer };
  const gateway = (options.jsonGateway ?? true) ? new Gateway(gatewayOptions) : undefined;
  const parts = { source: pages, metrics, observer: options.pagesObserver };
  const routes = pageRoutes(parts);
  const http = new HttpServer({ routes, gateway, access, limits, log });
  const grpc = new GrpcServer({
    methods,
    limits,
    log,
    observer,
    keepAlive: options.keepAlive,
    clock,
    notGrpc: (stream, peer) => http.handleHttp2(stream, peer),
  });
  const watched = metricsRoutes(parts);
  const health = new HttpServer({ routes: watched, gateway: undefined, access, limits, log });
  const { tls, certificateIsUser, reusePort } = options;
  const shared = { limits, log, tls, certificateIsUser, reusePort };
  const ports = await openAll([
    () =>
      openClientPorts(options.listen, {
        ...shared,
        acceptHttp2: (socket, peer) => grpc.accept(socket, peer),
        acceptHttp1: (socket, peer) => http.accept(socket, peer),
      }),
    () =>
      openClientPorts(options.listenMetrics ?? [], {
        ...shared,
        acceptHttp2: undefined,
        acceptHttp1: (socket, peer) => health.accept(socket, peer),
      }),
  ]);
  return {
    addresses: ports.map((port) => port.address),
    close: async () => {
      await Promise.all(ports.map((port) => port.close()));
      await Promise.all([grpc.close(), http.close(), health.close()]);
    },
  };
}

async function openAll(
  opens: readonly (() => Promise<readonly ClientPort[]>)[],
): Promise<readonly ClientPort[]> {
  const ports: ClientPort[] = [];
  try {
    for (const open of opens) ports.push(...(await open()));
    return ports;
  } catch (error) {
    await Promise.all(ports.map((port) => port.close()));
    throw error;
  }
}
