/** Links on a fake clock: what they do to streams, and what they never do. */

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { GOOD_LINKS, type LinkQuality } from '../../harness/network/link-quality.ts';
import { BURST_MS, LinkShaper, PIECE_BYTES_MAX } from '../../harness/network/link-shaper.ts';
import type { ShapedStream } from '../../harness/network/shaped-stream.ts';
import { seededRandom } from '../../harness/seeded-random.ts';
import { ManualClock } from './manual-clock.ts';

interface Arrival {
  readonly atMs: number;
  readonly bytes: readonly number[];
}

/** One link and one stream on it. */
class Bench {
  readonly clock: ManualClock = new ManualClock();
  readonly link: LinkShaper;
  readonly arrivals: Arrival[] = [];
  readonly stream: ShapedStream;
  rooms = 0;

  constructor(quality: Partial<LinkQuality>, seed = 1) {
    this.link = new LinkShaper(this.clock, seededRandom(seed));
    this.link.setQuality({ ...GOOD_LINKS, ...quality });
    this.stream = this.open();
  }

  open(arrivals: Arrival[] = this.arrivals): ShapedStream {
    return this.link.open(
      (piece) => arrivals.push({ atMs: this.clock.nowNs() / 1e6, bytes: [...piece] }),
      () => {
        this.rooms += 1;
      },
    );
  }

  get bytes(): number[] {
    return this.arrivals.flatMap(({ bytes }) => bytes);
  }
}

const numbered = (count: number, first = 0): Uint8Array =>
  Uint8Array.from({ length: count }, (_, at) => (first + at) % 251);

describe('a link', () => {
  test('that is good passes bytes on as they come', () => {
    const bench = new Bench({});
    bench.stream.push(numbered(3));
    expect(bench.arrivals).toEqual([{ atMs: 0, bytes: [0, 1, 2] }]);
    expect(bench.stream.isEmpty).toBe(true);
    expect(bench.link.tally).toMatchObject({ delayed: 0, carried: 0, thinBytes: 0 });
  });

  test('with a delay delivers everything exactly that much later, and says so', () => {
    const bench = new Bench({ delayMs: 50 });
    bench.stream.push(numbered(1));
    bench.clock.advance(20);
    bench.stream.push(numbered(1, 1));
    bench.clock.advance(29);
    expect(bench.arrivals).toEqual([]);
    bench.clock.advance(100);
    expect(bench.arrivals).toEqual([
      { atMs: 50, bytes: [0] },
      { atMs: 70, bytes: [1] },
    ]);
    expect(bench.link.tally).toMatchObject({ delayed: 2, delayedSumMs: 100 });
  });

  test.each(['uniform', 'normal', 'pareto'] as const)('spreads delays: %s', (distribution) => {
    const bench = new Bench({ delayMs: 100, jitterMs: 20, distribution });
    for (let at = 0; at < 400; at++) {
      bench.stream.push(numbered(1, at));
      // Far enough apart that none waits for another.
      bench.clock.advance(1_000);
    }
    const lateMs = bench.arrivals.map(({ atMs }, at) => atMs - at * 1_000);
    const meanMs = lateMs.reduce((sum, each) => sum + each, 0) / lateMs.length;
    const expectedMs = distribution === 'pareto' ? 120 : 100;
    expect(Math.abs(meanMs - expectedMs)).toBeLessThan(6);
    expect(new Set(lateMs).size).toBeGreaterThan(15);
    const [leastMs, mostMs] = { uniform: [80, 121], normal: [40, 161], pareto: [100, 501] }[
      distribution
    ] as [number, number];
    expect(Math.min(...lateMs)).toBeGreaterThanOrEqual(leastMs);
    expect(Math.max(...lateMs)).toBeLessThanOrEqual(mostMs);
  });

  test('that loses a single segment delivers it a retransmission timeout later', () => {
    const always = new Bench({ lossPercent: 100 });
    always.stream.push(numbered(10));
    always.clock.advance(60_000);
    // 201 ms, doubled five times: all six time-outs.
    expect(always.arrivals.map(({ atMs }) => atMs)).toEqual([201 * 63]);
    expect(always.link.tally).toMatchObject({ carried: 7, lost: 6 });
  });

  test('loses about the share asked for, and late pieces hold up those behind', () => {
    const bench = new Bench({ lossPercent: 10 });
    for (let at = 0; at < 2_000; at++) {
      bench.stream.push(numbered(1, at));
      bench.clock.advance(5);
    }
    bench.clock.advance(60_000);
    const { carried, lost } = bench.link.tally;
    expect(carried).toBe(2_000 + lost);
    expect((100 * lost) / carried).toBeGreaterThan(8);
    expect((100 * lost) / carried).toBeLessThan(12);
    expect(bench.bytes).toEqual([...numbered(2_000)]);
    const late = bench.arrivals.filter(({ atMs }, at) => atMs - at * 5 > 150);
    expect(late.length).toBeGreaterThan(100);
  });

  test('with three segments behind the lost one is quicker: it needs no timer', () => {
    const slowest = (behind: number): number => {
      const lateMs = Array.from({ length: 60 }, (_, seed) => {
        const bench = new Bench({ lossPercent: 20, delayMs: 10 }, seed);
        bench.stream.push(numbered(1_448 * (behind + 1)));
        const first = (): number | undefined => bench.arrivals[0]?.atMs;
        while (first() === undefined) bench.clock.advance(1);
        return first()!;
      });
      return lateMs.filter((each) => each > 10).sort((a, b) => a - b)[0]!;
    };
    expect(slowest(0)).toBe(230);
    expect(slowest(3)).toBe(30);
  });

  test('that is thin gives its streams a piece each in turn', () => {
    const bench = new Bench({ rateBytesPerS: 100_000 });
    const other: Arrival[] = [];
    const second = bench.open(other);
    bench.stream.push(numbered(50_000));
    second.push(numbered(100));
    bench.clock.advance(40);
    expect(other.flatMap(({ bytes }) => bytes)).toHaveLength(100);
    expect(bench.bytes.length).toBeLessThan(10_000);
    bench.clock.advance(10_000);
    expect(bench.bytes).toHaveLength(50_000);
    const { thinBytes, thinMs } = bench.link.tally;
    expect((1000 * thinBytes) / thinMs).toBeGreaterThan(90_000);
    expect((1000 * thinBytes) / thinMs).toBeLessThan(110_000);
  });

  test('is full at a bound, and says when there is room again', () => {
    const bench = new Bench({ rateBytesPerS: 100_000 });
    bench.stream.push(numbered(300_000));
    expect(bench.stream.isFull).toBe(true);
    bench.clock.advance(1_000);
    expect(bench.stream.isFull).toBe(false);
    expect(bench.rooms).toBe(1);
  });

  test('that becomes good delivers at once what it holds, in order', () => {
    const bench = new Bench({ delayMs: 500, rateBytesPerS: 10_000 });
    bench.stream.push(numbered(20_000));
    bench.clock.advance(300);
    expect(bench.bytes.length).toBe(0);
    bench.link.setQuality(GOOD_LINKS);
    expect(bench.bytes).toEqual([...numbered(20_000)]);
    bench.stream.push(numbered(1));
    expect(bench.bytes).toHaveLength(20_001);
  });

  test('tells the end of a stream after its last byte, and nothing after it was closed', () => {
    const bench = new Bench({ delayMs: 10 });
    const seen: string[] = [];
    bench.stream.push(numbered(4));
    bench.stream.whenEmpty(() => seen.push(`end after ${bench.bytes.length}`));
    bench.clock.advance(9);
    expect(seen).toEqual([]);
    bench.clock.advance(2);
    expect(seen).toEqual(['end after 4']);
    bench.stream.push(numbered(4));
    bench.stream.whenEmpty(() => seen.push('never'));
    bench.stream.close();
    bench.clock.advance(1_000);
    expect(seen).toHaveLength(1);
    expect(bench.bytes).toHaveLength(4);
  });
});

const qualities: fc.Arbitrary<LinkQuality> = fc.record({
  lossPercent: fc.constantFrom(0, 0, 1, 10, 50, 100),
  duplicatePercent: fc.constant(0),
  delayMs: fc.constantFrom(0, 1, 30, 200),
  jitterMs: fc.constantFrom(0, 0, 5, 150),
  distribution: fc.constantFrom('uniform', 'normal', 'pareto'),
  reorders: fc.constant(false),
  rateBytesPerS: fc.constantFrom(0, 0, 3_000, 100_000, 10_000_000),
});

type Action =
  | { readonly do: 'push'; readonly stream: number; readonly size: number }
  | { readonly do: 'wait'; readonly ms: number }
  | { readonly do: 'quality'; readonly quality: LinkQuality };

const actions: fc.Arbitrary<Action> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('push' as const),
      stream: fc.nat(1),
      size: fc.oneof(fc.integer({ min: 1, max: 200 }), fc.integer({ min: 1, max: 8_000 })),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('wait' as const),
      ms: fc.integer({ min: 0, max: 300 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('quality' as const), quality: qualities }) },
);

describe('any link', () => {
  test('delivers what it was given, complete and in order, whatever its quality', () => {
    fc.assert(
      fc.property(
        qualities,
        fc.array(actions, { maxLength: 40 }),
        fc.nat(),
        (first, acts, seed) => {
          const bench = new Bench(first, seed);
          const other: Arrival[] = [];
          const streams = [bench.stream, bench.open(other)];
          const pushed: number[][] = [[], []];
          for (const act of acts) {
            if (act.do === 'wait') bench.clock.advance(act.ms);
            if (act.do === 'quality') bench.link.setQuality(act.quality);
            if (act.do === 'push') {
              const bytes = numbered(act.size, pushed[act.stream]!.length);
              pushed[act.stream]!.push(...bytes);
              streams[act.stream]!.push(bytes);
            }
          }
          bench.clock.advance(600_000);
          expect(bench.bytes).toEqual(pushed[0]);
          expect(other.flatMap(({ bytes }) => bytes)).toEqual(pushed[1]);
          expect(streams.every(({ isEmpty }) => isEmpty)).toBe(true);
        },
      ),
      { numRuns: 150 },
    );
  });

  test('carries no more than its rate in any window, and no less while bytes wait', () => {
    const rates = fc.constantFrom(5_000, 50_000, 1_000_000);
    const sizes = fc.array(fc.integer({ min: 1, max: 20_000 }), { minLength: 1, maxLength: 15 });
    fc.assert(
      fc.property(rates, sizes, (rateBytesPerS, pushes) => {
        const bench = new Bench({ rateBytesPerS });
        for (const size of pushes) bench.stream.push(numbered(size));
        const total = pushes.reduce((sum, size) => sum + size, 0);
        bench.clock.advance(Math.ceil((1000 * total) / rateBytesPerS) + 1);
        expect(bench.bytes).toHaveLength(total);
        const pieceMost = Math.max(...bench.arrivals.map(({ bytes }) => bytes.length));
        expect(pieceMost).toBeLessThanOrEqual(PIECE_BYTES_MAX);
        let sent = 0;
        for (const { atMs, bytes } of bench.arrivals) {
          sent += bytes.length;
          const allowed = (rateBytesPerS * (atMs + BURST_MS)) / 1000 + pieceMost;
          expect(sent).toBeLessThanOrEqual(allowed);
        }
      }),
      { numRuns: 100 },
    );
  });
});
