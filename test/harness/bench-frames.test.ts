/** The load generator's own HTTP/2: what it sends, and what it takes for an answer. */
import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { grpcStatusOf, requestHeaderBlocks } from '../../harness/bench/header-block.ts';
import {
  clientGreeting,
  FLAG,
  FRAME,
  type Frame,
  FrameReader,
  frame,
  windowUpdate,
} from '../../harness/bench/http2-frames.ts';
import { LoadConnection } from '../../harness/bench/load-connection.ts';
import { requestTemplate } from '../../harness/bench/request-template.ts';
import { decodeMessage } from '../../src/wire/proto-reader.ts';
import { readPutRequest } from '../../src/wire/put-messages.ts';

const OK_TRAILERS = Buffer.concat([
  // Literals without indexing: `grpc-status: 0` and an empty message.
  Buffer.from([0x00, 11]),
  Buffer.from('grpc-status'),
  Buffer.from([1, 0x30]),
  Buffer.from([0x00, 12]),
  Buffer.from('grpc-message'),
  Buffer.from([0]),
]);
const PREFACE_BYTES = 24;

function framesOf(bytes: Buffer): Frame[] {
  const frames: Frame[] = [];
  new FrameReader().read(bytes, (each) => frames.push(each));
  return frames;
}

describe('frames', () => {
  test('are the same however the bytes are cut', () => {
    const frames = [
      frame(FRAME.settings, 0, 0, Buffer.alloc(6)),
      frame(FRAME.data, FLAG.endStream, 7, Buffer.from('answer')),
      frame(FRAME.ping, 0, 0, Buffer.alloc(8, 3)),
    ];
    const bytes = Buffer.concat(frames);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: bytes.length })), (cuts) => {
        const reader = new FrameReader();
        const read: Frame[] = [];
        const ends = [...cuts.toSorted((a, b) => a - b), bytes.length];
        let start = 0;
        for (const end of ends) {
          reader.read(bytes.subarray(start, end), (each) => {
            read.push({ ...each, payload: Buffer.from(each.payload) });
          });
          start = end;
        }
        expect(read).toEqual(framesOf(bytes));
      }),
    );
    expect(framesOf(bytes).map(({ type, streamId }) => [type, streamId])).toEqual([
      [FRAME.settings, 0],
      [FRAME.data, 7],
      [FRAME.ping, 0],
    ]);
  });

  test('the greeting is the preface, settings, and a window', () => {
    const greeting = clientGreeting();
    expect(greeting.subarray(0, PREFACE_BYTES).toString('latin1')).toBe(
      'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
    );
    const types = framesOf(greeting.subarray(PREFACE_BYTES)).map(({ type }) => type);
    expect(types).toEqual([FRAME.settings, FRAME.windowUpdate]);
  });
});

describe('trailers', () => {
  test.each([
    ['plain', OK_TRAILERS, 0],
    ['in Huffman code', Buffer.from('00889acac8b21234da8f0130', 'hex'), 0],
    ['behind a change of the table', Buffer.concat([Buffer.from([0x20]), OK_TRAILERS]), 0],
    ['two digits', Buffer.concat([OK_TRAILERS.subarray(0, 13), Buffer.from('\u000214')]), 14],
    ['no status', Buffer.from([0x88]), undefined],
    ['cut off', OK_TRAILERS.subarray(0, 9), undefined],
    ['a length without end', Buffer.from('007fffffffffff', 'hex'), undefined],
    ['empty', Buffer.alloc(0), undefined],
  ])('%s', (_, block, status) => {
    expect(grpcStatusOf(block)).toBe(status);
  });

  test('whatever the bytes are, reading them ends', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        const status = grpcStatusOf(Buffer.from(bytes));
        expect(status === undefined || (status >= 0 && status <= 99)).toBe(true);
      }),
    );
  });
});

class FakeSocket extends EventEmitter {
  written: Buffer[] = [];
  write(bytes: Buffer): boolean {
    this.written.push(Buffer.from(bytes));
    return true;
  }
  setNoDelay(): void {}
  destroy(): void {}
  takeFrames(): Frame[] {
    const bytes = Buffer.concat(this.written);
    this.written = [];
    return framesOf(bytes);
  }
}

function connected(keys: number[]) {
  const socket = new FakeSocket();
  const answers: { latencyNs: number; problem: string | undefined }[] = [];
  const failures: string[] = [];
  let nowNs = 0;
  const template = requestTemplate('put', 3);
  const connection = new LoadConnection(socket as unknown as Socket, {
    template,
    blocks: requestHeaderBlocks(template.path, '127.0.0.1:1'),
    callbacks: {
      onAnswer: (latencyNs, problem) => answers.push({ latencyNs, problem }),
      nextKey: () => keys.shift(),
      onFailure: (reason) => failures.push(reason),
    },
    clock: {
      nowNs: () => nowNs,
      wallMs: () => 0,
      every: () => ({ [Symbol.dispose]: () => undefined }),
      after: () => ({ [Symbol.dispose]: () => undefined }),
      soon: () => undefined,
    },
  });
  socket.written = [];
  const receive = (atNs: number, ...frames: Buffer[]): void => {
    nowNs = atNs;
    socket.emit('data', Buffer.concat(frames));
  };
  return { socket, connection, answers, failures, receive };
}

const ANSWER = Buffer.from([0, 0, 0, 0, 2, 10, 0]);
const data = (stream: number, bytes = ANSWER) => frame(FRAME.data, 0, stream, bytes);
const trailers = (stream: number, block = OK_TRAILERS) =>
  frame(FRAME.headers, FLAG.endHeaders | FLAG.endStream, stream, block);

describe('a connection', () => {
  test('sends requests with keys of their own, and the next when one is answered', () => {
    const { socket, connection, answers, receive } = connected([7, 1_234_567_890, 5]);
    connection.begin(2);
    const sent = socket.takeFrames();
    expect(sent.map(({ type, streamId }) => [type, streamId])).toEqual([
      [FRAME.headers, 1],
      [FRAME.data, 1],
      [FRAME.headers, 3],
      [FRAME.data, 3],
    ]);
    const keyIn = (each: Frame): string => {
      const request = decodeMessage(new Uint8Array(each.payload.subarray(5)), readPutRequest);
      return request.ok ? Buffer.from(request.value.key).toString() : request.error.message;
    };
    expect([keyIn(sent[1]!), keyIn(sent[3]!)]).toEqual(['bench/0000000007', 'bench/1234567890']);
    receive(500, data(3), trailers(3));
    expect(answers).toEqual([{ latencyNs: 500, problem: undefined }]);
    expect(keyIn(socket.takeFrames()[1]!)).toBe('bench/0000000005');
    expect(connection.inFlight).toBe(2);
  });

  test('only data with status 0 is an answer', () => {
    const { connection, answers, receive } = connected([1, 2, 3, 4]);
    connection.begin(4);
    const failed = Buffer.concat([OK_TRAILERS.subarray(0, 13), Buffer.from('\u000214')]);
    receive(1, trailers(1), data(3), trailers(3, failed));
    receive(2, frame(FRAME.reset, 0, 5, Buffer.from([0, 0, 0, 8])));
    receive(3, frame(FRAME.data, FLAG.endStream, 7, ANSWER));
    expect(answers.map(({ problem }) => problem)).toEqual([
      'answer of only 0 bytes',
      'grpc-status 14',
      'stream reset with code 8',
      'no trailers',
    ]);
  });

  test('answers pings and settings, and gives window back', () => {
    const { socket, receive } = connected([]);
    receive(
      1,
      frame(FRAME.ping, 0, 0, Buffer.alloc(8, 5)),
      frame(FRAME.settings, 0, 0, Buffer.alloc(0)),
    );
    const sent = socket.takeFrames();
    expect(sent.map(({ type, flags }) => [type, flags])).toEqual([
      [FRAME.ping, FLAG.ack],
      [FRAME.settings, FLAG.ack],
    ]);
    expect(sent[0]!.payload).toEqual(Buffer.alloc(8, 5));
    for (let i = 0; i < 1025; i++) receive(2, data(1, Buffer.alloc(16_384)));
    expect(socket.takeFrames().map(({ type }) => type)).toEqual([FRAME.windowUpdate]);
  });

  test('waits for window before it sends more', () => {
    const keys = Array.from({ length: 5_000 }, (_, at) => at);
    const { socket, connection, receive } = connected(keys);
    connection.begin(5_000);
    const sent = socket.takeFrames().filter(({ type }) => type === FRAME.data).length;
    expect(sent).toBe(Math.floor(65_535 / requestTemplate('put', 3).message.length));
    receive(1, windowUpdate(requestTemplate('put', 3).message.length * 10));
    expect(socket.takeFrames().filter(({ type }) => type === FRAME.data)).toHaveLength(10);
  });

  test('fails once when the server leaves', () => {
    const { socket, connection, failures, receive } = connected([1]);
    connection.begin(1);
    receive(1, frame(FRAME.goAway, 0, 0, Buffer.alloc(8)));
    socket.emit('close');
    expect(failures).toEqual(['server says goodbye with code 0']);
  });
});
