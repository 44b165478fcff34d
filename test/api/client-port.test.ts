import { connect, type Socket } from 'node:net';
import { describe, expect, test } from 'vitest';
import { ApiError } from '../../src/api/api-error.ts';
import { DEFAULT_API_LIMITS } from '../../src/api/limits.ts';
import { startApi } from '../../src/api/start-api.ts';
import { EtcdClient } from '../../src/client/etcd-client.ts';
import { RealClock } from '../../src/host/real-clock.ts';
import { expectOk } from '../client/expect-result.ts';
import { type ApiFixture, openApi, SILENT_LOG } from './api-fixture.ts';
import { fakePages } from './http-fake-pages.ts';

/** Writes the chunks, a turn of the loop apart, and returns all that comes until the end. */
async function exchange(port: number, chunks: readonly string[]): Promise<string> {
  const socket: Socket = connect(port, '127.0.0.1');
  socket.setNoDelay(true);
  let received = '';
  socket.on('data', (chunk: Buffer) => {
    received += chunk.toString('latin1');
  });
  socket.on('error', () => undefined);
  const closed = new Promise((resolve) => socket.on('close', resolve));
  for (const chunk of chunks) {
    socket.write(chunk);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  await closed;
  return received;
}

function get(fixture: ApiFixture, path: string, init: RequestInit = {}): Promise<Response> {
  return fetch(`${fixture.endpoint}${path}`, init);
}

describe('one port for two protocols', () => {
  test('gRPC and pages side by side', async () => {
    await using fixture = await openApi();
    const client = new EtcdClient({ endpoint: fixture.endpoint });
    const [put, health] = await Promise.all([
      client.put({ key: 'a', value: '1' }),
      get(fixture, '/health'),
    ]);
    expectOk(put);
    expect(health.status).toBe(200);
    client.close();
  });

  test('the first bytes may come one by one', async () => {
    await using fixture = await openApi();
    const request = 'GET /health HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n';
    expect(await exchange(fixture.port, [...request])).toContain('{"health":"true"');
    const preface = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';
    const emptySettings = '\0\0\0\x04\0\0\0\0\0';
    const dataOnNoStream = '\0\0\0\0\0\0\0\0\0';
    const answer = await exchange(fixture.port, [...preface, emptySettings, dataOnNoStream]);
    // A SETTINGS frame of the server comes first.
    expect(answer.charCodeAt(3)).toBe(4);
  });

  test('POST and PUT are not taken for the preface, nor is nonsense', async () => {
    await using fixture = await openApi();
    const head = ' /health HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n';
    expect(await exchange(fixture.port, [`P`, `OST${head}`])).toMatch(/^HTTP\/1.1 405 /);
    expect(await exchange(fixture.port, [`P`, `UT${head}`])).toMatch(/^HTTP\/1.1 405 /);
    expect(await exchange(fixture.port, ['PRI nonsense\r\n\r\n'])).toMatch(/^HTTP\/1.1 400 /);
  });

  test('silent and slow connections are closed', async () => {
    await using fixture = await openApi({ sniffTimeoutMs: 30, headerTimeoutMs: 30 });
    expect(await exchange(fixture.port, [])).toBe('');
    expect(await exchange(fixture.port, ['GET /health HTT'])).toBe('');
  });

  test('headers above the limit are refused', async () => {
    await using fixture = await openApi();
    const filler = 'x'.repeat(20_000);
    const request = `GET /health HTTP/1.1\r\nhost: x\r\nfiller: ${filler}\r\n\r\n`;
    expect(await exchange(fixture.port, [request])).toMatch(/^HTTP\/1.1 431 /);
  });

  test('a connection above the limit is closed, the others stay', async () => {
    await using fixture = await openApi({ connectionsMax: 1 });
    const client = new EtcdClient({ endpoint: fixture.endpoint });
    expectOk(await client.get('a'));
    expect(await exchange(fixture.port, [])).toBe('');
    expectOk(await client.get('a'));
    client.close();
  });

  test('a port in use is refused with its name, and nothing stays open', async () => {
    await using fixture = await openApi();
    const taken = { host: '127.0.0.1', port: fixture.port };
    const start = startApi({
      services: fixture.services,
      pages: fakePages(fixture.services),
      clock: new RealClock(),
      metrics: fixture.metrics,
      listen: [{ host: '127.0.0.1', port: 0 }, taken],
      limits: DEFAULT_API_LIMITS,
      log: SILENT_LOG,
    });
    const error = await start.then(
      () => expect.fail('two servers on one port'),
      (cause: unknown) => cause,
    );
    expect(error).toBeInstanceOf(ApiError);
    expect(error).toMatchObject({
      code: 'addressInUse',
      message: expect.stringContaining(`127.0.0.1:${fixture.port}: the port is in use`),
    });
  });
});

describe('pages', () => {
  test('/health', async () => {
    await using fixture = await openApi();
    const healthy = await get(fixture, '/health?serializable=true');
    expect([healthy.status, await healthy.json()]).toEqual([200, { health: 'true', reason: '' }]);
    fixture.services.healthy = false;
    const ill = await get(fixture, '/health');
    expect([ill.status, await ill.json()]).toEqual([
      503,
      { health: 'false', reason: 'RAFT NO LEADER' },
    ]);
  });

  test('/version', async () => {
    await using fixture = await openApi();
    const version = async () => (await get(fixture, '/version')).json();
    expect(await version()).toEqual({
      etcdserver: '3.6.0',
      etcdcluster: '3.6.0',
      storage: '3.6.0',
    });
    fixture.services.isLed = false;
    expect(await version()).toMatchObject({ etcdcluster: 'not_decided' });
  });

  test('/metrics', async () => {
    await using fixture = await openApi();
    fixture.metrics.observeFsync(3_000_000);
    fixture.metrics.countLeaderChange();
    fixture.metrics.countProposalFailed();
    const answer = await get(fixture, '/metrics');
    expect(answer.headers.get('content-type')).toMatch(/^text\/plain/);
    const text = await answer.text();
    for (const line of [
      'etcd_disk_wal_fsync_duration_seconds_bucket{le="0.002"} 0',
      'etcd_disk_wal_fsync_duration_seconds_bucket{le="0.004"} 1',
      'etcd_disk_wal_fsync_duration_seconds_bucket{le="8.192"} 1',
      'etcd_disk_wal_fsync_duration_seconds_sum 0.003',
      'etcd_server_has_leader 1',
      'etcd_server_is_leader 1',
      'etcd_server_leader_changes_seen_total 1',
      'etcd_server_proposals_committed_total 21',
      'etcd_server_proposals_applied_total 20',
      'etcd_server_proposals_pending 3',
      'etcd_server_proposals_failed_total 1',
    ]) {
      expect(text.split('\n')).toContain(line);
    }
    expect(text).toMatch(/^process_resident_memory_bytes [0-9]{6,}$/m);
    fixture.services.isLed = false;
    expect(await (await get(fixture, '/metrics')).text()).toContain('etcd_server_has_leader 0');
  });

  test('other pages and methods', async () => {
    await using fixture = await openApi();
    const missing = await get(fixture, '/v2/keys');
    expect([missing.status, await missing.text()]).toEqual([404, 'Not Found\n']);
    const wrong = await get(fixture, '/health', { method: 'POST', body: 'x' });
    expect([wrong.status, await wrong.text(), wrong.headers.get('allow')]).toEqual([
      405,
      'Method Not Allowed\n',
      'GET',
    ]);
  });
});
