import { createServer, type Server } from 'node:net';
import {
  create,
  type DescMessage,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from '@bufbuild/protobuf';
import type { CallObserver } from '../../src/api/call-observer.ts';
import { Gateway } from '../../src/api/gateway/gateway.ts';
import { type AccessRules, HttpServer } from '../../src/api/http-server.ts';
import { type ApiLimits, DEFAULT_API_LIMITS } from '../../src/api/limits.ts';
import { pageRoutes } from '../../src/api/pages/pages.ts';
import type {
  FrameSink,
  RpcContext,
  RpcMethod,
  RpcStatus,
  StreamMethod,
  UnaryMethod,
} from '../../src/api/rpc.ts';
import { RealClock } from '../../src/host/real-clock.ts';
import { err, ok, type Result } from '../../src/lib/result.ts';
import type { Log } from '../../src/ports/log.ts';
import { frameMessage } from '../../src/wire/grpc-frame.ts';
import { type FakeState, fakePages } from './http-fake-pages.ts';

/** For methods to throw: an error that is no bug. */
export class Refusal {
  readonly status: RpcStatus;

  constructor(status: RpcStatus) {
    this.status = status;
  }
}

/** A unary method over a function of messages. */
export function unaryMethod<In extends DescMessage, Out extends DescMessage>(
  path: string,
  [input, output]: readonly [In, Out],
  call: (
    request: MessageShape<In>,
    context: RpcContext,
  ) => MessageInitShape<Out> | Promise<MessageInitShape<Out>>,
): UnaryMethod {
  return {
    type: 'unary',
    path,
    async handle(bytes, context): Promise<Result<Uint8Array, RpcStatus>> {
      try {
        return ok(frameOf(output, await call(fromBinary(input, bytes), context)));
      } catch (cause) {
        if (cause instanceof Refusal) return err(cause.status);
        throw cause;
      }
    },
  };
}

export function frameOf<Out extends DescMessage>(
  output: Out,
  answer: MessageInitShape<Out>,
): Uint8Array {
  return frameMessage(toBinary(output, create(output, answer)));
}

/** What a test's streaming method was told, and its sink. */
export interface StreamProbe<In extends DescMessage> {
  readonly method: StreamMethod;
  readonly received: MessageShape<In>[];
  readonly events: string[];
  context: RpcContext | undefined;
  sink: FrameSink | undefined;
  /** Called for each message. */
  onMessage: (request: MessageShape<In>, sink: FrameSink) => Promise<void> | undefined;
}

export function streamMethod<In extends DescMessage>(
  path: string,
  type: StreamMethod['type'],
  input: In,
): StreamProbe<In> {
  const probe: StreamProbe<In> = {
    received: [],
    events: [],
    context: undefined,
    sink: undefined,
    onMessage: () => undefined,
    method: {
      type,
      path,
      open(context, sink) {
        probe.context = context;
        probe.sink = sink;
        probe.events.push('open');
        return {
          receive(bytes) {
            const request = fromBinary(input, bytes);
            probe.received.push(request);
            return probe.onMessage(request, sink);
          },
          halfClosed: () => probe.events.push('halfClosed'),
          closed: () => probe.events.push('closed'),
        };
      },
    },
  };
  return probe;
}

export interface GatewayFixture extends AsyncDisposable {
  readonly port: number;
  readonly endpoint: string;
  readonly http: HttpServer;
  readonly state: FakeState;
  readonly errors: string[];
  post(path: string, body: unknown, headers?: Record<string, string>): Promise<Response>;
}

export interface GatewayFixtureOptions {
  readonly methods?: readonly RpcMethod[];
  readonly withoutGateway?: boolean;
  readonly access?: AccessRules;
  readonly limits?: Partial<ApiLimits>;
  readonly observer?: CallObserver;
  readonly commonName?: string;
}

/** Gateway and pages on a free loopback port; no gRPC. */
export async function openGateway(options: GatewayFixtureOptions = {}): Promise<GatewayFixture> {
  const errors: string[] = [];
  const log: Log = {
    debug: () => undefined,
    info: () => undefined,
    warn: () => undefined,
    error: (message) => errors.push(message),
  };
  const limits = { ...DEFAULT_API_LIMITS, ...options.limits };
  const { methods = [], observer, access, commonName } = options;
  const gateway = options.withoutGateway
    ? undefined
    : new Gateway({ methods, limits, clock: new RealClock(), log, observer });
  const state: FakeState = { healthy: true, isLed: true };
  const metrics = { contentType: 'text/plain', text: async () => 'a 1\n' };
  const routes = pageRoutes({ source: fakePages(state), metrics });
  const http = new HttpServer({ routes, gateway, access, limits, log });
  const server: Server = createServer((socket) =>
    http.accept(socket, { commonName: () => commonName }),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  const endpoint = `http://127.0.0.1:${port}`;
  return {
    port,
    endpoint,
    http,
    state,
    errors,
    post: (path, body, headers = {}) =>
      fetch(`${endpoint}${path}`, {
        method: 'POST',
        body: typeof body === 'string' ? body : JSON.stringify(body),
        headers,
      }),
    async [Symbol.asyncDispose]() {
      server.close();
      await http.close();
    },
  };
}

/** Waits until it holds, for what happens on the other side of a socket. */
export async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 1));
}
