import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FLAG, FRAME_TYPE, frame, headerBlock } from '../api/raw-http2.ts';
import {
  data,
  numberFrame,
  OK_HEADERS,
  openConnection,
  type PlayedConnection,
  REQUEST_FIELDS,
  request,
  reset,
  SETTINGS,
  settings,
  TRAILERS,
  windowUpdate,
} from './played-connection.ts';

const PING = frame(FRAME_TYPE.ping, 0, 0, new Uint8Array(8));
const BLOCK = headerBlock(REQUEST_FIELDS);
/** Four MiB of replies, what one turn may add, and one window of data. */
const UNSENT_BYTES_MAX = 5 * 1024 * 1024;

/** Sends it again and again; how often, until the connection was closed. */
function flood(played: PlayedConnection, times: number, next: (n: number) => Uint8Array): number {
  for (let n = 0; n < times; n++) {
    if (played.http2.isClosed) return n;
    played.send(next(n));
  }
  return times;
}

function lastWords(played: PlayedConnection): string | undefined {
  return played.takeWords().at(-1);
}

describe('frames that end the connection', () => {
  const rows: readonly (readonly [name: string, frames: readonly Uint8Array[], code: number])[] = [
    ['data on stream 0', [data(0, 1)], 1],
    ['data on a stream that never was', [data(1, 1)], 1],
    ['padding as long as the frame', [request(1), frame(0, 8, 1, Uint8Array.of(1))], 1],
    ['padding in an empty frame', [request(1), frame(0, 8, 1)], 1],
    ['headers on stream 0', [request(0)], 1],
    ['headers on a stream of the server', [request(2)], 1],
    ['headers without room for the priority', [frame(1, 0x24, 1, new Uint8Array(4))], 1],
    ['headers that are no HPACK', [frame(1, 4, 1, Uint8Array.of(0xff, 0xff, 0xff))], 9],
    ['a continuation of nothing', [frame(9, 4, 1, BLOCK)], 1],
    ['a continuation of another stream', [frame(1, 0, 1, BLOCK), frame(9, 4, 3)], 1],
    ['a ping within a header block', [frame(1, 0, 1, BLOCK), PING], 1],
    ['a reset of stream 0', [reset(0)], 1],
    ['a reset of a stream that never was', [reset(1)], 1],
    ['a reset of three bytes', [request(1), frame(3, 0, 1, new Uint8Array(3))], 6],
    ['settings on a stream', [frame(4, 0, 1)], 1],
    ['settings of five bytes', [frame(4, 0, 0, new Uint8Array(5))], 6],
    ['an acknowledgement with settings', [frame(4, 1, 0, new Uint8Array(6))], 6],
    ['pushes neither on nor off', [settings([2, 2])], 1],
    ['frames of no legal size', [settings([5, 16_383])], 1],
    ['a push', [frame(5, 4, 1, new Uint8Array(4))], 1],
    ['a ping on a stream', [frame(6, 0, 1, new Uint8Array(8))], 1],
    ['a ping of seven bytes', [frame(6, 0, 0, new Uint8Array(7))], 6],
    ['a farewell on a stream', [frame(7, 0, 1, new Uint8Array(8))], 1],
    ['an update of a stream that never was', [windowUpdate(1, 1)], 1],
    ['an update of five bytes', [frame(8, 0, 0, new Uint8Array(5))], 6],
    ['a frame that is too long', [frame(0, 0, 1, new Uint8Array(16_385))], 6],
  ];
  test.each(rows)('%s', (_, frames, code) => {
    const played = openConnection();
    played.send(...frames);
    expect(lastWords(played)).toMatch(new RegExp(`^goaway 0 \\d ${code} `));
    expect(played.transport.isEnded).toBe(true);
    expect(played.faults).toHaveLength(1);
    for (const { events } of played.requests) expect(events.at(-1)).toMatch(/^close /);
  });
});

describe('headers', () => {
  test('too many fields cost the stream only, and the tables of both ends stay alike', () => {
    const played = openConnection();
    const field = Buffer.of(0x40, 1, 97, 100, ...Buffer.alloc(100, 'x'));
    const block = Buffer.concat([BLOCK, ...Array.from({ length: 40 }, () => field)]);
    // The dynamic table's first, 62.
    const next = Buffer.concat([BLOCK, Buffer.of(0xbe)]);
    played.send(frame(1, FLAG.endHeaders, 1, block), frame(1, FLAG.endHeaders, 3, next));
    expect(played.takeWords()).toEqual(['rstStream 1 11']);
    expect(played.requests[0]?.stream.head.header('a')).toBe('x'.repeat(100));
  });

  test('those of refused streams are read, too', () => {
    const played = openConnection({ concurrentStreamsMax: 1 });
    const field = Buffer.of(0x40, 1, 97, 1, 98);
    played.send(request(1), frame(1, FLAG.endHeaders, 3, Buffer.concat([BLOCK, field])), reset(1));
    played.send(frame(1, FLAG.endHeaders, 5, Buffer.concat([BLOCK, Buffer.of(0xbe)])));
    expect(played.takeWords()).toEqual(['rstStream 3 7']);
    expect(played.requests[1]?.stream.head.header('a')).toBe('b');
  });

  test('an endless block is cut off, by its bytes or by its frames', () => {
    for (const sizeBytes of [0, 1_000]) {
      const played = openConnection();
      played.send(frame(1, 0, 1, BLOCK));
      const part = new Uint8Array(sizeBytes);
      expect(flood(played, 100, () => frame(9, 0, 1, part))).toBeLessThan(65);
      expect(lastWords(played)).toBe('goaway 0 0 11 headers are too long');
    }
  });
});

describe('floods', () => {
  test('rapid reset', () => {
    const played = openConnection();
    const rounds = flood(played, 100, (n) =>
      Buffer.concat([request(2 * n + 1, { end: true }), reset(2 * n + 1)]),
    );
    expect(rounds).toBe(21);
    expect(lastWords(played)).toBe('goaway 0 41 11 too many resets');
  });

  test.each([
    ['an update by nothing', (id: number) => windowUpdate(id, 0)],
    ['too large a window', (id: number) => windowUpdate(id, 2 ** 31 - 1)],
    ['data behind the end', (id: number) => data(id, 0)],
    ['headers behind the end', (id: number) => request(id, { end: true })],
  ])('requests that the server is made to reset: %s', (_, fault) => {
    const played = openConnection();
    const rounds = flood(played, 100, (n) =>
      Buffer.concat([request(2 * n + 1, { end: true }), fault(2 * n + 1)]),
    );
    expect(rounds).toBe(21);
    expect(lastWords(played)).toMatch(/ 11 too many resets$/);
  });

  test('resets now and then are no flood', () => {
    const played = openConnection();
    flood(played, 200, (n) => {
      played.nowNs += 1e9;
      return Buffer.concat([request(2 * n + 1), reset(2 * n + 1)]);
    });
    expect(played.http2.isClosed).toBe(false);
  });

  test('more streams than allowed: refused, then cut off', () => {
    const played = openConnection();
    const rounds = flood(played, 100, (n) => request(2 * n + 1));
    expect(rounds).toBe(8 + 5 + 1);
    expect(played.requests).toHaveLength(8);
    const words = played.takeWords();
    expect(words.filter((word) => word.endsWith(' 7'))).toHaveLength(5);
    expect(words.at(-1)).toMatch(/ 11 too many streams$/);
  });

  test('settings, read or not', () => {
    for (const isStuck of [false, true]) {
      const played = openConnection();
      played.transport.isStuck = isStuck;
      expect(flood(played, 5_000, () => SETTINGS)).toBeLessThan(1_001);
      expect(lastWords(played)).toMatch(/ 11 too many settings$/);
    }
  });

  test.each([
    ['pings', () => Buffer.concat(Array.from({ length: 1_000 }, () => PING))],
    [
      'headers of streams that are over',
      () => Buffer.concat(Array.from({ length: 1_000 }, () => request(1))),
    ],
  ])('%s, of which no answer is read', (_, next) => {
    const played = openConnection();
    played.send(request(1), reset(1));
    played.transport.isStuck = true;
    expect(flood(played, 1_000, next)).toBeLessThan(100);
    expect(lastWords(played)).toMatch(/ 11 answers to frames are not read$/);
    expect(played.transport.unsentBytes).toBeLessThan(UNSENT_BYTES_MAX);
  });

  test('pings whose answers are read are none here', () => {
    const played = openConnection();
    expect(flood(played, 2_000, () => PING)).toBe(2_000);
    expect(played.http2.isClosed).toBe(false);
    expect(played.pings).toBe(2_000);
  });
});

const streamIds = fc.integer({ min: 0, max: 11 });
const anyFrame = fc
  .record({
    type: fc.integer({ min: 0, max: 10 }),
    flags: fc.integer({ min: 0, max: 255 }),
    id: streamIds,
    payload: fc.uint8Array({ maxLength: 40 }),
  })
  .map(({ type, flags, id, payload }) => frame(type, flags, id, payload));
/** Mostly such as do not end the connection at once. */
const frames = fc.oneof(
  { weight: 1, arbitrary: anyFrame },
  {
    weight: 12,
    arbitrary: fc.tuple(streamIds, fc.boolean()).map(([id, end]) => request(id | 1, { end })),
  },
  {
    weight: 12,
    arbitrary: fc
      .tuple(streamIds, fc.integer({ min: 0, max: 9_000 }), fc.boolean())
      .map(([id, sizeBytes, end]) => data(id | 1, sizeBytes, end)),
  },
  {
    weight: 8,
    arbitrary: fc
      .tuple(streamIds, fc.integer({ min: 0, max: 100_000 }))
      .map(([id, bytes]) => windowUpdate(id <= 1 ? 0 : id | 1, bytes)),
  },
  { weight: 4, arbitrary: streamIds.map((id) => numberFrame(FRAME_TYPE.rstStream, id | 1, 8)) },
  { weight: 4, arbitrary: fc.integer({ min: 0, max: 70_000 }).map((size) => settings([4, size])) },
  { weight: 2, arbitrary: fc.constant(PING) },
);

/** Does with its streams what a server may do, as the dice fall. */
function playServer(played: PlayedConnection, dice: () => number): void {
  played.onRequest = (told) => {
    const { stream } = told;
    const act = (): void => {
      switch (dice()) {
        case 0:
          return stream.reset(8);
        case 1:
          return stream.pause();
        case 2:
          return stream.resume();
        case 3:
          return stream.end(TRAILERS);
        case 4:
          return stream.stopRequest();
        default:
          if (!stream.headersSent) stream.respond(OK_HEADERS);
          stream.write(new Uint8Array(dice() * 3_000));
      }
    };
    told.onData = act;
    told.onEnd = act;
    told.onWritable = act;
    act();
  };
}

test('whatever comes, nothing is thrown, and no more is kept than the bounds allow', () => {
  const dices = fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 1, maxLength: 50 });
  fc.assert(
    fc.property(
      fc.array(frames, { maxLength: 60 }),
      dices,
      fc.boolean(),
      (sent, rolls, isStuck) => {
        const played = openConnection({ resets: { burst: 1_000, perS: 1 }, refusedMax: 1_000 });
        let rolled = 0;
        playServer(played, () => rolls[rolled++ % rolls.length]!);
        played.transport.isStuck = isStuck;
        for (const bytes of sent) {
          played.send(bytes);
          expect(played.transport.unsentBytes).toBeLessThan(UNSENT_BYTES_MAX);
        }
        played.transport.isStuck = false;
        played.drain();
        expect(played.bugs).toEqual([]);
        played.http2.lost();
        for (const { events } of played.requests) {
          expect(events.filter((event) => event.startsWith('close'))).toHaveLength(1);
        }
        expect(played.http2.openStreams).toBe(0);
        // On each stream nothing follows its end but one reset.
        const over = new Map<number, number>();
        for (const { type, flags, streamId } of played.take()) {
          if (streamId === 0 || type === FRAME_TYPE.windowUpdate) continue;
          const isReset = type === FRAME_TYPE.rstStream;
          if (over.has(streamId)) expect(isReset).toBe(true);
          else if (isReset || (flags & FLAG.endStream) !== 0) over.set(streamId, type);
        }
      },
    ),
    { numRuns: 300 },
  );
});
