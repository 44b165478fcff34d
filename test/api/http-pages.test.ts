import type { ClientHttp2Session } from 'node:http2';
import { describe, expect, test } from 'vitest';
import { DEFAULT_API_LIMITS } from '../../src/api/limits.ts';
import { startApi } from '../../src/api/start-api.ts';
import { RealClock } from '../../src/host/real-clock.ts';
import {
  RangeRequestSchema,
  RangeResponseSchema,
  WatchRequestSchema,
  WatchResponseSchema,
} from '../../src/wire/gen/etcdserverpb/rpc_pb.ts';
import { SILENT_LOG } from './api-fixture.ts';
import { fakeServices } from './fake-services.ts';
import {
  frameOf,
  type GatewayFixture,
  openGateway,
  streamMethod,
  unaryMethod,
  until,
} from './gateway-fixture.ts';
import { openGrpc } from './grpc-fixture.ts';
import { fakePages } from './http-fake-pages.ts';

async function page(gateway: GatewayFixture, path: string): Promise<[number, string]> {
  const answer = await fetch(`${gateway.endpoint}${path}`);
  return [answer.status, await answer.text()];
}

describe('/health', () => {
  test('says the first thing that is wrong', async () => {
    await using gateway = await openGateway();
    const { state } = gateway;
    expect(await page(gateway, '/health')).toEqual([200, '{"health":"true","reason":""}']);
    const ill = (reason: string): [number, string] => [
      503,
      `{"health":"false","reason":"${reason}"}\n`,
    ];
    state.alarms = ['NOSPACE', 'CORRUPT'];
    expect(await page(gateway, '/health')).toEqual(ill('ALARM NOSPACE'));
    expect(await page(gateway, '/health?exclude=NOSPACE')).toEqual(ill('ALARM CORRUPT'));
    expect((await page(gateway, '/health?exclude=NOSPACE&exclude=CORRUPT'))[0]).toBe(200);
    state.alarms = [];
    state.isLed = false;
    expect(await page(gateway, '/health')).toEqual(ill('RAFT NO LEADER'));
    expect((await page(gateway, '/health?serializable=true'))[0]).toBe(200);
  });
});

describe('/livez and /readyz', () => {
  test('while all is well', async () => {
    await using gateway = await openGateway();
    expect(await page(gateway, '/livez')).toEqual([200, 'ok\n']);
    expect(await page(gateway, '/livez/serializable_read')).toEqual([200, 'ok\n']);
    expect(await page(gateway, '/livez?verbose')).toEqual([200, '[+]serializable_read ok\nok\n']);
    expect(await page(gateway, '/readyz?verbose&exclude=non_learner')).toEqual([
      200,
      '[+]data_corruption ok\n[+]serializable_read ok\n[+]linearizable_read ok\nok\n',
    ]);
    expect((await page(gateway, '/livez/linearizable_read'))[0]).toBe(404);
  });

  test('what fails is told, and can be excluded', async () => {
    await using gateway = await openGateway();
    gateway.state.healthy = false;
    gateway.state.isLearner = true;
    gateway.state.alarms = ['CORRUPT'];
    expect((await page(gateway, '/livez'))[0]).toBe(200);
    const [status, text] = await page(gateway, '/readyz');
    expect([status, text.split('\n')]).toEqual([
      503,
      [
        '[-]data_corruption failed: alarm activated: CORRUPT',
        '[+]serializable_read ok',
        '[-]linearizable_read failed: etcdserver: no leader',
        '[-]non_learner failed: not supported for learner',
        '',
        '',
      ],
    ]);
    const excludes = 'exclude=data_corruption&exclude=linearizable_read&exclude=non_learner';
    expect(await page(gateway, `/readyz?${excludes}`)).toEqual([200, 'ok\n']);
    expect((await page(gateway, '/readyz/non_learner'))[0]).toBe(503);
  });
});

describe('other pages', () => {
  test("/debug/vars has what is known, under etcd's keys", async () => {
    await using gateway = await openGateway();
    const [status, text] = await page(gateway, '/debug/vars');
    const vars = JSON.parse(text);
    expect(status).toBe(200);
    expect(vars.cmdline).toEqual(process.argv);
    expect(vars.file_descriptor_limit).toBeGreaterThan(10);
    expect(vars.memstats.HeapAlloc).toBeGreaterThan(1_000_000);
    expect(vars.memstats.Sys).toBeGreaterThan(vars.memstats.HeapAlloc);
    expect(vars['raft.status']).toEqual({
      id: '8e9e05c52164694d',
      term: 7,
      commit: 21,
      applied: 20,
      lead: '8e9e05c52164694d',
    });
  });

  test('/v2/members is all there is of version 2', async () => {
    await using gateway = await openGateway();
    const answer = await fetch(`${gateway.endpoint}/v2/members`);
    expect(answer.headers.get('x-etcd-cluster-id')).toBe('fedcba9876543210');
    expect(await answer.json()).toEqual({
      members: [
        {
          id: '8e9e05c52164694d',
          name: 'm1',
          peerURLs: ['http://127.0.0.1:2380'],
          clientURLs: ['http://127.0.0.1:2379'],
        },
      ],
    });
    for (const path of ['/v2/keys/a', '/v2/stats/self', '/v2/machines']) {
      expect((await page(gateway, path))[0]).toBe(404);
    }
    expect((await gateway.post('/v2/members', {})).status).toBe(405);
  });
});

describe('who may ask', () => {
  test('every origin, or those of --cors', async () => {
    const allowed = async (gateway: GatewayFixture, origin: string): Promise<string | null> => {
      const answer = await fetch(`${gateway.endpoint}/version`, { headers: { origin } });
      return answer.headers.get('access-control-allow-origin');
    };
    await using open = await openGateway();
    expect(await allowed(open, 'http://a')).toBe('*');
    const preflight = await fetch(`${open.endpoint}/v3/kv/range`, { method: 'OPTIONS' });
    expect([preflight.status, await preflight.text()]).toEqual([200, '']);
    expect(Object.fromEntries(preflight.headers)).toMatchObject({
      'access-control-allow-origin': '*',
      'access-control-allow-headers': 'accept, content-type, authorization',
      'access-control-allow-methods': 'POST, GET, OPTIONS, PUT, DELETE',
    });
    await using some = await openGateway({
      access: { origins: ['http://a'], hosts: ['*'], isAuthEnabled: () => false },
    });
    expect(await allowed(some, 'http://a')).toBe('http://a');
    expect(await allowed(some, 'http://b')).toBeNull();
  });

  test('only by the names of --host-whitelist', async () => {
    await using gateway = await openGateway({
      access: { origins: ['*'], hosts: ['localhost'], isAuthEnabled: () => false },
    });
    expect((await fetch(`http://localhost:${gateway.port}/health`)).status).toBe(200);
    const [status, text] = await page(gateway, '/health');
    expect([status, text]).toEqual([421, expect.stringContaining('"127.0.0.1" is not in')]);
    expect((await gateway.post('/v3/kv/range', {})).status).toBe(421);
  });

  test('not with a name in a certificate, when the gateway would ignore it', async () => {
    const range = unaryMethod(
      '/etcdserverpb.KV/Range',
      [RangeRequestSchema, RangeResponseSchema],
      () => ({}),
    );
    const access = { origins: ['*'], hosts: ['*'], isAuthEnabled: () => true };
    await using named = await openGateway({ methods: [range], access, commonName: 'root' });
    const refused = await named.post('/v3/kv/range', {});
    expect([refused.status, await refused.text()]).toEqual([
      400,
      expect.stringMatching(/^CommonName of client .* ignored/),
    ]);
    expect((await page(named, '/health'))[0]).toBe(200);
    await using nameless = await openGateway({ methods: [range], access });
    expect((await nameless.post('/v3/kv/range', {})).status).toBe(200);
  });
});

describe('HTTP/1.1', () => {
  test('a connection serves one request after the other, gateway and pages', async () => {
    const range = unaryMethod(
      '/etcdserverpb.KV/Range',
      [RangeRequestSchema, RangeResponseSchema],
      ({ limit }) => ({ count: limit }),
    );
    await using gateway = await openGateway({ methods: [range] });
    for (let n = 1; n <= 20; n += 1) {
      expect(await (await gateway.post('/v3/kv/range', { limit: n })).json()).toEqual({
        count: String(n),
      });
      expect((await page(gateway, '/health'))[0]).toBe(200);
    }
  });

  test('an offer of h2c is declined by an answer', async () => {
    await using gateway = await openGateway();
    const { request } = await import('node:http');
    const status = await new Promise((resolve, reject) => {
      request({
        host: '127.0.0.1',
        port: gateway.port,
        path: '/health',
        headers: { connection: 'Upgrade, HTTP2-Settings', upgrade: 'h2c', 'http2-settings': 'AA' },
      })
        .on('response', (response) => resolve(response.statusCode))
        .on('error', reject)
        .end();
    });
    expect(status).toBe(200);
  });

  test('a body that does not come is not waited for', async () => {
    const range = unaryMethod(
      '/etcdserverpb.KV/Range',
      [RangeRequestSchema, RangeResponseSchema],
      () => ({}),
    );
    await using gateway = await openGateway({ methods: [range], limits: { headerTimeoutMs: 30 } });
    const { connect: dial } = await import('node:net');
    const socket = dial(gateway.port, '127.0.0.1');
    const closed = new Promise((resolve) => socket.on('close', () => resolve('closed')));
    socket.write('POST /v3/kv/range HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\n{');
    expect(await closed).toBe('closed');
  });
});

describe('HTTP/2 requests that are not gRPC', () => {
  async function withHttp2(
    gateway: GatewayFixture,
    work: (session: ClientHttp2Session) => Promise<void>,
  ): Promise<void> {
    await using grpc = await openGrpc([], {
      notGrpc: (stream, peer) => gateway.http.handleHttp2(stream, peer),
    });
    await work(grpc.client);
  }

  function ask(
    session: ClientHttp2Session,
    headers: Record<string, string>,
    body?: string,
  ): Promise<[status: number, text: string]> {
    return new Promise((resolve, reject) => {
      const stream = session.request(headers, { endStream: body === undefined });
      let status = 0;
      let text = '';
      stream.on('response', (answer) => {
        status = answer[':status'] ?? 0;
      });
      stream.on('data', (chunk: Buffer) => {
        text += chunk.toString();
      });
      stream.on('end', () => resolve([status, text]));
      stream.on('error', reject);
      if (body !== undefined) stream.end(body);
    });
  }

  test('pages and gateway', async () => {
    const range = unaryMethod(
      '/etcdserverpb.KV/Range',
      [RangeRequestSchema, RangeResponseSchema],
      () => ({ count: 5n }),
    );
    await using gateway = await openGateway({ methods: [range] });
    const post = { ':method': 'POST', 'content-type': 'application/json' };
    await withHttp2(gateway, async (session) => {
      expect(await ask(session, { ':path': '/health' })).toEqual([
        200,
        '{"health":"true","reason":""}',
      ]);
      expect(await ask(session, { ':path': '/nothing' })).toEqual([404, 'Not Found\n']);
      expect(await ask(session, { ...post, ':path': '/v3/kv/range' }, '{}')).toEqual([
        200,
        '{"count":"5"}',
      ]);
      expect(
        await ask(session, { ...post, ':path': '/v3/kv/range', expect: '100-continue' }, '{}'),
      ).toEqual([200, '{"count":"5"}']);
      const long = 'x'.repeat(200_000);
      expect(await ask(session, { ...post, ':path': '/health' }, long)).toEqual([
        405,
        'Method Not Allowed\n',
      ]);
      expect((await ask(session, { ':path': '/health', ':method': 'HEAD' }))[0]).toBe(405);
    });
    expect(gateway.errors).toEqual([]);
  });

  test('streams, and clients that leave', async () => {
    const watch = streamMethod('/etcdserverpb.Watch/Watch', 'bidi_stream', WatchRequestSchema);
    await using gateway = await openGateway({ methods: [watch.method] });
    await withHttp2(gateway, async (session) => {
      const stream = session.request({ ':method': 'POST', ':path': '/v3/watch' });
      stream.on('error', () => undefined);
      stream.write('{"create_request":{}}');
      await new Promise((resolve) => stream.on('response', resolve));
      watch.sink?.send(frameOf(WatchResponseSchema, { created: true }));
      const line = await new Promise((resolve) => stream.on('data', resolve));
      expect(String(line)).toBe('{"result":{"created":true}}\n');
      stream.close();
      await until(() => watch.events.includes('closed'));
      // The service may also end it while the client has not.
      const second = session.request({ ':method': 'POST', ':path': '/v3/watch' });
      second.write('{}');
      await new Promise((resolve) => second.on('response', resolve));
      const end = new Promise((resolve) => second.on('close', resolve));
      second.resume();
      watch.sink?.end();
      await end;
      expect(second.rstCode).toBe(0);
      await until(() => watch.events.filter((event) => event === 'closed').length === 2);
    });
    expect(watch.events).not.toContain('halfClosed');
  });
});

describe('a port for metrics', () => {
  test('has metrics and health, and nothing else', async () => {
    const checks: unknown[] = [];
    const services = fakeServices();
    const api = await startApi({
      services,
      pages: fakePages(services),
      metrics: { contentType: 'text/plain', text: async () => 'a 1\n' },
      pagesObserver: {
        onHealth: (healthy) => checks.push(healthy),
        onCheck: (...check) => checks.push(check),
      },
      listen: [],
      listenMetrics: [{ host: '127.0.0.1', port: 0 }],
      limits: DEFAULT_API_LIMITS,
      clock: new RealClock(),
      log: SILENT_LOG,
    });
    const { port } = api.addresses[0]!;
    const get = async (path: string): Promise<[number, string]> => {
      const answer = await fetch(`http://127.0.0.1:${port}${path}`);
      return [answer.status, await answer.text()];
    };
    expect(await get('/metrics')).toEqual([200, 'a 1\n']);
    expect((await get('/health'))[0]).toBe(200);
    expect((await get('/livez'))[0]).toBe(200);
    expect(checks).toEqual([true, ['livez', 'serializable_read', true]]);
    expect((await get('/version'))[0]).toBe(404);
    expect((await get('/v3/kv/range'))[0]).toBe(404);
    await api.close();
  });
});
