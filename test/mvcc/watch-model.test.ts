import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { assertNever } from '../../src/lib/assert.ts';
import { WatchHub } from '../../src/mvcc/watch-hub.ts';
import {
  NO_WATCH_ID,
  type WatchCreateRequest,
  type WatchFilter,
} from '../../src/mvcc/watch-request.ts';
import { SpanTree } from '../../src/mvcc/watch-span-tree.ts';
import type { WatchStream } from '../../src/mvcc/watch-stream.ts';
import {
  RecordingOutlet,
  textOf,
  WatchHistory,
  type Writes,
  watchRequest,
} from './watch-history.ts';

const SEED = 20_260_402;
const STREAMS = 3;

type Step =
  | { readonly type: 'write'; readonly writes: Writes }
  | { readonly type: 'compact'; readonly behind: number }
  | { readonly type: 'watch'; readonly stream: number; readonly offset: number; readonly of: Of }
  | { readonly type: 'cancel'; readonly stream: number; readonly nth: number }
  | { readonly type: 'tick'; readonly ticks: number }
  | { readonly type: 'drain'; readonly stream: number }
  | { readonly type: 'progress'; readonly stream: number }
  | { readonly type: 'replace'; readonly writes: readonly Writes[]; readonly behind: number };

interface Of {
  readonly key: string;
  readonly end: string;
  readonly prevKv: boolean;
  readonly progressNotify: boolean;
  readonly filters: readonly WatchFilter[];
}

const name = fc.constantFrom('a', 'aa', 'ab', 'b', 'c', 'd');
const writes: fc.Arbitrary<Writes> = fc.dictionary(
  name,
  fc.option(fc.constantFrom('', 'u', 'v', 'a longer value'), { nil: undefined, freq: 3 }),
  { minKeys: 1, maxKeys: 3, noNullPrototype: true },
);
const behind = fc.nat(6);
const of: fc.Arbitrary<Of> = fc.record({
  key: name,
  end: fc.constantFrom('', '', 'ab', 'b', 'c', 'e', '\0'),
  prevKv: fc.boolean(),
  progressNotify: fc.boolean(),
  filters: fc.subarray<WatchFilter>(['noPut', 'noDelete']).map((all) => all.slice(0, 1)),
});
const stream = fc.nat(STREAMS - 1);
/** Against the present revision; undefined: from now on. */
const offset = fc.integer({ min: -8, max: 3 });

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ type: fc.constant('write' as const), writes }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('compact' as const), behind }) },
  { weight: 4, arbitrary: fc.record({ type: fc.constant('watch' as const), stream, offset, of }) },
  {
    weight: 1,
    arbitrary: fc.record({ type: fc.constant('cancel' as const), stream, nth: fc.nat(5) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ type: fc.constant('tick' as const), ticks: fc.constantFrom(1, 1, 20) }),
  },
  { weight: 4, arbitrary: fc.record({ type: fc.constant('drain' as const), stream }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('progress' as const), stream }) },
  {
    weight: 1,
    arbitrary: fc.record({
      type: fc.constant('replace' as const),
      writes: fc.array(writes, { maxLength: 5 }),
      behind,
    }),
  },
);

interface Told {
  readonly id: number;
  readonly request: WatchCreateRequest;
  /** First revision that it is owed. */
  readonly from: number;
  /** It was told of all before this one. */
  next: number;
  /** Compaction may have taken what was before this event. */
  readonly got: string[];
  end: 'open' | 'compacted' | 'cancelled';
}

/** One hub under test, and what its watchers have been told. */
class Bench {
  history = new WatchHistory();
  readonly hub: WatchHub;
  readonly outlets: RecordingOutlet[] = [];
  readonly streams: WatchStream[] = [];
  readonly told: Told[][] = [];
  now = 0;

  constructor(capacities: readonly number[]) {
    this.hub = new WatchHub(this.history, {
      watchersMax: 1000,
      watchersPerStreamMax: 1000,
      notifiedMax: 3,
      catchUpWatchersMax: 4,
      catchUpRowsMax: 12,
      responseBytesMax: 30,
    });
    for (const capacity of capacities) this.#open(capacity);
  }

  perform(step: Step): void {
    switch (step.type) {
      case 'write':
        return this.#write(step.writes);
      case 'compact':
        return this.history.compact(this.history.revision - step.behind);
      case 'watch':
        return this.#watch(step);
      case 'cancel': {
        const open = this.told[step.stream]!.filter(({ end }) => end === 'open');
        const told = open[step.nth];
        if (told === undefined) return;
        expect(this.streams[step.stream]!.cancel(told.id)).toBe(true);
        told.end = 'cancelled';
        return;
      }
      case 'tick':
        this.now += step.ticks;
        return this.hub.tick(this.now);
      case 'drain':
        return this.outlets[step.stream]!.drain(this.streams[step.stream]!);
      case 'progress':
        return this.streams[step.stream]!.requestProgress();
      case 'replace': {
        this.history = this.history.copy();
        for (const writes of step.writes) this.history.write(writes);
        this.history.compact(this.history.revision - step.behind);
        return this.hub.replaced(this.history);
      }
      default:
        return assertNever(step);
    }
  }

  /** Everybody takes everything: who is not told why not has been told all. */
  finish(): void {
    for (const outlet of this.outlets) outlet.capacity = Number.POSITIVE_INFINITY;
    this.streams.forEach((stream, at) => {
      this.outlets[at]!.drain(stream);
    });
    for (let i = 0; i < 200 && this.hub.stats().slowWatchers > 0; i++) {
      this.hub.tick(++this.now);
    }
    expect(this.hub.stats().slowWatchers).toBe(0);
    for (const told of this.told.flat()) {
      if (told.end === 'open') this.#expectAll(told, this.history.revision);
    }
  }

  #open(capacity: number): void {
    const outlet = new RecordingOutlet(capacity);
    const all: Told[] = [];
    const find = (id: number): Told => {
      const told = all.findLast((other) => other.id === id);
      expect(told?.end, `watcher ${id}`).toBe('open');
      return told!;
    };
    outlet.onEvents = (id, revision, events) => {
      const told = find(id);
      expect(events.length).toBeGreaterThan(0);
      expect(revision).toBeGreaterThanOrEqual(told.next);
      told.got.push(...events.map(textOf));
      told.next = revision + 1;
      this.#expectAll(told, revision);
    };
    outlet.onCompacted = (id, compactRevision) => {
      const told = find(id);
      expect(compactRevision).toBe(this.history.compactRevision);
      expect(told.next).toBeLessThan(compactRevision);
      this.#expectAll(told, told.next - 1);
      told.end = 'compacted';
    };
    outlet.onProgress = (id, revision) => {
      expect(revision).toBe(this.history.revision);
      const concerned = id === NO_WATCH_ID ? all.filter(({ end }) => end === 'open') : [find(id)];
      expect(concerned.length).toBeGreaterThan(0);
      for (const told of concerned) {
        expect(told.request.startRevision).toBeLessThanOrEqual(revision);
        this.#expectAll(told, revision);
      }
    };
    this.outlets.push(outlet);
    this.told.push(all);
    this.streams.push(this.hub.open(outlet, 15));
  }

  #write(writes: Writes): void {
    const changes = this.history.write(writes);
    if (changes.length > 0) this.hub.notify(this.history.revision, changes);
  }

  #watch({ stream, offset, of }: Extract<Step, { type: 'watch' }>): void {
    const { revision } = this.history;
    const { key, end, ...options } = of;
    const startRevision = offset === 0 ? 0 : Math.max(1, revision + offset);
    const request = watchRequest(key, end, { ...options, startRevision });
    const watched = this.streams[stream]!.watch(request);
    if (!watched.ok) {
      expect([watched.error, end !== '' && end !== '\0' && end <= key]).toEqual([
        'emptyRange',
        true,
      ]);
      return;
    }
    const from = startRevision === 0 ? revision + 1 : startRevision;
    this.told[stream]!.push({
      id: watched.value,
      request,
      from,
      next: from,
      got: [],
      end: 'open',
    });
  }

  /** Everything up to `to`, once, in order; values before may be missing if compacted. */
  #expectAll(told: Told, to: number): void {
    const owed = this.history.owed(told.request, told.from, to);
    const withoutPrevious = (text: string): string => text.replace(/ was .*/, '');
    expect(told.got.map(withoutPrevious)).toEqual(owed.map(withoutPrevious));
    told.got.forEach((text, at) => {
      if (text === owed[at]) return;
      const revision = Number.parseInt(text, 10);
      expect(text).not.toContain(' was ');
      expect(revision).toBeLessThanOrEqual(this.history.compactRevision);
    });
  }
}

describe('watchers and the model', () => {
  test('every event once, in order, whole, and progress never ahead', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(1, 2, 100), { minLength: STREAMS, maxLength: STREAMS }),
        fc.array(step, { minLength: 1, maxLength: 80, size: 'max' }),
        (capacities, steps) => {
          const bench = new Bench(capacities);
          for (const one of steps) bench.perform(one);
          bench.finish();
        },
      ),
      { seed: SEED, numRuns: 1000 },
    );
  });
});

describe('intervals', () => {
  const interval = fc.record({
    from: fc.constantFrom('a', 'ab', 'b', 'ba', 'c', 'd', 'e'),
    end: fc.constantFrom('b', 'bb', 'c', 'cc', 'd', 'f', undefined),
  });

  test('are found as by looking at all of them', () => {
    fc.assert(
      fc.property(fc.array(interval, { maxLength: 60, size: 'max' }), (toggled) => {
        const tree = new SpanTree<string>();
        const naive = new Map<string, { from: string; end: string | undefined }>();
        for (const one of toggled) {
          const id = `${one.from}-${one.end ?? ''}`;
          expect(tree.get(one)).toBe(naive.has(id) ? id : undefined);
          if (naive.delete(id)) tree.remove(one);
          else {
            naive.set(id, one);
            tree.insert(one, id);
          }
          expect(tree.size).toBe(naive.size);
          for (const key of ['', 'a', 'aa', 'b', 'bb', 'c', 'd', 'e', 'f', 'z']) {
            const found: string[] = [];
            tree.visit(key, (value) => found.push(value));
            const expected = [...naive]
              .filter(([, { from, end }]) => from <= key && (end === undefined || key < end))
              .map(([value]) => value);
            expect([...found].sort()).toEqual(expected.sort());
          }
        }
      }),
      { seed: SEED, numRuns: 300 },
    );
  });

  test('ten thousand, in order, stay cheap to find', () => {
    const tree = new SpanTree<number>();
    const names = Array.from({ length: 10_000 }, (_, i) => String(i).padStart(5, '0'));
    names.forEach((from, at) => {
      tree.insert({ from, end: `${from}~` }, at);
    });
    let visited = 0;
    for (const key of names) tree.visit(key, () => visited++);
    expect(visited).toBe(names.length);
    for (const from of names) tree.remove({ from, end: `${from}~` });
    expect(tree.size).toBe(0);
  });
});
