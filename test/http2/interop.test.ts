import { type ClientHttp2Session, connect, type Settings } from 'node:http2';
import { createServer } from 'node:net';
import { describe, expect, test } from 'vitest';
import { Http2Duplex } from '../../src/api/http2-duplex.ts';
import { Http2Socket } from '../../src/api/http2-socket.ts';
import { Http2Connection } from '../../src/http2/connection.ts';
import type { Http2Stream } from '../../src/http2/stream.ts';
import { until } from '../api/grpc-fixture.ts';
import { LIMITS, OK_HEADERS, TRAILERS } from './played-connection.ts';

/** The client is Node's, which is nghttp2. */

interface Fixture extends AsyncDisposable {
  readonly client: ClientHttp2Session;
  readonly connections: readonly Http2Connection[];
}

async function open(
  onRequest: (stream: Http2Stream) => void,
  settings: Settings = {},
): Promise<Fixture> {
  const connections: Http2Connection[] = [];
  const listener = createServer((socket) => {
    const http2 = new Http2Connection({
      transport: new Http2Socket(socket),
      limits: { ...LIMITS, concurrentStreamsMax: 100 },
      clock: { nowNs: () => 0 },
      defer: (callback) => process.nextTick(callback),
      onRequest,
      onClose: () => undefined,
    });
    connections.push(http2);
    socket.on('data', (chunk) => http2.receive(Uint8Array.from(chunk as Buffer)));
    socket.on('drain', () => http2.drained());
    socket.on('error', () => undefined);
    socket.on('end', () => socket.destroy());
    socket.on('close', () => http2.lost());
  });
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  const address = listener.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const client = connect(`http://127.0.0.1:${port}`, { settings });
  client.on('error', () => undefined);
  return {
    client,
    connections,
    [Symbol.asyncDispose]: async () => {
      client.destroy();
      await new Promise((resolve) => listener.close(resolve));
    },
  };
}

function echo(stream: Http2Stream): void {
  stream.respond(OK_HEADERS);
  const duplex = new Http2Duplex(stream, TRAILERS);
  duplex.on('error', () => undefined);
  duplex.pipe(duplex);
}

interface Answer {
  readonly body: Buffer;
  readonly trailers: unknown;
  readonly rstCode: number | undefined;
}

function ask(client: ClientHttp2Session, body: Uint8Array): Promise<Answer> {
  return new Promise((resolve) => {
    const stream = client.request({ ':method': 'POST', ':path': '/a' });
    const chunks: Buffer[] = [];
    let trailers: unknown;
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.on('trailers', (fields) => {
      trailers = fields['grpc-status'];
    });
    stream.on('error', () => undefined);
    stream.on('close', () => {
      resolve({ body: Buffer.concat(chunks), trailers, rstCode: stream.rstCode });
    });
    stream.end(body);
  });
}

function body(seed: number, sizeBytes: number): Uint8Array {
  return Uint8Array.from({ length: sizeBytes }, (_, n) => (n * (seed + 1)) % 251);
}

describe('a real client', () => {
  const rows: readonly (readonly [name: string, settings: Settings])[] = [
    ['its usual windows', {}],
    ['windows of 1000 bytes', { initialWindowSize: 1_000 }],
    ['windows that are opened by and by', { initialWindowSize: 0 }],
  ];
  test.each(rows)('many bodies both ways at once, with %s', async (_, settings) => {
    await using fixture = await open(echo, settings);
    const { client } = fixture;
    const sizes = [0, 1, 999, 16_384, 16_385, 100_000, 400_000];
    const bodies = Array.from({ length: 35 }, (_, n) => body(n, sizes[n % sizes.length]!));
    const answers = bodies.map((sent) => ask(client, sent));
    if (settings.initialWindowSize === 0) client.settings({ initialWindowSize: 70_000 });
    for (const [n, answer] of (await Promise.all(answers)).entries()) {
      expect(answer.body.equals(bodies[n]!)).toBe(true);
      expect(answer).toMatchObject({ trailers: '0', rstCode: 0 });
    }
    await until(() => fixture.connections[0]!.openStreams === 0);
    expect(fixture.connections[0]!.unsentBytes).toBe(0);
  });

  test('cancels, and others are answered on', async () => {
    const closed: unknown[] = [];
    await using fixture = await open((stream) => {
      stream.respond(OK_HEADERS);
      stream.handler = {
        onData: () => stream.end(TRAILERS),
        onEnd: () => undefined,
        onWritable: () => undefined,
        onClose: (code) => closed.push(code),
      };
    });
    const stream = fixture.client.request({ ':method': 'POST' });
    stream.on('error', () => undefined);
    await new Promise((resolve) => stream.on('response', resolve));
    stream.close(8);
    await until(() => closed.length === 1);
    expect(closed).toEqual([8]);
    expect(await ask(fixture.client, body(1, 10))).toMatchObject({ trailers: '0' });
  });

  test('pings, and is pinged', async () => {
    await using fixture = await open(echo);
    await until(() => fixture.connections[0]?.isOpen === true);
    await new Promise<void>((resolve) => fixture.client.ping(() => resolve()));
    await new Promise<void>((resolve) => fixture.connections[0]!.ping(resolve));
    expect(fixture.client.destroyed).toBe(false);
  });

  test('is told that the server goes; what it has asked is answered', async () => {
    await using fixture = await open(echo);
    const { client } = fixture;
    const stream = client.request({ ':method': 'POST' });
    await new Promise((resolve) => stream.on('response', resolve));
    const goaway = new Promise((resolve) => client.on('goaway', resolve));
    const closed = new Promise((resolve) => client.on('close', () => resolve('closed')));
    fixture.connections[0]!.close();
    expect(await goaway).toBe(0);
    const answer = new Promise((resolve) => stream.on('data', resolve));
    stream.end('late');
    expect(String(await answer)).toBe('late');
    expect(await closed).toBe('closed');
  });

  test('that speaks HTTP/1.1 is turned away', async () => {
    await using fixture = await open(echo);
    await new Promise((resolve) => fixture.client.once('remoteSettings', resolve));
    const port = fixture.client.socket?.remotePort;
    await expect(fetch(`http://127.0.0.1:${port}/`)).rejects.toThrow('fetch failed');
  });
});
