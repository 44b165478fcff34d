import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { GrpcCode } from '../../src/wire/grpc-code.ts';
import { smallRandom } from '../support/small-random.ts';
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
  headerBlock,
  PREFACE,
  type RawConnection,
  rawConnection,
} from './raw-http2.ts';

/** Whatever one connection sends, it harms that connection only. */

const SETTINGS = frame(FRAME_TYPE.settings, 0, 0);

let method: PlayedStream;
let grpc: GrpcFixture;

beforeEach(async () => {
  method = new PlayedStream();
  method.onReceive = (text, sink) => {
    sink.send(frameOf(text));
    return undefined;
  };
  grpc = await openGrpc([method]);
});

afterEach(async () => {
  // A call on the connection that was there before still works.
  const call = openCall(grpc.client, ECHO);
  call.stream.write(frameOf('alive'));
  await until(() => call.messages.length === 1);
  expect(call.messages).toEqual(['alive']);
  expect(grpc.bugs).toEqual([]);
  await grpc[Symbol.asyncDispose]();
});

async function sendAll(...parts: readonly Uint8Array[]): Promise<RawConnection> {
  const raw = await rawConnection(grpc.port);
  raw.socket.write(Buffer.concat(parts));
  return raw;
}

describe('bytes that are no HTTP/2 close the connection', () => {
  test.each([
    ['a frame longer than allowed', frame(FRAME_TYPE.data, 0, 1, new Uint8Array(20_000))],
    ['data without a request', frame(FRAME_TYPE.data, 0, 1, Uint8Array.of(1))],
    ['settings of the wrong size', frame(FRAME_TYPE.settings, 0, 0, Uint8Array.of(1, 2, 3))],
    ['a request on an even stream', grpcHeaders(2, ECHO)],
    [
      'a header block that ends early',
      frame(FRAME_TYPE.headers, FLAG.endHeaders, 1, Uint8Array.of(0, 20, 97)),
    ],
    ['a continuation of nothing', frame(FRAME_TYPE.continuation, FLAG.endHeaders, 1)],
    [
      'a window beyond its limit',
      frame(FRAME_TYPE.windowUpdate, 0, 0, Uint8Array.of(0x7f, 0xff, 0xff, 0xff)),
    ],
    ['a first frame that is no settings', Buffer.alloc(0), frame(FRAME_TYPE.ping, 0, 0)],
  ])('%s', async (_, bytes, first: Uint8Array = SETTINGS) => {
    using raw = await sendAll(PREFACE, first, bytes);
    await raw.closed;
    expect(frameTypes(raw.received)).toContain(FRAME_TYPE.goaway);
    expect(method.events).toEqual([]);
  });

  test('noise, at every place', async () => {
    const random = smallRandom(20_260_101);
    const noise = (): Uint8Array => Uint8Array.from({ length: 300 }, () => random.below(256));
    const places = [
      [],
      [PREFACE],
      [PREFACE, SETTINGS],
      [PREFACE, SETTINGS, grpcHeaders(1, ECHO)],
      [PREFACE, SETTINGS, grpcHeaders(1, ECHO), frame(FRAME_TYPE.data, 0, 1, frameOf('a'))],
    ];
    for (const place of places) {
      for (let round = 0; round < 10; round++) {
        using raw = await sendAll(...place, noise());
        // Noise may look like the head of a long frame, which would be waited for.
        raw.socket.end();
        await raw.closed;
      }
    }
    await until(() => method.events.filter((event) => event === 'closed').length === 20);
  });
});

test('a reset is a cancel, and the service is told of no end of requests', async () => {
  const cancel = frame(FRAME_TYPE.rstStream, 0, 1, Uint8Array.of(0, 0, 0, 8));
  const data = frame(FRAME_TYPE.data, 0, 1, frameOf('a'));
  using raw = await sendAll(PREFACE, SETTINGS, grpcHeaders(1, ECHO), data);
  await until(() => method.events.length === 1);
  raw.socket.write(cancel);
  await until(() => method.events.includes('closed'));
  expect(method.events).toEqual(['a', 'closed']);
  expect(grpc.seen.handledCalls).toMatchObject([{ code: GrpcCode.cancelled }]);
  // The connection lives on.
  raw.socket.write(
    Buffer.concat([grpcHeaders(3, ECHO), frame(FRAME_TYPE.data, 0, 3, frameOf('b'))]),
  );
  await until(() => method.events.length === 3);
});

test('a connection that ends in the middle of anything closes its calls', async () => {
  const data = frame(FRAME_TYPE.data, 0, 1, frameOf('cut'));
  for (const cutBytes of [1, 5, 9, 12]) {
    using raw = await sendAll(
      PREFACE,
      SETTINGS,
      grpcHeaders(1, ECHO),
      data.subarray(0, data.length - cutBytes),
    );
    const opened = method.sinks.length;
    await until(() => method.sinks.length > opened || grpc.seen.startedCalls.length > opened);
    raw.socket.destroy();
  }
  await until(() => method.events.filter((event) => event === 'closed').length === 4);
  expect(method.events.filter((event) => event !== 'closed')).toEqual([]);
});

test('headers beyond the limit cost their request only', async () => {
  const many = Object.fromEntries(
    Array.from({ length: 400 }, (_, i) => [`x-${i}`, 'v'.repeat(100)]),
  );
  const block = headerBlock(many);
  const half = Math.ceil(block.length / 4);
  const pieces = [0, 1, 2, 3].map((i) => block.subarray(i * half, (i + 1) * half));
  using raw = await sendAll(
    PREFACE,
    SETTINGS,
    frame(FRAME_TYPE.headers, 0, 1, pieces[0]),
    frame(FRAME_TYPE.continuation, 0, 1, pieces[1]),
    frame(FRAME_TYPE.continuation, 0, 1, pieces[2]),
    frame(FRAME_TYPE.continuation, FLAG.endHeaders, 1, pieces[3]),
  );
  await until(() => {
    const types = frameTypes(raw.received);
    return types.includes(FRAME_TYPE.rstStream) || types.includes(FRAME_TYPE.goaway);
  });
  expect(method.events).toEqual([]);
});

test('thousands of requests that are reset at once', async () => {
  using raw = await sendAll(PREFACE, SETTINGS);
  const cancel = Uint8Array.of(0, 0, 0, 8);
  for (let id = 1; id < 6000; id += 2) {
    raw.socket.write(
      Buffer.concat([grpcHeaders(id, ECHO), frame(FRAME_TYPE.rstStream, 0, id, cancel)]),
    );
  }
  raw.socket.write(
    Buffer.concat([grpcHeaders(7001, ECHO), frame(FRAME_TYPE.data, 0, 7001, frameOf('last'))]),
  );
  await until(() => method.events.includes('last'));
  // What was opened was closed.
  expect(method.events.filter((event) => event === 'closed').length).toBe(method.sinks.length - 1);
});

test('requests that are reset without an error at once, of every kind', async () => {
  const noError = Uint8Array.of(0, 0, 0, 0);
  using raw = await sendAll(PREFACE, SETTINGS);
  for (const [at, path] of [ECHO, '/no.Service/Method', '/'].entries()) {
    const [id, other] = [4 * at + 1, 4 * at + 3];
    const page = headerBlock({ ':method': 'GET', ':scheme': 'http', ':path': path });
    raw.socket.write(
      Buffer.concat([
        grpcHeaders(id, path),
        frame(FRAME_TYPE.rstStream, 0, id, noError),
        frame(FRAME_TYPE.headers, FLAG.endHeaders, other, page),
        frame(FRAME_TYPE.rstStream, 0, other, noError),
      ]),
    );
  }
  const data = frame(FRAME_TYPE.data, 0, 21, frameOf('last'));
  raw.socket.write(Buffer.concat([grpcHeaders(21, ECHO), data]));
  await until(() => method.events.includes('last'));
  await until(() => method.events.filter((event) => event === 'closed').length === 1);
});
