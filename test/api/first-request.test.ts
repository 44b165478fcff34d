import { connect } from 'node:http2';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { repairAuthority } from '../../src/api/authority-repair.ts';
import {
  ECHO,
  frameOf,
  type GrpcFixture,
  openCall,
  openGrpc,
  PlayedStream,
  until,
} from './grpc-fixture.ts';
import {
  FLAG,
  FRAME_TYPE,
  frame,
  frameTypes,
  grpcHeaders,
  PREFACE,
  type RawConnection,
  rawConnection,
} from './raw-http2.ts';

const SETTINGS = frame(FRAME_TYPE.settings, 0, 0);
const ACK = frame(FRAME_TYPE.settings, FLAG.ack, 0);
const GOAWAY = frame(FRAME_TYPE.goaway, 0, 0, new Uint8Array(8));

let method: PlayedStream;
let grpc: GrpcFixture;

beforeEach(async () => {
  method = new PlayedStream();
  grpc = await openGrpc([method], { limits: { sniffTimeoutMs: 300 } });
});

afterEach(() => grpc[Symbol.asyncDispose]());

describe('an authority that is a URL', () => {
  test.each([
    'http://127.0.0.1:2379',
    'https://etcd-0.etcd.default.svc.cluster.local:2379',
    'unix://the/quick_brown=fox%20jumps/over;the,lazy*dog&',
    'http://ABCDEFGHIJKLMNOPQRSTUVWXYZ.0123456789',
    'http://abcdefghijklmnopqrstuvwxyz',
  ])('%s', async (authority) => {
    const other = connect(`http://127.0.0.1:${grpc.port}`);
    // The second and third refer to what the first put into the table.
    for (let n = 1; n <= 3; n++) {
      const call = openCall(other, ECHO, { headers: { ':authority': authority } });
      expect((await call.headers)[':status']).toBe(200);
      call.stream.write(frameOf('x'));
      await until(() => method.events.length === n);
    }
    other.destroy();
  });

  test('keeps its length, and all that stands around it', () => {
    const plain = (name: number, value: string): Buffer =>
      Buffer.concat([Buffer.of(0x40 | name, value.length), Buffer.from(value)]);
    const named = Buffer.concat([
      Buffer.of(0, 1),
      Buffer.from('a'),
      Buffer.of(1),
      Buffer.from('/'),
    ]);
    const around = [Buffer.of(0x83, 0x3f, 0x01), plain(4, '/a/b'), named];
    const block = Buffer.concat([...around, plain(1, 'http://h:1'), Buffer.of(0x86)]);
    expect(Buffer.from(repairAuthority(block)!)).toEqual(
      Buffer.concat([...around, plain(1, 'http:--h:1'), Buffer.of(0x86)]),
    );
  });

  test('what needs no repair, or is no header block, stays as it is', () => {
    const authority = (value: string): Buffer =>
      Buffer.concat([Buffer.of(0x41, value.length), Buffer.from(value)]);
    const endless = Uint8Array.of(0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff);
    const cut = authority('http://h').subarray(0, 5);
    // Ten ones begin a code that no character of a URL has.
    const huffman = Uint8Array.of(0x41, 0x82, 0xff, 0xc0);
    for (const block of [authority('h:1'), new Uint8Array(0), endless, cut, huffman]) {
      expect(repairAuthority(block)).toBeUndefined();
    }
  });
});

describe('before the first request', () => {
  async function sendAll(...parts: readonly Uint8Array[]): Promise<RawConnection> {
    const raw = await rawConnection(grpc.port);
    raw.socket.write(Buffer.concat(parts));
    return raw;
  }
  const data = frame(FRAME_TYPE.data, 0, 1, frameOf('a'));

  test('a client that waits for settings gets some, and acknowledges them', async () => {
    using raw = await sendAll(PREFACE, SETTINGS);
    await until(() => frameTypes(raw.received).length === 1);
    expect(frameTypes(raw.received)).toEqual([FRAME_TYPE.settings]);
    raw.socket.write(Buffer.concat([ACK, grpcHeaders(1, ECHO), data]));
    await until(() => method.events.length === 1);
    // Those of who took over, which the client acknowledges, too; and its own ones are.
    raw.socket.write(Buffer.concat([ACK, frame(FRAME_TYPE.data, 0, 1, frameOf('b'))]));
    await until(() => method.events.length === 2);
    expect(method.events).toEqual(['a', 'b']);
    expect(frameTypes(raw.received)).not.toContain(FRAME_TYPE.goaway);
  });

  test('the acknowledgement may come behind the request, and all byte by byte', async () => {
    using raw = await sendAll(PREFACE, SETTINGS);
    await until(() => frameTypes(raw.received).length === 1);
    for (const byte of Buffer.concat([grpcHeaders(1, ECHO), data, ACK])) {
      raw.socket.write(Uint8Array.of(byte));
      await new Promise((resolve) => setImmediate(resolve));
    }
    await until(() => method.events.length === 1);
    raw.socket.write(ACK);
    raw.socket.write(frame(FRAME_TYPE.data, 0, 1, frameOf('b')));
    await until(() => method.events.length === 2);
    expect(frameTypes(raw.received)).not.toContain(FRAME_TYPE.goaway);
  });

  test('a client that asks nothing is served on when its time is up', async () => {
    using raw = await sendAll(PREFACE, SETTINGS);
    await until(() => frameTypes(raw.received).length === 1);
    raw.socket.write(ACK);
    // Settings once more, and the acknowledgement of the client's.
    await until(() => frameTypes(raw.received).filter((type) => type === 4).length === 3);
    raw.socket.write(Buffer.concat([ACK, grpcHeaders(1, ECHO), data]));
    await until(() => method.events.length === 1);
  });

  test('one that does not even acknowledge is cut', async () => {
    using raw = await sendAll(PREFACE, SETTINGS);
    await raw.closed;
    using flood = await sendAll(PREFACE, SETTINGS);
    await until(() => frameTypes(flood.received).length === 1);
    const long = frame(FRAME_TYPE.data, 0, 1, new Uint8Array(16_000));
    for (let n = 0; n < 20; n++) flood.socket.write(long);
    await flood.closed;
    expect(method.events).toEqual([]);
  });

  test('one that leaves is let go; closing the server cuts the others', async () => {
    using leaving = await sendAll(PREFACE, SETTINGS);
    await until(() => frameTypes(leaving.received).length === 1);
    leaving.socket.write(GOAWAY);
    await leaving.closed;
    using silent = await sendAll(PREFACE, SETTINGS);
    await until(() => frameTypes(silent.received).length === 1);
    await grpc.server.close();
    await silent.closed;
  });
});
