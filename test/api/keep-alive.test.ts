import { constants } from 'node:http2';
import { describe, expect, test } from 'vitest';
import { type KeepAliveSettings, PingPolicy } from '../../src/api/keep-alive.ts';
import { ECHO, openCall, openGrpc, PlayedStream, until } from './grpc-fixture.ts';
import { FRAME_TYPE, frame, frameTypes, grpcHeaders, PREFACE, rawConnection } from './raw-http2.ts';

const SETTINGS: KeepAliveSettings = { intervalMs: 0, timeoutMs: 0, minTimeMs: 5_000 };
const S = 1e9;

/** A connection on which nothing happens. */
function quiet(openStreams = 1) {
  return { isAnswering: false, openStreams, wasUsed: false };
}

describe('pings of clients', () => {
  test('two too early ones are forgiven, the third is not', () => {
    const policy = new PingPolicy(5_000);
    const connection = quiet();
    const allowed = [0, 5, 9, 13, 17].map((s) => policy.allows(s * S, connection));
    expect(allowed).toEqual([true, true, true, true, false]);
  });

  test('at the allowed pace there may be any number', () => {
    const policy = new PingPolicy(5_000);
    const connection = quiet();
    const allowed = Array.from({ length: 100 }, (_, i) => policy.allows(i * 5 * S, connection));
    expect(allowed).not.toContain(false);
  });

  test('who waits for nothing may hardly ping at all', () => {
    const policy = new PingPolicy(5_000);
    const allowed = [0, 60, 120, 180].map((s) => policy.allows(s * S, quiet(0)));
    expect(allowed).toEqual([true, true, true, false]);
    const slow = new PingPolicy(5_000);
    const rare = [0, 1, 2, 3].map((i) => slow.allows(i * 7_200 * S, quiet(0)));
    expect(rare).not.toContain(false);
  });

  test('an answer makes up for pings before it', () => {
    const policy = new PingPolicy(5_000);
    const connection = quiet();
    for (let i = 0; i < 50; i++) {
      connection.wasUsed = i % 3 === 0;
      expect(policy.allows(i, connection)).toBe(true);
    }
  });

  test('while a long answer is on its way, and once behind it, pings are free', () => {
    const policy = new PingPolicy(5_000);
    const connection = { ...quiet(), isAnswering: true };
    for (let i = 0; i < 50; i++) expect(policy.allows(i, connection)).toBe(true);
    connection.isAnswering = false;
    const behind = [50, 51, 52, 53].map((ns) => policy.allows(ns, connection));
    expect(behind).toEqual([true, true, true, false]);
  });

  test('a client that sends too many is told why, and cut off', async () => {
    const echo = new PlayedStream();
    await using fixture = await openGrpc([echo], { keepAlive: SETTINGS });
    const { client } = fixture;
    const goaway = new Promise<[number, string]>((resolve) => {
      client.once('goaway', (code, _, data) => resolve([code, String(data ?? '')]));
    });
    const closed = new Promise((resolve) => client.once('close', resolve));
    const { headers } = openCall(client, ECHO);
    await headers;
    // By the fixture's clock no time passes. The first is behind the answer's headers.
    for (let i = 0; i < 3; i++) await ping(client);
    expect(client.destroyed).toBe(false);
    client.ping(() => undefined);
    expect(await goaway).toEqual([constants.NGHTTP2_ENHANCE_YOUR_CALM, 'too_many_pings']);
    await closed;
    expect(echo.events.at(-1)).toBe('closed');
  });

  test('a client whose calls are answered may ping as it likes', async () => {
    const echo = new PlayedStream();
    echo.onOpen = (sink) => sink.end();
    await using fixture = await openGrpc([echo], { keepAlive: SETTINGS });
    const { client } = fixture;
    for (let i = 0; i < 20; i++) {
      const { stream, closed } = openCall(client, ECHO);
      stream.end();
      await closed;
      await ping(client);
    }
    expect(client.destroyed).toBe(false);
  });

  test('min-time 0 counts nothing', async () => {
    const keepAlive = { ...SETTINGS, minTimeMs: 0 };
    await using fixture = await openGrpc([new PlayedStream()], { keepAlive });
    const { client } = fixture;
    openCall(client, ECHO);
    for (let i = 0; i < 20; i++) await ping(client);
    expect(client.destroyed).toBe(false);
  });
});

describe('pings of the server', () => {
  test('an idle client that answers them stays', async () => {
    const keepAlive = { intervalMs: 5, timeoutMs: 60_000, minTimeMs: 0 };
    await using fixture = await openGrpc([new PlayedStream()], { keepAlive });
    const { client } = fixture;
    let pings = 0;
    const three = new Promise<void>((resolve) => {
      client.on('ping', () => {
        pings += 1;
        if (pings === 3) resolve();
      });
    });
    openCall(client, ECHO);
    await three;
    expect(client.destroyed).toBe(false);
  });

  test('a client that does not answer is closed', async () => {
    const keepAlive = { intervalMs: 300, timeoutMs: 5, minTimeMs: 0 };
    const echo = new PlayedStream();
    await using fixture = await openGrpc([echo], { keepAlive });
    using raw = await rawConnection(fixture.port);
    raw.socket.write(
      Buffer.concat([PREFACE, frame(FRAME_TYPE.settings, 0, 0), grpcHeaders(1, ECHO)]),
    );
    await raw.closed;
    // The client may know before the server does.
    await until(() => echo.events.length > 0);
    expect(echo.events).toEqual(['closed']);
    const types = frameTypes(raw.received);
    expect(types.filter((type) => type === FRAME_TYPE.ping)).toHaveLength(1);
  });

  test('interval or time-out 0: nobody is pinged', async () => {
    const keepAlive = { intervalMs: 0, timeoutMs: 1, minTimeMs: 0 };
    await using fixture = await openGrpc([new PlayedStream()], { keepAlive });
    let pings = 0;
    fixture.client.on('ping', () => {
      pings += 1;
    });
    for (let i = 0; i < 20; i++) await ping(fixture.client);
    expect(pings).toBe(0);
  });
});

function ping(client: { ping(callback: () => void): boolean }): Promise<void> {
  return new Promise((resolve) => {
    client.ping(() => resolve());
  });
}
