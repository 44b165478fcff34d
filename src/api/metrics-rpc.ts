import type { Registry } from 'prom-client';
import type { Clock } from '../ports/clock.ts';
import { GrpcCode } from '../wire/grpc-code.ts';
import type { CallObserver, HandledCall, StartedCall } from './call-observer.ts';
import {
  Histogram,
  type Labels,
  registerReadings,
  type Sample,
  type Series,
  Tally,
} from './metrics-registry.ts';
import type { RpcType } from './rpc.ts';

/** Metrics of gRPC calls, by the names that Go's gRPC middleware made usual. */

const NS_PER_S = 1_000_000_000;
const HANDLING_BUCKETS_S = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
/** Of the versions clients claim to have; further ones count as `other`. */
const CLIENT_VERSIONS_MAX = 32;

interface MethodCounts {
  readonly labels: Labels;
  started: number;
  /** By gRPC status. */
  readonly handled: number[];
  readonly handlingSeconds: Series | undefined;
}

export interface RpcMetricsOptions {
  readonly registry: Registry;
  /** The one that the calls were started by. */
  readonly clock: Pick<Clock, 'nowNs'>;
  /** `extensive`: how long calls take, too. */
  readonly level: 'basic' | 'extensive';
}

export class RpcMetrics implements CallObserver {
  private readonly methods = new Map<string, MethodCounts>();
  private readonly clock: Pick<Clock, 'nowNs'>;
  private readonly clients = new Tally();
  private readonly handling: Histogram | undefined;
  private sentBytes = 0;
  private receivedBytes = 0;

  constructor({ registry, clock, level }: RpcMetricsOptions) {
    this.clock = clock;
    this.registerCalls(registry);
    this.registerClients(registry);
    if (level === 'extensive') {
      this.handling = new Histogram(registry, {
        name: 'grpc_server_handling_seconds',
        help: 'Time from the start of calls to their end.',
        buckets: HANDLING_BUCKETS_S,
      });
    }
  }

  started({ method, type, clientApiVersion }: StartedCall): void {
    this.countsOf(method, type).started += 1;
    const key = `${type === 'unary' ? 'unary' : 'stream'} ${clientApiVersion}`;
    const isKnown = this.clients.has(key) || this.clients.size < CLIENT_VERSIONS_MAX;
    this.clients.add(isKnown ? key : `${type === 'unary' ? 'unary' : 'stream'} other`);
  }

  transferred(sentBytes: number, receivedBytes: number): void {
    this.sentBytes += sentBytes;
    this.receivedBytes += receivedBytes;
  }

  handled({ method, type, code, startedNs }: HandledCall): void {
    const { handled, handlingSeconds } = this.countsOf(method, type);
    handled[code] = (handled[code] ?? 0) + 1;
    if (handlingSeconds === undefined) return;
    handlingSeconds.observe((this.clock.nowNs() - startedNs) / NS_PER_S);
  }

  private countsOf(path: string, type: RpcType): MethodCounts {
    const known = this.methods.get(path);
    if (known !== undefined) return known;
    const [, service = '', method = ''] = path.split('/');
    // In the order of Go's client library: some look for whole lines.
    const labels = { grpc_method: method, grpc_service: service, grpc_type: type };
    const handlingSeconds = this.handling?.with(labels);
    const counts: MethodCounts = { labels, started: 0, handled: [], handlingSeconds };
    this.methods.set(path, counts);
    return counts;
  }

  private registerCalls(registry: Registry): void {
    registerReadings(registry, [
      {
        name: 'grpc_server_started_total',
        help: 'Calls that were begun.',
        type: 'counter',
        read: () =>
          [...this.methods.values()].map(({ labels, started }) => ({ labels, value: started })),
      },
      {
        name: 'grpc_server_handled_total',
        help: 'Calls that were ended, by status.',
        type: 'counter',
        read: () => [...this.methods.values()].flatMap(handledSamples),
      },
    ]);
  }

  private registerClients(registry: Registry): void {
    registerReadings(registry, [
      {
        name: 'etcd_network_client_grpc_sent_bytes_total',
        help: 'Bytes of messages sent to clients.',
        type: 'counter',
        read: () => this.sentBytes,
      },
      {
        name: 'etcd_network_client_grpc_received_bytes_total',
        help: 'Bytes of messages received from clients.',
        type: 'counter',
        read: () => this.receivedBytes,
      },
      {
        name: 'etcd_server_client_requests_total',
        help: "Calls by the version of the client's API.",
        type: 'counter',
        read: () => this.clients.samples(clientLabels),
      },
    ]);
  }
}

function handledSamples({ labels, handled }: MethodCounts): readonly Sample[] {
  // Holes, where a status never was, are left out by flatMap.
  return handled.flatMap((value, code) => [
    { labels: { grpc_code: CODE_NAMES.get(code) ?? String(code), ...labels }, value },
  ]);
}

function clientLabels(key: string): Labels {
  const space = key.indexOf(' ');
  return { client_api_version: key.slice(space + 1), type: key.slice(0, space) };
}

/** As Go prints them: `OK`, `Canceled` with one l, the others in camel case. */
const CODE_NAMES: ReadonlyMap<number, string> = new Map(
  Object.entries(GrpcCode).map(([name, code]) => [code, goName(name)]),
);

function goName(name: string): string {
  if (name === 'ok') return 'OK';
  if (name === 'cancelled') return 'Canceled';
  return name.slice(0, 1).toUpperCase() + name.slice(1);
}
