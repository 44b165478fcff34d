import { connect } from 'node:http2';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
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

let method: PlayedStream;
let grpc: GrpcFixture;

beforeEach(async () => {
  method = new PlayedStream();
  grpc = await openGrpc([method], { limits: { sniffTimeoutMs: 300 } });
});

afterEach(() => grpc[Symbol.asyncDispose]());

/** As etcdctl 3.4 sends the endpoint that it was given. */
describe('an authority that is a URL', () => {
  test.each([
    'http://127.0.0.1:2379',
    'https://etcd-0.etcd.default.svc.cluster.local:2379',
    'unix://the/quick_brown=fox%20jumps/over;the,lazy*dog&',
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
});

describe('the first request', () => {
  async function sendAll(...parts: readonly Uint8Array[]): Promise<RawConnection> {
    const raw = await rawConnection(grpc.port);
    raw.socket.write(Buffer.concat(parts));
    return raw;
  }
  const data = frame(FRAME_TYPE.data, 0, 1, frameOf('a'));

  test('comes at once', async () => {
    using raw = await sendAll(PREFACE, SETTINGS, grpcHeaders(1, ECHO), data);
    await until(() => method.events.length === 1);
    raw.socket.write(ACK);
    await until(() => frameTypes(raw.received).includes(FRAME_TYPE.headers));
    expect(frameTypes(raw.received)).not.toContain(FRAME_TYPE.goaway);
  });

  test('comes when the client has seen the settings and acknowledged them', async () => {
    using raw = await sendAll(PREFACE, SETTINGS);
    // Those of the server, what it allows beyond the usual window, and the acknowledgement.
    await until(() => frameTypes(raw.received).length === 3);
    const { settings, windowUpdate } = FRAME_TYPE;
    expect(frameTypes(raw.received)).toEqual([settings, windowUpdate, settings]);
    raw.socket.write(Buffer.concat([ACK, grpcHeaders(1, ECHO), data]));
    await until(() => method.events.length === 1);
    expect(frameTypes(raw.received)).not.toContain(FRAME_TYPE.goaway);
  });

  test('may come byte by byte, in front of the acknowledgement', async () => {
    using raw = await sendAll(PREFACE, SETTINGS);
    await until(() => frameTypes(raw.received).length === 3);
    for (const byte of Buffer.concat([grpcHeaders(1, ECHO), data, ACK])) {
      raw.socket.write(Uint8Array.of(byte));
      await new Promise((resolve) => setImmediate(resolve));
    }
    raw.socket.write(frame(FRAME_TYPE.data, 0, 1, frameOf('b')));
    await until(() => method.events.length === 2);
    expect(method.events).toEqual(['a', 'b']);
    expect(frameTypes(raw.received)).not.toContain(FRAME_TYPE.goaway);
  });

  test('may come late; who does not even send settings is cut', async () => {
    using silent = await sendAll(PREFACE);
    using late = await sendAll(PREFACE, SETTINGS);
    await silent.closed;
    late.socket.write(Buffer.concat([ACK, grpcHeaders(1, ECHO), data]));
    await until(() => method.events.length === 1);
  });

  test('closing the server tells clients that ask nothing, and hangs up', async () => {
    using silent = await sendAll(PREFACE, SETTINGS);
    await until(() => frameTypes(silent.received).length === 3);
    await grpc.server.close();
    await silent.closed;
    expect(frameTypes(silent.received).at(-1)).toBe(FRAME_TYPE.goaway);
  });
});
