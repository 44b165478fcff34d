import { create, type DescService, fromBinary, toBinary } from '@bufbuild/protobuf';
import { describe, expect, test } from 'vitest';
import { etcdMethods } from '../../src/api/methods/etcd-methods.ts';
import { healthMethods } from '../../src/api/methods/health-methods.ts';
import type { FrameSink, RpcMethod, RpcStatus, UnaryContext } from '../../src/api/rpc.ts';
import type { Services } from '../../src/api/services.ts';
import { ServingStatus } from '../../src/api/serving-status.ts';
import { err, ok } from '../../src/lib/result.ts';
import type { Call } from '../../src/service/call.ts';
import { ANONYMOUS, type Caller } from '../../src/service/caller.ts';
import { serviceError } from '../../src/service/errors.ts';
import type { StreamSink } from '../../src/service/stream.ts';
import * as rpc from '../../src/wire/gen/etcdserverpb/rpc_pb.ts';
import * as health from '../../src/wire/gen/grpc/health/v1/health_pb.ts';
import * as election from '../../src/wire/gen/v3electionpb/v3election_pb.ts';
import * as lock from '../../src/wire/gen/v3lockpb/v3lock_pb.ts';
import { GrpcCode } from '../../src/wire/grpc-code.ts';
import { MessageAssembler } from '../../src/wire/grpc-frame.ts';
import { fakeServices } from './fake-services.ts';

interface SeenCall {
  readonly name: string;
  readonly request: unknown;
  readonly caller: Caller;
  readonly sink?: StreamSink<unknown>;
}

interface Recorded {
  readonly services: Services;
  readonly calls: SeenCall[];
  readonly told: string[];
}

/** Every service: whatever is called is kept, and refused where it is not a stream. */
function recorded(isLed = true): Recorded {
  const calls: SeenCall[] = [];
  const told: string[] = [];
  const source = {
    receive: (request: unknown) => {
      told.push('receive');
      calls.push({ name: 'receive', request, caller: ANONYMOUS });
    },
    halfClosed: () => told.push('halfClosed'),
    closed: () => told.push('closed'),
  };
  const service = (
    part: string,
    streams: Readonly<Record<string, 'bidi' | 'server'>> = {},
  ): object =>
    new Proxy(
      {},
      {
        get: (_, method) => {
          const name = `${part}.${String(method)}`;
          const stream = streams[String(method)];
          if (stream === 'bidi') {
            return (caller: Caller, sink: StreamSink<unknown>) => {
              calls.push({ name, request: undefined, caller, sink });
              return source;
            };
          }
          return (request: unknown, caller: Caller, sink?: StreamSink<unknown>) => {
            calls.push({ name, request, caller, sink });
            return stream === 'server' ? source : Promise.resolve(err(serviceError('noLeader')));
          };
        },
      },
    );
  const services = {
    ...fakeServices(),
    hasLeader: () => isLed,
    kv: service('kv'),
    cluster: service('cluster'),
    maintenance: service('maintenance', { snapshot: 'server' }),
    watch: service('watch', { open: 'bidi' }),
    lease: service('lease', { keepAlive: 'bidi' }),
    auth: service('auth'),
    lock: service('lock'),
    election: service('election', { observe: 'server' }),
  } as unknown as Services;
  return { services, calls, told };
}

class KeptSink implements FrameSink {
  writable = true;
  readonly frames: Uint8Array[] = [];
  status: RpcStatus | 'open' | 'well' = 'open';
  drained: () => void = () => undefined;
  send(frame: Uint8Array): void {
    this.frames.push(frame);
  }
  onWritable(callback: () => void): void {
    this.drained = callback;
  }
  end(status?: RpcStatus): void {
    this.status = status ?? 'well';
  }
  /** The messages of all frames. */
  messages(): Uint8Array[] {
    const assembler = new MessageAssembler(1 << 20);
    return this.frames.map((frame) => {
      assembler.push(frame);
      const next = assembler.next();
      return next.ok && next.value !== undefined ? next.value : new Uint8Array(0);
    });
  }
}

const CALLER: Caller = { token: 't', commonName: undefined, requireLeader: true };
const CONTEXT: UnaryContext = {
  timeoutMs: undefined,
  caller: CALLER,
  metadata: () => undefined,
  onOver: () => undefined,
};
const WAITING = ['/v3lockpb.Lock/Lock', '/v3electionpb.Election/Campaign'];
const TRUNCATED = Uint8Array.of(0x0a, 9, 1);

function methodAt(services: Services, path: string): RpcMethod {
  const method = etcdMethods(services).find((each) => each.path === path);
  if (method === undefined) throw new Error(`no method ${path}`);
  return method;
}

const SERVICES: readonly DescService[] = [
  rpc.KV,
  rpc.Watch,
  rpc.Lease,
  rpc.Cluster,
  rpc.Maintenance,
  rpc.Auth,
  lock.Lock,
  election.Election,
  health.Health,
];
const TYPES = {
  unary: 'unary',
  server_streaming: 'server_stream',
  bidi_streaming: 'bidi_stream',
  client_streaming: 'none of etcd',
} as const;

test('every call of the protocol is there, of its type, and no other', () => {
  const declared = SERVICES.flatMap((service) =>
    service.methods.map(({ name, methodKind }) => [
      `/${service.typeName}/${name}`,
      TYPES[methodKind],
    ]),
  );
  const made = etcdMethods(recorded().services).map(({ path, type }) => [path, type]);
  expect(made.toSorted()).toEqual(declared.toSorted());
});

test('whoever insists on a leader is refused while there is none, but for streams', async () => {
  const { services, calls } = recorded(false);
  const metadata = (name: string): string | undefined =>
    name === 'hasleader' ? 'true' : undefined;
  const insisting = { ...CONTEXT, metadata };
  const grant = methodAt(services, '/etcdserverpb.Lease/LeaseGrant');
  if (grant.type !== 'unary') throw new Error('not unary');
  expect(await grant.handle(new Uint8Array(0), insisting)).toEqual({
    ok: false,
    error: serviceError('noLeader'),
  });
  expect(calls).toEqual([]);
  await grant.handle(new Uint8Array(0), CONTEXT);
  const watch = methodAt(services, '/etcdserverpb.Watch/Watch');
  if (watch.type === 'unary') throw new Error('unary');
  watch.open(insisting, new KeptSink());
  expect(calls.map(({ name }) => name)).toEqual(['lease.leaseGrant', 'watch.open']);
});

describe('unary calls', () => {
  const unary = SERVICES.filter((service) => service !== health.Health).flatMap((service) =>
    service.methods
      .filter(({ methodKind }) => methodKind === 'unary')
      .map((method) => [`/${service.typeName}/${method.name}`, method] as const),
  );

  test.each(unary)('%s reaches its service with the caller', async (path, declared) => {
    const { services, calls } = recorded();
    const method = methodAt(services, path);
    if (method.type !== 'unary') throw new Error('not unary');
    const bytes = toBinary(declared.input, create(declared.input));
    const reply = await method.handle(bytes, CONTEXT);
    expect(reply).toEqual({ ok: false, error: serviceError('noLeader') });
    expect(calls).toHaveLength(1);
    const [, name] = calls[0]!.name.split('.');
    const called = name === 'openRange' ? 'range' : name!.toLowerCase();
    expect(called).toBe(path.split('/')[2]!.toLowerCase());
    // Status has no request.
    const given = path.endsWith('/Status') ? calls[0]!.request : calls[0]!.caller;
    // Calls that wait for others get to know of their own end, too.
    const caller = WAITING.includes(path) ? (given as Call).caller : given;
    expect(caller).toBe(CALLER);
  });

  test('answers are the messages the service gives', async () => {
    const { services } = recorded();
    const grant = async (request: rpc.LeaseGrantRequest) =>
      ok(create(rpc.LeaseGrantResponseSchema, { ID: request.ID, TTL: request.TTL + 1n }));
    const lease = { ...services.lease, leaseGrant: grant } as NonNullable<Services['lease']>;
    const method = methodAt({ ...services, lease }, '/etcdserverpb.Lease/LeaseGrant');
    if (method.type !== 'unary') throw new Error('not unary');
    const request = create(rpc.LeaseGrantRequestSchema, { ID: -5n, TTL: 60n });
    const reply = await method.handle(toBinary(rpc.LeaseGrantRequestSchema, request), CONTEXT);
    if (!reply.ok || !(reply.value instanceof Uint8Array)) throw new Error('not at once');
    const sink = new KeptSink();
    sink.send(reply.value);
    expect(fromBinary(rpc.LeaseGrantResponseSchema, sink.messages()[0]!)).toMatchObject({
      ID: -5n,
      TTL: 61n,
    });
  });

  test('bytes that are no message are refused before the service', async () => {
    const { services, calls } = recorded();
    for (const path of ['/etcdserverpb.KV/Put', '/etcdserverpb.Auth/UserAdd']) {
      const method = methodAt(services, path);
      if (method.type !== 'unary') throw new Error('not unary');
      expect(await method.handle(TRUNCATED, CONTEXT)).toMatchObject({
        ok: false,
        error: { code: GrpcCode.internal },
      });
    }
    expect(calls).toEqual([]);
  });
});

describe('streams', () => {
  test('many requests: each is decoded and passed on', async () => {
    const { services, calls, told } = recorded();
    const method = methodAt(services, '/etcdserverpb.Lease/LeaseKeepAlive');
    if (method.type === 'unary') throw new Error('unary');
    const sink = new KeptSink();
    const source = method.open(CONTEXT, sink);
    const request = create(rpc.LeaseKeepAliveRequestSchema, { ID: 7n });
    await source.receive(toBinary(rpc.LeaseKeepAliveRequestSchema, request));
    source.halfClosed();
    expect(calls[0]).toMatchObject({ name: 'lease.keepAlive', caller: CALLER });
    expect(calls[1]!.request).toMatchObject({ ID: 7n });
    const messages = calls[0]!.sink!;
    messages.send(create(rpc.LeaseKeepAliveResponseSchema, { ID: 7n, TTL: 30n }));
    expect(fromBinary(rpc.LeaseKeepAliveResponseSchema, sink.messages()[0]!).TTL).toBe(30n);
    expect(messages.writable).toBe(true);
    sink.writable = false;
    expect(messages.writable).toBe(false);
    let drained = 0;
    messages.onWritable(() => {
      drained += 1;
    });
    sink.drained();
    expect(drained).toBe(1);
    messages.end(serviceError('noLeader'));
    expect(sink.status).toEqual(serviceError('noLeader'));
    source.closed();
    expect(told).toEqual(['receive', 'halfClosed', 'closed']);
  });

  test('a watch, by the codec written by hand', async () => {
    const { services, calls } = recorded();
    const method = methodAt(services, '/etcdserverpb.Watch/Watch');
    if (method.type === 'unary') throw new Error('unary');
    const source = method.open(CONTEXT, new KeptSink());
    const request = create(rpc.WatchRequestSchema, {
      requestUnion: { case: 'cancelRequest', value: { watchId: 3n } },
    });
    await source.receive(toBinary(rpc.WatchRequestSchema, request));
    expect(calls[1]!.request).toEqual({ type: 'cancel', watchId: 3 });
  });

  test('one request opens the call at the service; more are dropped', async () => {
    const { services, calls, told } = recorded();
    const method = methodAt(services, '/v3electionpb.Election/Observe');
    if (method.type === 'unary') throw new Error('unary');
    const sink = new KeptSink();
    const source = method.open(CONTEXT, sink);
    expect(calls).toEqual([]);
    const request = create(election.LeaderRequestSchema, { name: Uint8Array.of(1, 2) });
    const bytes = toBinary(election.LeaderRequestSchema, request);
    await source.receive(bytes);
    await source.receive(bytes);
    source.halfClosed();
    expect(calls).toMatchObject([{ name: 'election.observe', caller: CALLER }]);
    expect(calls[0]!.request).toMatchObject({ name: Uint8Array.of(1, 2) });
    source.closed();
    expect(told).toEqual(['closed']);
    expect(sink.status).toBe('open');
  });

  test('no request where one is due', () => {
    const { services, calls } = recorded();
    const method = methodAt(services, '/etcdserverpb.Maintenance/Snapshot');
    if (method.type === 'unary') throw new Error('unary');
    const sink = new KeptSink();
    const source = method.open(CONTEXT, sink);
    source.halfClosed();
    source.closed();
    expect(sink.status).toMatchObject({ code: GrpcCode.internal });
    expect(calls).toEqual([]);
  });

  test.each(['/etcdserverpb.Watch/Watch', '/v3electionpb.Election/Observe'])(
    '%s: bytes that are no message end the call',
    async (path) => {
      const { services } = recorded();
      const method = methodAt(services, path);
      if (method.type === 'unary') throw new Error('unary');
      const sink = new KeptSink();
      await method.open(CONTEXT, sink).receive(TRUNCATED);
      expect(sink.status).toMatchObject({ code: GrpcCode.internal });
    },
  );
});

describe('health', () => {
  test('the server as a whole serves; no part of it has a status of its own', async () => {
    const method = methodAt(fakeServices(), '/grpc.health.v1.Health/Check');
    if (method.type !== 'unary') throw new Error('not unary');
    const ask = (service: string): Promise<unknown> => {
      const request = create(health.HealthCheckRequestSchema, { service });
      return method.handle(toBinary(health.HealthCheckRequestSchema, request), CONTEXT);
    };
    expect(await ask('')).toEqual({ ok: true, value: Uint8Array.of(0, 0, 0, 0, 2, 8, 1) });
    expect(await ask('etcdserverpb.KV')).toMatchObject({
      ok: false,
      error: { code: GrpcCode.notFound, message: 'unknown service' },
    });
  });

  test('watching tells it once and stays', async () => {
    const method = methodAt(fakeServices(), '/grpc.health.v1.Health/Watch');
    if (method.type === 'unary') throw new Error('unary');
    const statusOf = async (service: string): Promise<number[]> => {
      const sink = new KeptSink();
      const request = create(health.HealthCheckRequestSchema, { service });
      await method.open(CONTEXT, sink).receive(toBinary(health.HealthCheckRequestSchema, request));
      expect(sink.status).toBe('open');
      return sink
        .messages()
        .map((bytes) => fromBinary(health.HealthCheckResponseSchema, bytes).status);
    };
    const { SERVING, SERVICE_UNKNOWN } = health.HealthCheckResponse_ServingStatus;
    expect(await statusOf('')).toEqual([SERVING]);
    expect(await statusOf('x')).toEqual([SERVICE_UNKNOWN]);
  });

  test('while it is paused it does not serve, and who watches hears of it', async () => {
    const { SERVING, NOT_SERVING } = health.HealthCheckResponse_ServingStatus;
    const serving = new ServingStatus();
    const [check, watch] = healthMethods(serving);
    if (check?.type !== 'unary' || watch === undefined || watch.type === 'unary') {
      throw new Error('not those two');
    }
    const request = toBinary(
      health.HealthCheckRequestSchema,
      create(health.HealthCheckRequestSchema, {}),
    );
    const sink = new KeptSink();
    const source = watch.open(CONTEXT, sink);
    await source.receive(request);
    const [first, second] = [serving.pause(), serving.pause()];
    const answer = await check.handle(request, CONTEXT);
    expect(answer).toEqual({ ok: true, value: Uint8Array.of(0, 0, 0, 0, 2, 8, NOT_SERVING) });
    first();
    expect(serving.isServing).toBe(false);
    second();
    expect(serving.isServing).toBe(true);
    source.closed();
    serving.pause();
    const told = sink
      .messages()
      .map((bytes) => fromBinary(health.HealthCheckResponseSchema, bytes).status);
    expect(told).toEqual([SERVING, NOT_SERVING, SERVING]);
  });
});
