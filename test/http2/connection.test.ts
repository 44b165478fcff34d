import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { SETTING } from '../../src/http2/frame.ts';
import { FLAG, FRAME_TYPE, frame, headerBlock, PREFACE } from '../api/raw-http2.ts';
import {
  data,
  OK_HEADERS,
  openConnection,
  PlayedConnection,
  REQUEST_FIELDS,
  request,
  reset,
  SETTINGS,
  settings,
  TRAILERS,
  windowUpdate,
} from './played-connection.ts';

const PING = frame(FRAME_TYPE.ping, 0, 0, Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8));

describe('a connection begins', () => {
  test('with the settings of the server, before the client has said a word', () => {
    const played = new PlayedConnection();
    const [own, update] = played.take();
    expect(own).toMatchObject({ type: FRAME_TYPE.settings, flags: 0, streamId: 0 });
    const values = [3, 8, 4, 65_535, 6, 4_096];
    const sent = [0, 6, 12].flatMap((at) => [
      own!.payload.readUInt16BE(at),
      own!.payload.readUInt32BE(at + 2),
    ]);
    expect(sent).toEqual(values);
    expect(update?.payload.readUInt32BE(0)).toBe(131_072 - 65_535);
    expect(played.http2.isOpen).toBe(false);
    played.send(PREFACE, SETTINGS);
    expect(played.takeWords()).toEqual(['settings 0 ack']);
    expect(played.http2.isOpen).toBe(true);
  });

  test.each([
    ['no preface', Buffer.alloc(24, 'x'), 'goaway 0 0 1 no HTTP/2 preface'],
    [
      'another frame than settings',
      Buffer.concat([PREFACE, PING]),
      'goaway 0 0 1 settings do not come first',
    ],
  ])('%s', (_, bytes, words) => {
    const played = new PlayedConnection();
    played.take();
    played.send(bytes);
    expect(played.takeWords()).toEqual([words]);
    expect(played.transport.isEnded).toBe(true);
    expect(played.faults).toHaveLength(1);
  });
});

describe('a request', () => {
  test('comes with its fields, data and end; the answer closes the stream', () => {
    const played = openConnection();
    played.send(request(1), data(1, 5), data(1, 0, true));
    const [told] = played.requests;
    expect(told?.stream.head.header(':authority')).toBe('http://a/b');
    expect(told?.events).toEqual(['data 5', 'end']);
    told?.stream.answer(OK_HEADERS, new Uint8Array(7), TRAILERS);
    expect(played.takeWords()).toEqual(['headers 1', 'data 1 7', 'headers 1 end']);
    expect(told?.events).toEqual(['data 5', 'end', 'close undefined']);
    expect(played.http2.openStreams).toBe(0);
  });

  test('may end with trailers, which must be in order', () => {
    const trailers = (streamId: number, flags: number, fields: Record<string, string>): Buffer =>
      frame(FRAME_TYPE.headers, FLAG.endHeaders | flags, streamId, headerBlock(fields));
    const played = openConnection();
    played.send(request(1), data(1, 3), trailers(1, FLAG.endStream, { a: 'b' }));
    expect(played.requests[0]?.events).toEqual(['data 3', 'end']);
    played.send(request(3), trailers(3, 0, { a: 'b' }));
    played.send(request(5), trailers(5, FLAG.endStream, { ':path': '/' }));
    played.send(request(7), trailers(7, FLAG.endStream, { A: 'b' }));
    expect(played.takeWords()).toEqual(['rstStream 3 1', 'rstStream 5 1', 'rstStream 7 1']);
    // Behind the end of the request nothing may come.
    played.send(trailers(1, FLAG.endStream, { a: 'b' }));
    expect(played.takeWords()).toEqual(['rstStream 1 5']);
  });

  test.each([
    ['no path', { ...REQUEST_FIELDS, ':path': undefined }],
    ['a header name in upper case', { ...REQUEST_FIELDS, Te: 'trailers' }],
    ['a header of HTTP/1.1', { ...REQUEST_FIELDS, connection: 'close' }],
    ['an unknown pseudo-header', { ...REQUEST_FIELDS, ':status': '200' }],
    ['a pseudo-header behind a header', { a: 'b', ...REQUEST_FIELDS }],
    ['a line feed in a value', { ...REQUEST_FIELDS, a: 'b\nc' }],
    ['a blank in a name', { ...REQUEST_FIELDS, 'a b': 'c' }],
    ['a name without letters', { ...REQUEST_FIELDS, '': 'c' }],
  ])('that is malformed is reset, and the next one served: %s', (_, fields) => {
    const given = Object.entries(fields).filter(([, value]) => value !== undefined);
    const block = headerBlock(Object.fromEntries(given) as Record<string, string>);
    const played = openConnection();
    played.send(frame(FRAME_TYPE.headers, FLAG.endHeaders, 1, block), request(3));
    expect(played.takeWords()).toEqual(['rstStream 1 1']);
    expect(played.requests.map(({ stream }) => stream.id)).toEqual([3]);
  });

  test('whose handler throws is reset, wherever that is; the connection stays', () => {
    const played = openConnection();
    const bug = new Error('bug');
    const fail = (): never => {
      throw bug;
    };
    played.onRequest = (told) => {
      if (told.stream.id === 1) fail();
      if (told.stream.id === 3) told.onData = fail;
      if (told.stream.id === 5) told.onEnd = fail;
      if (told.stream.id === 7) told.onClose = fail;
    };
    played.send(request(1), request(3), data(3, 1), request(5, { end: true }));
    played.send(request(7), reset(7), PING);
    const resets = [1, 3, 5].map((id) => `rstStream ${id} 2`);
    expect(played.takeWords()).toEqual([...resets, 'ping 0 ack']);
    expect(played.bugs).toEqual([bug, bug, bug, bug]);
    expect(played.http2.openStreams).toBe(0);
  });

  test('in several header frames, padded, with a priority', () => {
    const played = openConnection();
    const block = headerBlock(REQUEST_FIELDS);
    const first = Buffer.concat([
      Buffer.of(3, 0, 0, 0, 0, 9),
      block.subarray(0, 7),
      Buffer.alloc(3),
    ]);
    played.send(
      frame(FRAME_TYPE.headers, 0x28 | FLAG.endStream, 1, first),
      frame(FRAME_TYPE.continuation, 0, 1, block.subarray(7, 9)),
      frame(FRAME_TYPE.continuation, FLAG.endHeaders, 1, block.subarray(9)),
    );
    expect(played.requests[0]?.stream.head.path).toBe('/a');
    expect(played.requests[0]?.events).toEqual(['end']);
  });
});

describe('answers', () => {
  test('before the request is whole: the client is told that the rest is not wanted', () => {
    const played = openConnection();
    played.send(request(1), data(1, 10));
    const { stream, events } = played.requests[0]!;
    stream.answer(OK_HEADERS, new Uint8Array(1), TRAILERS);
    stream.stopRequest();
    expect(played.takeWords().slice(2)).toEqual(['headers 1 end', 'rstStream 1 0']);
    expect(events).toEqual(['data 10', 'close 0']);
    // What was on its way is no fault.
    played.send(data(1, 10, true), windowUpdate(1, 5), reset(1));
    expect(played.takeWords()).toEqual([]);
    expect(played.http2.isClosed).toBe(false);
  });

  test('behind a reset say nothing', () => {
    const played = openConnection();
    played.send(request(1), reset(1, 8));
    const { stream, events } = played.requests[0]!;
    expect(events).toEqual(['close 8']);
    stream.respond(OK_HEADERS);
    expect(stream.write(new Uint8Array(9))).toBe(true);
    stream.end(TRAILERS);
    stream.reset(2);
    expect(played.takeWords()).toEqual([]);
  });
});

describe('the end of a connection', () => {
  test('requests in flight are answered first, new ones refused', () => {
    const played = openConnection();
    played.send(request(1, { end: true }));
    played.http2.close();
    played.send(request(3, { end: true }));
    expect(played.takeWords()).toEqual(['goaway 0 1 0 ', 'rstStream 3 7']);
    expect(played.transport.isEnded).toBe(false);
    played.requests[0]!.stream.answer(OK_HEADERS, new Uint8Array(1), TRAILERS);
    expect(played.takeWords().at(-1)).toBe('headers 1 end');
    expect(played.transport.isEnded).toBe(true);
    expect(played.faults).toEqual([undefined]);
  });

  test('the socket is lost: every request is told, once', () => {
    const played = openConnection();
    played.send(request(1), request(3));
    played.http2.lost();
    played.http2.lost();
    for (const { events } of played.requests) expect(events).toEqual(['close 8']);
    expect(played.faults).toEqual([undefined]);
    played.send(PING);
    expect(played.takeWords()).toEqual([]);
  });

  test('an abort says why, and is the last thing said', () => {
    const played = openConnection();
    played.send(request(1));
    played.onRequest = () => undefined;
    played.http2.abort(11, 'too_many_pings');
    played.http2.abort(11, 'again');
    expect(played.takeWords()).toEqual(['goaway 0 1 11 too_many_pings']);
    expect(played.transport.isEnded).toBe(true);
  });
});

test('pings go both ways', () => {
  const played = openConnection();
  played.send(PING);
  expect(played.take().map(({ payload }) => [...payload])).toEqual([[1, 2, 3, 4, 5, 6, 7, 8]]);
  expect(played.pings).toBe(1);
  let answered = 0;
  played.http2.ping(() => {
    answered += 1;
  });
  const [ping] = played.take();
  played.send(frame(FRAME_TYPE.ping, FLAG.ack, 0, ping!.payload));
  played.send(frame(FRAME_TYPE.ping, FLAG.ack, 0, ping!.payload));
  expect(answered).toBe(1);
  expect(played.pings).toBe(1);
});

test('frames of unknown types, priorities and a GOAWAY are passed over', () => {
  const played = openConnection();
  played.send(frame(0x42, 0xff, 7, new Uint8Array(30)));
  played.send(frame(FRAME_TYPE.priority, 0, 9, new Uint8Array(5)));
  played.send(frame(FRAME_TYPE.goaway, 0, 0, new Uint8Array(8)), PING);
  expect(played.takeWords()).toEqual(['ping 0 ack']);
});

test('a conversation is the same in whatever pieces it comes', () => {
  const conversation = Buffer.concat([
    PREFACE,
    settings([SETTING.initialWindowSize, 100]),
    request(1),
    data(1, 60),
    request(3, { end: true }),
    PING,
    data(1, 300, true),
    windowUpdate(3, 50),
    settings([SETTING.initialWindowSize, 40]),
    request(5),
    data(5, 16_384),
    windowUpdate(1, 1_000),
    reset(5),
    windowUpdate(3, 1_000),
  ]);
  const play = (sizes: readonly number[]): [Buffer, string[][]] => {
    const played = new PlayedConnection();
    played.onRequest = (told) => {
      const { stream } = told;
      stream.respond(OK_HEADERS);
      told.onEnd = () => {
        stream.write(new Uint8Array(200).fill(stream.id));
        stream.end(TRAILERS);
      };
    };
    let at = 0;
    for (const size of [...sizes, conversation.length]) {
      played.send(conversation.subarray(at, at + size));
      at += size;
    }
    return [played.transport.bytes, played.requests.map(({ events }) => events)];
  };
  const whole = play([]);
  expect(whole[1]).toEqual([
    ['data 60', 'data 300', 'close undefined'],
    ['close undefined'],
    ['data 16384', 'close 8'],
  ]);
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 700 }), { maxLength: 60 }), (sizes) => {
      expect(play(sizes)).toEqual(whole);
    }),
    { numRuns: 50 },
  );
});
