import { connect, constants, type OutgoingHttpHeaders } from 'node:http2';
import { describe, expect, test } from 'vitest';
import type { HttpHandler } from '../../src/api/grpc-server.ts';
import type { UnaryMethod } from '../../src/api/rpc.ts';
import type { ConnectionPeer } from '../../src/api/rpc-caller.ts';
import { encodeHeaders } from '../../src/http2/hpack-encoder.ts';
import { ok } from '../../src/lib/result.ts';
import { GrpcCode } from '../../src/wire/grpc-code.ts';
import {
  ECHO,
  frameOf,
  type OpenCall,
  openCall,
  openGrpc,
  PlayedStream,
  until,
} from './grpc-fixture.ts';

function send(call: OpenCall, ...texts: string[]): void {
  call.stream.write(Buffer.concat(texts.map(frameOf)));
}

/** More than windows and buffers between the two ends can hold. */
const BIG = 'x'.repeat(300_000);

describe('a streaming call', () => {
  test('answers come as they are sent, headers before the first', async () => {
    const method = new PlayedStream();
    method.onReceive = (text, sink) => {
      sink.send(frameOf(`${text}!`));
      return undefined;
    };
    await using grpc = await openGrpc([method]);
    const call = openCall(grpc.client, ECHO);
    expect(await call.headers).toMatchObject({
      ':status': 200,
      'content-type': 'application/grpc',
    });
    expect(method.events).toEqual([]);
    send(call, 'a');
    await until(() => call.messages.length === 1);
    send(call, 'b', 'c');
    await until(() => call.messages.length === 3);
    expect(call.messages).toEqual(['a!', 'b!', 'c!']);
    method.sinks[0]!.end();
    expect(await call.status()).toEqual({ code: 0, message: '' });
    await until(() => method.events.includes('closed'));
    expect(method.events).toEqual(['a', 'b', 'c', 'closed']);
  });

  test('messages are put together from any chunks', async () => {
    const method = new PlayedStream();
    await using grpc = await openGrpc([method]);
    const call = openCall(grpc.client, ECHO);
    const bytes = Buffer.concat(['one', '', BIG, 'two'].map(frameOf));
    for (let at = 0; at < bytes.length; ) {
      const size = at < 20 ? 3 : 50_000;
      call.stream.write(bytes.subarray(at, at + size));
      await new Promise((resolve) => setImmediate(resolve));
      at += size;
    }
    await until(() => method.events.length === 4);
    expect(method.events).toEqual(['one', '', '300000 characters', 'two']);
  });

  test('ends with a status behind what was sent', async () => {
    const method = new PlayedStream();
    method.onReceive = (_, sink) => {
      sink.send(frameOf('last'));
      sink.end({ code: GrpcCode.outOfRange, message: 'größer' });
      sink.send(frameOf('too late'));
      sink.end();
      return undefined;
    };
    await using grpc = await openGrpc([method]);
    const call = openCall(grpc.client, ECHO);
    send(call, 'a', 'b');
    expect(await call.status()).toEqual({ code: GrpcCode.outOfRange, message: 'größer' });
    await call.closed;
    expect(call.messages).toEqual(['last']);
    expect(method.events).toEqual(['a', 'closed']);
    expect(grpc.seen.handledCalls).toMatchObject([{ code: GrpcCode.outOfRange }]);
  });

  test('may be refused when it opens', async () => {
    const method = new PlayedStream();
    method.onOpen = (sink) => sink.end({ code: GrpcCode.unavailable, message: 'no leader' });
    await using grpc = await openGrpc([method]);
    const call = openCall(grpc.client, ECHO);
    expect(await call.status()).toEqual({ code: GrpcCode.unavailable, message: 'no leader' });
    await call.closed;
    expect(method.events).toEqual(['closed']);
  });

  test('the end of the requests comes behind the last of them, once', async () => {
    const method = new PlayedStream();
    method.onHalfClosed = (sink) => {
      sink.send(frameOf('bye'));
      sink.end();
    };
    await using grpc = await openGrpc([method]);
    const call = openCall(grpc.client, ECHO);
    call.stream.end(Buffer.concat([frameOf('a'), frameOf('b')]));
    expect((await call.status()).code).toBe(0);
    expect(call.messages).toEqual(['bye']);
    expect(method.events).toEqual(['a', 'b', 'halfClosed', 'closed']);
  });

  test('nothing comes of what is sent after the client has left', async () => {
    const method = new PlayedStream();
    await using grpc = await openGrpc([method]);
    const call = openCall(grpc.client, ECHO);
    send(call, 'a');
    await until(() => method.events.length === 1);
    call.stream.close(constants.NGHTTP2_CANCEL);
    await until(() => method.events.includes('closed'));
    const before = [...method.events];
    const sink = method.sinks[0]!;
    sink.send(frameOf('into the void'));
    sink.end();
    expect(method.events).toEqual(before);
    expect(grpc.seen.handledCalls).toMatchObject([
      { method: ECHO, type: 'bidi_stream', code: GrpcCode.cancelled, sentBytes: 0 },
    ]);
  });

  test('a lost connection closes its calls', async () => {
    const method = new PlayedStream();
    await using grpc = await openGrpc([method]);
    const other = connect(`http://127.0.0.1:${grpc.port}`);
    const calls = [openCall(other, ECHO), openCall(other, ECHO), openCall(grpc.client, ECHO)];
    await Promise.all(calls.map((call) => call.headers));
    other.destroy();
    await until(() => method.events.length === 2);
    expect(method.events).toEqual(['closed', 'closed']);
    send(calls[2]!, 'still here');
    await until(() => method.events.length === 3);
  });

  test('the deadline ends it', async () => {
    const method = new PlayedStream();
    await using grpc = await openGrpc([method]);
    const call = openCall(grpc.client, ECHO, { headers: { 'grpc-timeout': '50m' } });
    expect(await call.status()).toEqual({
      code: GrpcCode.deadlineExceeded,
      message: 'context deadline exceeded',
    });
    await until(() => method.events.length === 1);
    expect(method.events).toEqual(['closed']);
  });

  test('bugs in a method cost one call and a line in the log', async () => {
    const method = new PlayedStream();
    await using grpc = await openGrpc([method]);
    const internal = { code: GrpcCode.internal, message: 'internal error' };
    method.onOpen = () => {
      throw new Error('bug in open');
    };
    expect(await openCall(grpc.client, ECHO).status()).toEqual(internal);
    method.onOpen = () => undefined;
    method.onReceive = (text) => {
      if (text === 'throw') throw new Error('bug in receive');
      return Promise.reject(new Error('bug in a promise'));
    };
    for (const text of ['throw', 'reject']) {
      const call = openCall(grpc.client, ECHO);
      send(call, text);
      expect(await call.status()).toEqual(internal);
    }
    method.onHalfClosed = () => {
      throw new Error('bug at the end of requests');
    };
    const ended = openCall(grpc.client, ECHO);
    ended.stream.end();
    expect(await ended.status()).toEqual(internal);
    method.onClosed = () => {
      throw new Error('bug in closed');
    };
    const call = openCall(grpc.client, ECHO);
    await call.headers;
    method.sinks.at(-1)!.end();
    expect((await call.status()).code).toBe(0);
    expect(grpc.bugs.map((stack) => /bug (in|at) [a-z ]+/.exec(stack)?.[0])).toEqual([
      'bug in open',
      'bug in receive',
      'bug in a promise',
      'bug at the end of requests',
      'bug in closed',
    ]);
  });
});

describe('flow', () => {
  test('a client that does not read makes the sink unwritable until it does', async () => {
    const method = new PlayedStream();
    await using grpc = await openGrpc([method]);
    const call = openCall(grpc.client, ECHO, { isReading: false });
    await call.headers;
    const sink = method.sinks[0]!;
    let writableAgain = 0;
    sink.onWritable(() => {
      writableAgain += 1;
    });
    let sent = 0;
    while (sink.writable || sent < 20) {
      sink.send(frameOf(`${sent}:${BIG}`));
      sent += 1;
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(writableAgain).toBe(0);
    let receivedBytes = 0;
    call.stream.on('data', (chunk: Buffer) => {
      receivedBytes += chunk.length;
    });
    await until(() => writableAgain === 1);
    expect(sink.writable).toBe(true);
    sink.end();
    expect((await call.status()).code).toBe(0);
    expect(receivedBytes).toBe(grpc.seen.sentBytes + 5 * sent);
  });

  test('requests wait while the client does not take the answers', async () => {
    const method = new PlayedStream();
    method.onReceive = (_, sink) => {
      sink.send(frameOf(BIG));
      return undefined;
    };
    await using grpc = await openGrpc([method]);
    const call = openCall(grpc.client, ECHO, { isReading: false });
    for (let i = 0; i < 1000; i++) send(call, `${i}`);
    await until(() => method.sinks[0]?.writable === false);
    await new Promise((resolve) => setTimeout(resolve, 50));
    const before = method.events.length;
    expect(before).toBeLessThan(100);
    call.stream.resume();
    await until(() => method.events.length > before);
    // A reset overtakes what was never read.
    call.stream.pause();
    await until(() => method.sinks[0]?.writable === false);
    call.stream.close(constants.NGHTTP2_CANCEL);
    await until(() => method.events.includes('closed'));
    expect(grpc.seen.handledCalls).toMatchObject([{ code: GrpcCode.cancelled }]);
  });

  test('the next request waits for the promise of the one before', async () => {
    const method = new PlayedStream();
    const releases: (() => void)[] = [];
    method.onReceive = () => new Promise((resolve) => releases.push(resolve));
    method.onHalfClosed = (sink) => sink.end();
    await using grpc = await openGrpc([method]);
    const call = openCall(grpc.client, ECHO);
    call.stream.end(Buffer.concat([frameOf('a'), frameOf('b')]));
    await until(() => releases.length === 1);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(method.events).toEqual(['a']);
    releases[0]!();
    await until(() => releases.length === 2);
    expect(method.events).toEqual(['a', 'b']);
    releases[1]!();
    expect((await call.status()).code).toBe(0);
    expect(method.events).toEqual(['a', 'b', 'halfClosed', 'closed']);
  });

  test('what a connection does not take is bounded; other connections live on', async () => {
    const method = new PlayedStream();
    await using grpc = await openGrpc([method], { limits: { unsentBytesMax: 2_000_000 } });
    const other = connect(`http://127.0.0.1:${grpc.port}`);
    const stuck = openCall(other, ECHO, { isReading: false });
    await stuck.headers;
    const fine = openCall(grpc.client, ECHO);
    await fine.headers;
    const sink = method.sinks[0]!;
    while (grpc.seen.handledCalls.length === 0) {
      sink.send(frameOf(BIG));
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(grpc.seen.handledCalls).toMatchObject([{ code: GrpcCode.resourceExhausted }]);
    expect(method.events).toEqual(['closed']);
    stuck.stream.resume();
    await stuck.closed;
    expect(stuck.stream.rstCode).toBe(constants.NGHTTP2_ENHANCE_YOUR_CALM);
    method.sinks[1]!.send(frameOf('fine'));
    await until(() => fine.messages.length === 1);
    // The room is free again.
    const next = openCall(other, ECHO);
    await next.headers;
    method.sinks[2]!.send(frameOf('again'));
    await until(() => next.messages.length === 1);
    other.destroy();
  });
});

describe('bad input ends the call with a status', () => {
  test.each([
    ['oversized', Uint8Array.of(0, 0, 0, 1, 1), GrpcCode.resourceExhausted],
    ['oversized beyond 31 bits', Uint8Array.of(0, 0xff, 0, 0, 0), GrpcCode.resourceExhausted],
    ['compressed', Uint8Array.of(1, 0, 0, 0, 1, 0), GrpcCode.unimplemented],
    ['of unknown flags', Uint8Array.of(0x80, 0, 0, 0, 1, 0), GrpcCode.unimplemented],
  ])('%s', async (_, bytes, code) => {
    const method = new PlayedStream();
    await using grpc = await openGrpc([method], { limits: { receiveBytesMax: 256 } });
    const [bad, good] = [openCall(grpc.client, ECHO), openCall(grpc.client, ECHO)];
    bad.stream.write(Buffer.concat([frameOf('a'), bytes]));
    expect((await bad.status()).code).toBe(code);
    await bad.closed;
    expect(method.events).toEqual(['a', 'closed']);
    send(good, 'z'.repeat(256).slice(0, 30));
    await until(() => method.events.length === 3);
  });

  test('a message that ends early', async () => {
    const method = new PlayedStream();
    await using grpc = await openGrpc([method]);
    const call = openCall(grpc.client, ECHO);
    call.stream.end(frameOf('cut short').subarray(0, 9));
    expect(await call.status()).toEqual({
      code: GrpcCode.internal,
      message: 'grpc: the request ends within a message',
    });
    expect(method.events).toEqual(['closed']);
  });
});

test('closing the server ends streams so that clients go elsewhere', async () => {
  const method = new PlayedStream();
  await using grpc = await openGrpc([method]);
  const call = openCall(grpc.client, ECHO);
  await call.headers;
  const closed = grpc.server.close();
  expect(await call.status()).toEqual({
    code: GrpcCode.unavailable,
    message: 'etcdserver: server stopped',
  });
  await closed;
  expect(method.events).toEqual(['closed']);
});

test('the observer is told of bytes as they pass, and of the call when it ends', async () => {
  const method = new PlayedStream();
  method.onReceive = (text, sink) => {
    sink.send(frameOf(text + text));
    return undefined;
  };
  await using grpc = await openGrpc([method]);
  const call = openCall(grpc.client, ECHO, { headers: { 'client-api-version': '3.6' } });
  send(call, 'abc');
  await until(() => call.messages.length === 1);
  expect(grpc.seen).toMatchObject({
    startedCalls: [{ method: ECHO, type: 'bidi_stream', clientApiVersion: '3.6' }],
    handledCalls: [],
    sentBytes: 6,
    receivedBytes: 3,
  });
  method.sinks[0]!.end();
  await call.status();
  expect(grpc.seen.handledCalls).toMatchObject([
    { code: 0, sentBytes: 6, receivedBytes: 3, startedNs: 42 },
  ]);
});

test('who calls is in the metadata and the certificate', async () => {
  const method = new PlayedStream();
  await using grpc = await openGrpc([method], { peer: { commonName: () => 'carol' } });
  const headers = { authorization: 'Bearer t', hasleader: 'true' };
  await openCall(grpc.client, ECHO, { headers }).headers;
  expect(method.contexts[0]!.caller).toEqual({
    token: 't',
    commonName: 'carol',
    requireLeader: true,
  });
});

test('requests that are not gRPC go to who takes them, with what is known of the caller', async () => {
  const peer: ConnectionPeer = { commonName: () => 'carol' };
  const taken: (string | undefined)[] = [];
  const notGrpc: HttpHandler = (stream, from) => {
    taken.push(`${stream.head.method} ${stream.head.path} ${from.commonName()}`);
    stream.respondOnly(encodeHeaders([[':status', '200']]));
  };
  const get = { ':method': 'GET', 'content-type': 'text/plain' };
  const json = { 'content-type': 'application/json' };
  await using taker = await openGrpc([new PlayedStream()], { peer, notGrpc });
  expect((await openCall(taker.client, '/health', { headers: get }).headers)[':status']).toBe(200);
  expect(taken).toEqual(['GET /health carol']);
  await using without = await openGrpc([new PlayedStream()]);
  const statusOf = async (headers: OutgoingHttpHeaders): Promise<unknown> =>
    (await openCall(without.client, ECHO, { headers }).headers)[':status'];
  expect(await statusOf(get)).toBe(405);
  expect(await statusOf(json)).toBe(415);
  expect(await statusOf({ ':method': 'PUT' })).toBe(405);
});

test('requests that never come whole are bounded, over all calls of a connection', async () => {
  const method = new PlayedStream();
  const handle = async () => ok(frameOf(''));
  const unary: UnaryMethod = { type: 'unary', path: '/test.Streams/One', handle };
  await using grpc = await openGrpc([method, unary], { limits: { unfinishedBytesMax: 1_000 } });
  const half = frameOf('x'.repeat(600)).subarray(0, 500);
  const first = openCall(grpc.client, ECHO);
  const second = openCall(grpc.client, unary.path);
  for (const { stream } of [first, second]) stream.write(half);
  for (const path of [ECHO, unary.path]) {
    const third = openCall(grpc.client, path);
    third.stream.write(half);
    expect((await third.status()).code).toBe(GrpcCode.resourceExhausted);
  }
  // Those before are none the worse, and make room when they are whole.
  first.stream.write(frameOf('x'.repeat(600)).subarray(500));
  await until(() => method.events.includes('600 characters'));
  second.stream.end(frameOf('x'.repeat(600)).subarray(500));
  expect((await second.status()).code).toBe(GrpcCode.ok);
  const last = openCall(grpc.client, ECHO);
  last.stream.write(half);
  last.stream.write(frameOf('x'.repeat(600)).subarray(500));
  await until(() => method.events.filter((event) => event === '600 characters').length === 2);
});
