import { describe, expect, test } from 'vitest';
import { SETTING } from '../../src/http2/frame.ts';
import { FRAME_TYPE, frame } from '../api/raw-http2.ts';
import {
  data,
  OK_HEADERS,
  openConnection,
  type PlayedConnection,
  request,
  reset,
  settings,
  type Told,
  TRAILERS,
  windowUpdate,
} from './played-connection.ts';

/** Sizes of the data frames on a stream. */
function dataSizes(played: PlayedConnection, streamId: number): number[] {
  const frames = played.take().filter((sent) => sent.type === 0 && sent.streamId === streamId);
  return frames.map(({ payload }) => payload.length);
}

/** Answers with so many bytes and an end. */
function answerWith(sizeBytes: number): (told: Told) => void {
  return ({ stream }) => {
    stream.respond(OK_HEADERS);
    stream.write(new Uint8Array(sizeBytes));
    stream.end(TRAILERS);
  };
}

describe('what the client allows to send', () => {
  test('on a stream: no more, and the trailers behind it', () => {
    const played = openConnection();
    played.send(settings([SETTING.initialWindowSize, 10]));
    played.onRequest = answerWith(25);
    played.send(request(1, { end: true }));
    expect(played.takeWords()).toEqual(['settings 0 ack', 'headers 1', 'data 1 10']);
    expect(played.http2.unsentBytes).toBe(15);
    expect(played.http2.isAnswering).toBe(true);
    played.send(windowUpdate(0, 1_000));
    expect(played.takeWords()).toEqual([]);
    played.send(windowUpdate(1, 14));
    expect(played.takeWords()).toEqual(['data 1 14']);
    played.send(windowUpdate(1, 1));
    expect(played.takeWords()).toEqual(['data 1 1', 'headers 1 end']);
    expect(played.http2.isAnswering).toBe(false);
  });

  test('a smaller setting takes back what it gave: windows are negative for a while', () => {
    const played = openConnection();
    played.onRequest = answerWith(1_000);
    played.send(settings([SETTING.initialWindowSize, 100]), request(1, { end: true }));
    expect(dataSizes(played, 1)).toEqual([100]);
    played.send(settings([SETTING.initialWindowSize, 30]), windowUpdate(1, 70));
    expect(dataSizes(played, 1)).toEqual([]);
    played.send(windowUpdate(1, 1));
    expect(dataSizes(played, 1)).toEqual([1]);
    played.send(settings([SETTING.initialWindowSize, 35]));
    expect(dataSizes(played, 1)).toEqual([5]);
  });

  test('on the connection: streams take turns, a frame each', () => {
    const played = openConnection();
    played.onRequest = answerWith(60_000);
    played.send(settings([SETTING.initialWindowSize, 200_000]));
    for (const id of [1, 3, 5]) played.send(request(id, { end: true }));
    played.take();
    played.send(windowUpdate(0, 4 * 16_384));
    const data = played.take().filter(({ type }) => type === FRAME_TYPE.data);
    // The first was sent whole before there was a choice.
    expect(data.map(({ streamId }) => streamId)).toEqual([3, 5, 3, 5]);
    played.send(windowUpdate(0, 1_000_000));
    const left = played.take().filter(({ flags }) => (flags & 1) !== 0);
    expect(left.map(({ streamId }) => streamId).toSorted()).toEqual([3, 5]);
  });

  test('a stream whose own window is closed holds up no other', () => {
    const played = openConnection();
    played.onRequest = answerWith(100);
    played.send(settings([SETTING.initialWindowSize, 50]), request(1, { end: true }));
    played.send(
      settings([SETTING.initialWindowSize, 500]),
      settings([SETTING.initialWindowSize, 0]),
    );
    played.send(request(3, { end: true }), windowUpdate(3, 100), windowUpdate(0, 1));
    expect(played.takeWords().at(-1)).toBe('headers 3 end');
  });

  test('a socket that has enough gets no more data until it drains', () => {
    const played = openConnection();
    played.onRequest = ({ stream }) => stream.respond(OK_HEADERS);
    played.transport.isStuck = true;
    played.send(request(1));
    const { stream, events } = played.requests[0]!;
    expect(stream.writable).toBe(false);
    expect(stream.write(new Uint8Array(100))).toBe(false);
    expect(played.takeWords()).toEqual(['headers 1']);
    played.transport.isStuck = false;
    played.drain();
    expect(played.takeWords()).toEqual(['data 1 100']);
    expect(events).toEqual(['writable']);
    expect(stream.write(new Uint8Array(1))).toBe(true);
  });

  test.each([
    ['nothing', 0, 1],
    ['too much', 2 ** 31 - 1, 3],
  ])('an update by %s ends what it is for', (_, bytes, code) => {
    const played = openConnection();
    played.send(request(1), windowUpdate(1, bytes));
    expect(played.takeWords()).toEqual([`rstStream 1 ${code}`]);
    played.send(windowUpdate(0, bytes));
    expect(played.takeWords()[0]).toMatch(new RegExp(`^goaway 0 1 ${code} `));
  });

  test.each([
    ['one that no window can be', [settings([SETTING.initialWindowSize, 2 ** 31])]],
    [
      'one that makes a window too large',
      [
        request(1),
        windowUpdate(1, 2 ** 31 - 65_536),
        settings([SETTING.initialWindowSize, 65_536]),
      ],
    ],
  ])('a window in the settings: %s', (_, frames) => {
    const played = openConnection();
    played.send(...frames);
    expect(played.takeWords().at(-1)).toMatch(/^goaway 0 \d 3 /);
  });
});

describe('what the client may send', () => {
  test('is given back as it is read, on the stream and on the connection', () => {
    const played = openConnection();
    played.send(request(1));
    let stream = 0;
    let connection = 0;
    for (let sent = 0; sent < 1_000_000; sent += 10_000) {
      played.send(data(1, 10_000));
      for (const { type, streamId, payload } of played.take()) {
        if (type !== FRAME_TYPE.windowUpdate) continue;
        if (streamId === 0) connection += payload.readUInt32BE(0);
        else stream += payload.readUInt32BE(0);
      }
    }
    expect(played.requests[0]?.dataBytes).toBe(1_000_000);
    expect(1_000_000 - stream).toBeLessThan(65_535 / 2);
    expect(1_000_000 - connection).toBeLessThan(131_072 / 4);
  });

  test('padding counts, and is given back', () => {
    const played = openConnection();
    played.send(request(1));
    const padded = frame(FRAME_TYPE.data, 8, 1, Buffer.concat([Buffer.of(255), Buffer.alloc(255)]));
    for (let n = 0; n < 2_000; n++) played.send(padded);
    expect(played.http2.isClosed).toBe(false);
    expect(played.requests[0]?.events).toEqual([]);
  });

  test('a paused stream holds one window, and hands it over in order', () => {
    const played = openConnection();
    const seen: number[] = [];
    played.onRequest = (told) => {
      told.onData = (bytes) => {
        seen.push(...bytes);
        told.stream.pause();
      };
    };
    played.send(request(1));
    const { stream } = played.requests[0]!;
    const bytes = Array.from({ length: 3_000 }, (_, n) => n & 255);
    for (const byte of bytes) played.send(frame(FRAME_TYPE.data, 0, 1, Uint8Array.of(byte)));
    played.send(data(1, 0, true));
    expect(seen).toEqual([0]);
    expect(played.take()).toEqual([]);
    expect(played.requests[0]?.events).toEqual([]);
    stream.resume();
    expect(seen).toEqual(bytes);
    // Nothing is left to wait for.
    expect(played.requests[0]?.events).toEqual(['end']);
  });

  test('more than a paused stream may hold: the stream is reset, the connection stays', () => {
    const played = openConnection();
    played.onRequest = ({ stream }) => stream.pause();
    for (const id of [1, 3, 5]) {
      played.send(request(id));
      for (let n = 0; n < 4; n++) played.send(data(id, 16_384));
      expect(played.takeWords()).toContain(`rstStream ${id} 3`);
      expect(played.requests.at(-1)?.events).toEqual(['close 3']);
    }
    // All of it was given back.
    played.onRequest = () => undefined;
    played.send(request(7));
    for (let n = 0; n < 3; n++) played.send(data(7, 16_384));
    expect(played.requests.at(-1)?.dataBytes).toBe(3 * 16_384);
  });

  test('more than the connection allows ends the connection', () => {
    const played = openConnection();
    played.onRequest = ({ stream }) => stream.pause();
    for (const id of [1, 3, 5])
      played.send(request(id), data(id, 16_384), data(id, 16_384), data(id, 16_384));
    expect(played.takeWords().at(-1)).toMatch(/^goaway 0 5 3 /);
  });

  test('data for streams that are over is given back to the connection', () => {
    const played = openConnection();
    for (let n = 0, id = 1; n < 10; n++, id += 2) {
      played.send(request(id), reset(id));
      for (let part = 0; part < 3; part++) played.send(data(id, 16_384));
    }
    // And behind the end of a request, for which the stream is reset.
    for (let n = 0, id = 101; n < 8; n++, id += 2) {
      played.send(request(id, { end: true }), data(id, 16_384), data(id, 16_384));
    }
    expect(played.faults).toEqual([]);
    expect(played.takeWords()).toContain('rstStream 101 5');
  });
});

describe('from within its own callbacks a stream may be ended', () => {
  test('onData', () => {
    const played = openConnection();
    played.onRequest = (told) => {
      told.onData = () => told.stream.reset(8);
    };
    played.send(request(1), data(1, 5), data(1, 5, true));
    expect(played.requests[0]?.events).toEqual(['close 8']);
  });

  test('onWritable and onClose, and others with it', () => {
    const played = openConnection();
    played.send(settings([SETTING.initialWindowSize, 2 ** 20]));
    for (const id of [1, 3, 5, 7]) played.send(request(id, { end: true }));
    const [first, ...others] = played.requests;
    for (const { stream } of played.requests) {
      stream.respond(OK_HEADERS);
      stream.write(new Uint8Array(60_000));
    }
    for (const { stream } of others) stream.end(TRAILERS);
    played.take();
    first!.onWritable = () => first!.stream.reset(2);
    first!.onClose = () => {
      for (const { stream } of others) stream.reset(2);
    };
    first!.stream.write(new Uint8Array(10_000));
    played.send(windowUpdate(0, 14_000));
    played.send(windowUpdate(0, 1_000_000));
    const words = played.takeWords();
    const ended = words.findIndex((word) => word.startsWith('rstStream 1'));
    expect(words.slice(ended)).toEqual([1, 3, 5, 7].map((id) => `rstStream ${id} 2`));
    expect(played.http2.openStreams).toBe(0);
    expect(played.http2.unsentBytes).toBe(0);
    expect(played.bugs).toEqual([]);
  });
});
