import { createServer as createHttp2Server, type ServerHttp2Stream } from 'node:http2';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { describe, expect, test } from 'vitest';
import { EtcdClient } from '../../src/client/etcd-client.ts';
import { frameMessage } from '../../src/wire/grpc-frame.ts';
import { openApi } from '../api/api-fixture.ts';
import { expectErr, expectOk } from './expect-result.ts';

/** What a client learns from servers that are gone, silent, broken or back again. */

interface RawServer extends AsyncDisposable {
  readonly port: number;
  readonly endpoint: string;
  readonly sockets: readonly Socket[];
}

/** A TCP server that does with each connection what `onSocket` says, by default not even read. */
async function openTcp(
  onSocket: (socket: Socket) => void = (socket) => socket.pause(),
  port = 0,
): Promise<RawServer> {
  const sockets: Socket[] = [];
  const server: Server = createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => undefined);
    onSocket(socket);
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const bound = (server.address() as AddressInfo).port;
  return {
    port: bound,
    endpoint: `http://127.0.0.1:${bound}`,
    sockets,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** An HTTP/2 server that answers each stream with `answer`, once its request has begun. */
function openHttp2(answer: (stream: ServerHttp2Stream) => void): Promise<RawServer> {
  const http2 = createHttp2Server();
  http2.on('stream', (stream: ServerHttp2Stream) => {
    stream.on('error', () => undefined);
    stream.once('data', () => answer(stream));
  });
  http2.on('sessionError', () => undefined);
  return openTcp((socket) => http2.emit('connection', socket));
}

/** Where a moment ago somebody listened. */
async function goneEndpoint(): Promise<string> {
  await using server = await openTcp();
  return server.endpoint;
}

const HEADERS = { ':status': 200, 'content-type': 'application/grpc' };
/** PutResponse without any field. */
const EMPTY_FRAME = frameMessage(new Uint8Array(0));
const PUT = { key: 'a', value: '1' };

describe('definite: nothing was sent', () => {
  test('connection refused, at once and not by the deadline', async () => {
    const client = new EtcdClient({ endpoint: await goneEndpoint() });
    const error = expectErr(await client.put(PUT, { timeoutMs: 20_000 }));
    expect(error).toMatchObject({ code: 14, definite: true });
    expect(error.message).toContain('ECONNREFUSED');
    client.close();
  });

  test('the pause between dials is longer than the request may wait', async () => {
    const client = new EtcdClient({ endpoint: await goneEndpoint() });
    for (let i = 0; i < 4; i++) expectErr(await client.put(PUT));
    const error = expectErr(await client.put(PUT, { timeoutMs: 5 }));
    expect(error).toMatchObject({ code: 4, definite: true });
    client.close();
  });

  test('refused streams', async () => {
    await using server = await openHttp2((stream) => stream.close(7));
    const client = new EtcdClient({ endpoint: server.endpoint });
    expect(expectErr(await client.put(PUT))).toMatchObject({ code: 14, definite: true });
    client.close();
  });

  test('more requests than allowed in flight, and any after closing', async () => {
    await using server = await openHttp2(() => undefined);
    const client = new EtcdClient({ endpoint: server.endpoint, requestsMax: 2 });
    const pending = [client.put(PUT), client.put(PUT)];
    expect(expectErr(await client.put(PUT))).toMatchObject({ code: 8, definite: true });
    client.close();
    await Promise.all(pending);
    expect(expectErr(await client.put(PUT))).toMatchObject({ code: 14, definite: true });
  });
});

describe('indefinite: it may have been done', () => {
  const pieces: [string, (stream: ServerHttp2Stream) => void][] = [
    ['the stream is reset', (stream) => stream.close(2)],
    ['the connection is cut', (stream) => stream.session?.destroy()],
    ['an HTTP error', (stream) => stream.respond({ ':status': 502 }, { endStream: true })],
    ['no status', (stream) => stream.respond(HEADERS, { endStream: true })],
    [
      'an answer without a message',
      (stream) => stream.respond({ ...HEADERS, 'grpc-status': '0' }, { endStream: true }),
    ],
    [
      'a message without a status',
      (stream) => {
        stream.respond(HEADERS);
        stream.end(EMPTY_FRAME);
      },
    ],
    [
      'a compressed message',
      (stream) => {
        stream.respond(HEADERS);
        stream.end(Uint8Array.of(1, 0, 0, 0, 0));
      },
    ],
    [
      'a malformed message',
      (stream) => {
        stream.respond(HEADERS, { waitForTrailers: true });
        stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
        stream.end(frameMessage(Uint8Array.of(0x0a, 9)));
      },
    ],
    [
      'an error nobody knows',
      (stream) => stream.respond({ ...HEADERS, 'grpc-status': '14' }, { endStream: true }),
    ],
  ];
  test.each(pieces)('%s', async (_, answer) => {
    await using server = await openHttp2(answer);
    const client = new EtcdClient({ endpoint: server.endpoint });
    expect(expectErr(await client.put(PUT))).toMatchObject({ definite: false });
    client.close();
  });

  test('the client is closed meanwhile', async () => {
    const received = Promise.withResolvers<void>();
    await using server = await openHttp2(() => received.resolve());
    const client = new EtcdClient({ endpoint: server.endpoint });
    const pending = client.put(PUT);
    await received.promise;
    client.close();
    expect(expectErr(await pending)).toMatchObject({ code: 14, definite: false });
  });
});

describe('a server that stops answering', () => {
  test('costs each request its own deadline, and the next one dials anew', async () => {
    await using server = await openTcp();
    const client = new EtcdClient({ endpoint: server.endpoint });
    for (let i = 0; i < 3; i++) {
      const error = expectErr(await client.put(PUT, { timeoutMs: 30 }));
      expect(error).toMatchObject({ code: 4, definite: false });
    }
    expect(server.sockets.length).toBe(3);
    client.close();
  });

  test('leaves no connection behind', async () => {
    await using server = await openTcp((socket) => {
      socket.resume();
    });
    const client = new EtcdClient({ endpoint: server.endpoint });
    expectErr(await client.put(PUT, { timeoutMs: 30 }));
    const [socket] = server.sockets;
    await new Promise((resolve) => {
      if (socket!.closed) resolve(undefined);
      else socket!.on('close', resolve);
    });
    client.close();
  });

  test('does not take along what it still answers on the same connection', async () => {
    await using fixture = await openApi();
    const release = Promise.withResolvers<undefined>();
    fixture.services.before = (name) =>
      name === 'put' ? new Promise(() => undefined) : release.promise;
    const client = new EtcdClient({ endpoint: fixture.endpoint });
    const slow = client.get('a', { timeoutMs: 20_000 });
    expectErr(await client.put(PUT, { timeoutMs: 30 }));
    fixture.services.before = async () => undefined;
    expectOk(await client.get('a'));
    release.resolve(undefined);
    expectOk(await slow);
    client.close();
  });
});

describe('a server that comes back', () => {
  test('is used again, after refused dials and after a lost connection', async () => {
    const first = await openApi();
    const client = new EtcdClient({ endpoint: first.endpoint });
    expectOk(await client.put(PUT));
    await first.api.close();
    for (let i = 0; i < 5; i++) expectErr(await client.put(PUT));
    await using second = await openHttp2Api(first.port);
    // One dial may have been under way, or a pause after it: the next request finds it.
    const results = [await client.get('a'), await client.get('a')];
    expect(results.map((result) => result.ok)).toContain(true);
    expect(second.port).toBe(first.port);
    client.close();
  });
});

/** A server on a given port whose every answer is empty and good. */
async function openHttp2Api(port: number): Promise<RawServer> {
  const http2 = createHttp2Server();
  http2.on('stream', (stream: ServerHttp2Stream) => {
    stream.resume();
    stream.respond(HEADERS, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
    stream.end(EMPTY_FRAME);
  });
  return openTcp((socket) => http2.emit('connection', socket), port);
}
