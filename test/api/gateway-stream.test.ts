import { request as httpRequest } from 'node:http';
import { describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import type { HandledCall } from '../../src/api/call-observer.ts';
import {
  SnapshotRequestSchema,
  WatchRequestSchema,
  WatchResponseSchema,
} from '../../src/wire/gen/etcdserverpb/rpc_pb.ts';
import { frameOf, openGateway, streamMethod, until } from './gateway-fixture.ts';

const WATCH = '/etcdserverpb.Watch/Watch';
const CREATE = '{"create_request":{"key":"Zm9v","start_revision":7587000000000000001}}';
const created = (id: bigint): Uint8Array =>
  frameOf(WatchResponseSchema, { watchId: id, created: true });

/** The lines of a body, as they come. */
async function* linesOf(response: Response): AsyncGenerator<unknown> {
  let text = '';
  for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    const lines = text.split('\n');
    text = lines.pop()!;
    for (const line of lines) yield JSON.parse(line);
  }
  expect(text).toBe('');
}

describe('a stream as lines', () => {
  test('headers come at once, objects as they are sent, the end tells the service', async () => {
    const watch = streamMethod(WATCH, 'bidi_stream', WatchRequestSchema);
    const ended: number[] = [];
    await using gateway = await openGateway({
      methods: [watch.method],
      observer: {
        started: () => undefined,
        transferred: () => undefined,
        handled: ({ code }: HandledCall) => ended.push(code),
      },
    });
    const stop = new AbortController();
    const answer = await fetch(`${gateway.endpoint}/v3/watch`, {
      method: 'POST',
      body: CREATE,
      signal: stop.signal,
      headers: { authorization: 'Bearer t.1' },
    });
    // No object was sent yet: fetch resolves with the headers.
    expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'application/json']);
    expect(answer.headers.get('access-control-allow-origin')).toBe('*');
    expect(watch.context?.caller.token).toBe('t.1');
    expect(watch.received.map(({ requestUnion }) => requestUnion)).toMatchObject([
      { case: 'createRequest', value: { startRevision: 7587000000000000001n } },
    ]);
    expect(watch.events).toEqual(['open', 'halfClosed']);
    const lines = linesOf(answer);
    watch.sink?.send(created(0n));
    expect((await lines.next()).value).toEqual({ result: { created: true } });
    watch.sink?.send(
      frameOf(WatchResponseSchema, {
        events: [{ type: 1, kv: { key: new Uint8Array([0x61]), modRevision: 2n } }],
      }),
    );
    expect((await lines.next()).value).toEqual({
      result: { events: [{ type: 'DELETE', kv: { key: 'YQ==', mod_revision: '2' } }] },
    });
    expect(ended).toEqual([]);
    stop.abort();
    await until(() => watch.events.includes('closed'));
    watch.sink?.send(created(1n));
    expect(watch.events).toEqual(['open', 'halfClosed', 'closed']);
    expect(ended).toEqual([1]);
  });

  test('requests may follow one another, cut anywhere', async () => {
    const watch = streamMethod(WATCH, 'bidi_stream', WatchRequestSchema);
    watch.onMessage = (_, sink) => {
      sink.send(created(BigInt(watch.received.length)));
      return undefined;
    };
    await using gateway = await openGateway({ methods: [watch.method] });
    const { port } = gateway;
    const request = httpRequest({ port, host: '127.0.0.1', path: '/v3/watch', method: 'POST' });
    const response = new Promise<string>((resolve) => {
      request.on('response', (incoming) => {
        let body = '';
        incoming.on('data', (chunk: Buffer) => {
          body += chunk.toString();
        });
        incoming.on('end', () => resolve(body));
      });
    });
    const text = `${CREATE}${CREATE} \n\t{"cancel_request":{"watch_id":"\\"}{"},"x":"}"}\n{}`;
    for (const character of text.replace('"\\"}{"', '5')) {
      request.write(character);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await until(() => watch.received.length === 4);
    expect(watch.received[2]?.requestUnion).toMatchObject({ case: 'cancelRequest' });
    watch.sink?.end();
    expect((await response).split('\n')).toHaveLength(5);
    request.destroy();
    await until(() => watch.events.includes('closed'));
  });

  test('the next request waits for the one before', async () => {
    const watch = streamMethod(WATCH, 'bidi_stream', WatchRequestSchema);
    let go = (): void => undefined;
    watch.onMessage = () =>
      new Promise((resolve) => {
        go = resolve;
      });
    await using gateway = await openGateway({ methods: [watch.method] });
    const answering = gateway.post('/v3/watch', CREATE + CREATE);
    await until(() => watch.received.length === 1);
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect([watch.received.length, watch.events]).toEqual([1, ['open']]);
    go();
    await until(() => watch.received.length === 2);
    go();
    await until(() => watch.events.includes('halfClosed'));
    watch.sink?.end();
    expect(await (await answering).text()).toBe('');
  });

  test('an error is the last object; what is refused at once has its HTTP status', async () => {
    const watch = streamMethod(WATCH, 'bidi_stream', WatchRequestSchema);
    watch.onMessage = (_, sink) => {
      if (watch.received.length > 1) sink.send(created(0n));
      sink.end({ code: 14, message: 'etcdserver: no leader' });
      return undefined;
    };
    await using gateway = await openGateway({ methods: [watch.method] });
    const error = {
      error: {
        grpc_code: 14,
        http_code: 503,
        message: 'etcdserver: no leader',
        http_status: 'Service Unavailable',
      },
    };
    const refused = await gateway.post('/v3/watch', CREATE);
    expect([refused.status, await refused.json()]).toEqual([503, error]);
    const late = await gateway.post('/v3/watch', CREATE);
    const lines: unknown[] = [];
    for await (const line of linesOf(late)) lines.push(line);
    expect([late.status, lines]).toEqual([200, [{ result: { created: true } }, error]]);
  });

  test.each([
    ['no object', '[1]'],
    ['no JSON', '{"create_request":}'],
    ['half an object', '{"create_request":{'],
    ['a wrong field', '{"create_request":{"key":5}}'],
  ])('%s is refused', async (_, body) => {
    const watch = streamMethod(WATCH, 'bidi_stream', WatchRequestSchema);
    await using gateway = await openGateway({ methods: [watch.method] });
    const answer = await gateway.post('/v3/watch', body);
    expect([answer.status, await answer.json()]).toMatchObject([400, { error: { grpc_code: 3 } }]);
    await until(() => watch.events.includes('closed'));
    expect(watch.received).toEqual([]);
  });

  test('an object above the limit is refused', async () => {
    const watch = streamMethod(WATCH, 'bidi_stream', WatchRequestSchema);
    await using gateway = await openGateway({
      methods: [watch.method],
      limits: { receiveBytesMax: 100 },
    });
    const long = `{"create_request":{"key":"${'A'.repeat(400)}"}}`;
    expect((await gateway.post('/v3/watch', long)).status).toBe(429);
    const short = `{"create_request":{"key":"${'A'.repeat(160)}"}}`;
    expect((await gateway.post('/v3/watch', short)).status).toBe(429);
    expect(watch.received).toEqual([]);
  });

  test('without a body a server stream has an empty request', async () => {
    const snapshot = streamMethod(
      '/etcdserverpb.Maintenance/Snapshot',
      'server_stream',
      SnapshotRequestSchema,
    );
    snapshot.onMessage = (_, sink) => {
      sink.end();
      return undefined;
    };
    await using gateway = await openGateway({ methods: [snapshot.method] });
    const answer = await gateway.post('/v3/maintenance/snapshot', '');
    expect([answer.status, await answer.text()]).toEqual([200, '']);
    expect(snapshot.received).toHaveLength(1);
  });

  test('a slow client holds the service back, and is cut off above the limit', async () => {
    const watch = streamMethod(WATCH, 'bidi_stream', WatchRequestSchema);
    await using gateway = await openGateway({
      methods: [watch.method],
      limits: { unsentBytesMax: 4_000_000 },
    });
    const answer = await gateway.post('/v3/watch', CREATE);
    const big = frameOf(WatchResponseSchema, {
      events: [{ kv: { key: new Uint8Array(1), value: new Uint8Array(500_000) } }],
    });
    let told = 0;
    watch.sink?.onWritable(() => {
      told += 1;
    });
    // The kernel takes some megabytes before the client must read.
    for (let waitedMs = 0; waitedMs < 20; ) {
      if (watch.sink?.writable) {
        watch.sink.send(big);
        waitedMs = 0;
      }
      await new Promise((resolve) => setTimeout(resolve, 1));
      waitedMs += 1;
    }
    const before = told;
    expect(watch.sink?.writable).toBe(false);
    const lines = linesOf(answer);
    while (told === before) await lines.next();
    expect(watch.sink?.writable).toBe(true);
    while (!watch.events.includes('closed')) {
      watch.sink?.send(big);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await expect(
      (async () => {
        for await (const _ of lines);
      })(),
    ).rejects.toThrow();
  });
});

describe('a stream over a web socket', () => {
  const open = (port: number, path: string, protocols: string[] = [], origin?: string): WebSocket =>
    new WebSocket(`ws://127.0.0.1:${port}${path}`, protocols, { origin });

  test('one object a message, token as a protocol, errors and ends', async () => {
    const watch = streamMethod(WATCH, 'bidi_stream', WatchRequestSchema);
    watch.onMessage = (_, sink) => {
      sink.send(created(BigInt(watch.received.length)));
      if (watch.received.length === 2) sink.end({ code: 5, message: 'gone' });
      return undefined;
    };
    await using gateway = await openGateway({ methods: [watch.method] });
    const socket = open(gateway.port, '/v3/watch', ['Bearer', 't.9']);
    const messages: unknown[] = [];
    socket.on('message', (data: Buffer) => messages.push(JSON.parse(data.toString())));
    await new Promise((resolve) => socket.on('open', resolve));
    expect(socket.protocol).toBe('Bearer');
    socket.send(CREATE);
    await until(() => messages.length === 1);
    expect(watch.context?.caller.token).toBe('t.9');
    socket.send(CREATE);
    await new Promise((resolve) => socket.on('close', resolve));
    expect(messages).toEqual([
      { result: { created: true, watch_id: '1' } },
      { result: { created: true, watch_id: '2' } },
      { error: { grpc_code: 5, http_code: 404, message: 'gone', http_status: 'Not Found' } },
    ]);
    await until(() => watch.events.includes('closed'));
  });

  test('the next message waits for the one before', async () => {
    const watch = streamMethod(WATCH, 'bidi_stream', WatchRequestSchema);
    const waiting: (() => void)[] = [];
    watch.onMessage = () => new Promise((resolve) => waiting.push(resolve));
    await using gateway = await openGateway({ methods: [watch.method] });
    const socket = open(gateway.port, '/v3/watch');
    await new Promise((resolve) => socket.on('open', resolve));
    for (let n = 0; n < 5; n += 1) socket.send(CREATE);
    for (let n = 1; n <= 5; n += 1) {
      await until(() => waiting.length === n);
      await new Promise((resolve) => setTimeout(resolve, 2));
      expect(watch.received).toHaveLength(n);
      waiting.at(-1)?.();
    }
    socket.terminate();
    await until(() => watch.events.includes('closed'));
  });

  test('a client that leaves closes the call', async () => {
    const watch = streamMethod(WATCH, 'bidi_stream', WatchRequestSchema);
    await using gateway = await openGateway({ methods: [watch.method] });
    const socket = open(gateway.port, '/v3/watch');
    await new Promise((resolve) => socket.on('open', resolve));
    socket.terminate();
    await until(() => watch.events.includes('closed'));
    expect(watch.events).toEqual(['open', 'closed']);
  });

  test('other paths, and origins that are not allowed, are refused', async () => {
    const watch = streamMethod(WATCH, 'bidi_stream', WatchRequestSchema);
    await using gateway = await openGateway({
      methods: [watch.method],
      access: { origins: ['http://good'], hosts: ['*'], isAuthEnabled: () => false },
    });
    const refusal = (path: string, origin?: string): Promise<string> =>
      new Promise((resolve) => {
        const socket = open(gateway.port, path, [], origin);
        socket.on('error', (error) => resolve(error.message));
        socket.on('open', () => {
          socket.terminate();
          resolve('open');
        });
      });
    expect(await refusal('/health')).toContain('404');
    expect(await refusal('/v3/kv/range')).toContain('404');
    expect(await refusal('/v3/watch', 'http://bad')).toContain('403');
    expect(await refusal('/v3/watch', 'http://good')).toBe('open');
  });
});
