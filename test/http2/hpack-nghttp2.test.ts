/** Both directions against the HPACK of a real client: nghttp2, which is inside node:http2. */
import { once } from 'node:events';
import {
  type ClientHttp2Session,
  connect,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
  sensitiveHeaders,
} from 'node:http2';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import type { HeaderField } from '../../src/http2/header-field.ts';
import { HpackDecoder } from '../../src/http2/hpack-decoder.ts';
import { encodeHeaders } from '../../src/http2/hpack-encoder.ts';
import { assert } from '../../src/lib/assert.ts';
import { tableOf } from './hpack-blocks.ts';

const PREFACE_BYTES = 24;
const FRAME_HEAD_BYTES = 9;
const HEADERS = 1;
const SETTINGS = 4;
const CONTINUATION = 9;
const ACK = 0x1;
const END_STREAM = 0x1;
const END_HEADERS = 0x4;
const PRIORITY = 0x20;
const HEADER_TABLE_SIZE = 1;

function frame(type: number, flags: number, stream: number, payload: Uint8Array): Buffer {
  const head = Buffer.alloc(FRAME_HEAD_BYTES);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

/** Just enough of a server: keeps the fields of each request and gives each the same answer. */
class HeadersServer {
  readonly decoder: HpackDecoder;
  readonly requests: (readonly HeaderField[])[] = [];
  readonly #server: Server;
  readonly #tableBytesMax: number;
  readonly #answer: Buffer | Uint8Array;
  #session: ClientHttp2Session | undefined;

  constructor(tableBytesMax: number, answer: readonly HeaderField[]) {
    this.#tableBytesMax = tableBytesMax;
    this.decoder = new HpackDecoder({ tableBytesMax, listBytesMax: 1 << 20 });
    this.#answer = encodeHeaders(answer);
    this.#server = createServer((socket) => this.#serve(socket));
  }

  async session(): Promise<ClientHttp2Session> {
    await once(this.#server.listen(0, '127.0.0.1'), 'listening');
    const { port } = this.#server.address() as AddressInfo;
    const session = connect(`http://127.0.0.1:${port}`);
    this.#session = session;
    // Before it has seen the settings, the client's table has 4096 bytes.
    await once(session, 'remoteSettings');
    return session;
  }

  close(): void {
    this.#session?.destroy();
    this.#server.close();
  }

  #serve(socket: Socket): void {
    const setting = Buffer.alloc(6);
    setting.writeUInt16BE(HEADER_TABLE_SIZE, 0);
    setting.writeUInt32BE(this.#tableBytesMax, 2);
    socket.write(frame(SETTINGS, 0, 0, setting));
    let received = Buffer.alloc(0);
    let skipBytes = PREFACE_BYTES;
    let block = Buffer.alloc(0);
    socket.on('error', () => undefined);
    socket.on('data', (bytes) => {
      received = Buffer.concat([received, bytes as Buffer]);
      while (received.length >= skipBytes + FRAME_HEAD_BYTES) {
        const head = received.subarray(skipBytes);
        const end = FRAME_HEAD_BYTES + head.readUIntBE(0, 3);
        if (head.length < end) return;
        received = head.subarray(end);
        skipBytes = 0;
        const [type, flags] = [head[3]!, head[4]!];
        if (type === SETTINGS && !(flags & ACK)) {
          socket.write(frame(SETTINGS, ACK, 0, Buffer.alloc(0)));
        }
        if (type !== HEADERS && type !== CONTINUATION) continue;
        const start = FRAME_HEAD_BYTES + (type === HEADERS && flags & PRIORITY ? 5 : 0);
        block = Buffer.concat([block, head.subarray(start, end)]);
        if (!(flags & END_HEADERS)) continue;
        this.#keep(block);
        block = Buffer.alloc(0);
        const stream = head.readUInt32BE(5);
        socket.write(frame(HEADERS, END_HEADERS | END_STREAM, stream, this.#answer));
      }
    });
  }

  #keep(block: Uint8Array): void {
    const decoded = this.decoder.decode(block);
    assert(decoded.ok, 'nghttp2 writes valid blocks');
    this.requests.push(decoded.value);
  }
}

async function answerTo(
  session: ClientHttp2Session,
  headers: OutgoingHttpHeaders,
): Promise<IncomingHttpHeaders> {
  const stream = session.request(headers, { endStream: true });
  const [answer] = (await once(stream, 'response')) as [IncomingHttpHeaders];
  stream.resume();
  await once(stream, 'close');
  return answer;
}

let server: HeadersServer | undefined;
afterEach(() => server?.close());

/** Like gRPC's, but with values that differ, some too long for the table, some not to index. */
function headersOf(request: number): Record<string, string> {
  return {
    ':method': 'POST',
    ':path': `/etcdserverpb.KV/${request % 3 === 0 ? 'Put' : 'Range'}`,
    'content-type': 'application/grpc',
    te: 'trailers',
    'user-agent': 'grpc-node-js/1.9',
    'grpc-timeout': `${request * 7}m`,
    token: `secret ${request}`,
    [`x-${request % 11}`]: '\xe9 {}~^'.repeat(request % 20),
    'x-long': `${request % 4}`.repeat(request % 17 === 5 ? 5_000 : 200),
  };
}

test.each([4_096, 256, 0])('requests of a client whose table has %i bytes', async (tableBytes) => {
  server = new HeadersServer(tableBytes, [[':status', '200']]);
  const session = await server.session();
  for (let request = 0; request < 80; request++) {
    const headers = headersOf(request);
    await answerTo(session, { ...headers, [sensitiveHeaders]: ['token'] });
    const received = Object.fromEntries(server.requests.at(-1)!);
    expect(received).toMatchObject(headers);
    expect(received[':scheme']).toBe('http');
  }
  expect(server.requests).toHaveLength(80);
  const table = tableOf(server.decoder);
  expect(table.some(([name]) => name === 'token')).toBe(false);
  expect(table.length > 0).toBe(tableBytes > 0);
});

test('a client understands what the encoder writes', async () => {
  server = new HeadersServer(4_096, [
    [':status', '200'],
    ['content-type', 'application/grpc'],
    ['grpc-status', '5'],
    ['grpc-message', `lease not found: ${'%E9'.repeat(100)}`],
    ['server', ''],
    ['x-latin', '\xe9'],
  ]);
  const session = await server.session();
  for (let request = 0; request < 3; request++) {
    expect(await answerTo(session, headersOf(request))).toMatchObject({
      ':status': 200,
      'content-type': 'application/grpc',
      'grpc-status': '5',
      'grpc-message': `lease not found: ${'%E9'.repeat(100)}`,
      server: '',
      'x-latin': '\xe9',
    });
  }
});
