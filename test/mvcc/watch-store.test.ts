import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { assertNever } from '../../src/lib/assert.ts';
import { nameOf } from '../../src/lib/key-name.ts';
import type { StoredRevision } from '../../src/mvcc/revision-record.ts';
import { Store } from '../../src/mvcc/store.ts';
import { DEFAULT_WATCH_LIMITS, WatchHub } from '../../src/mvcc/watch-hub.ts';
import type { WatchStream } from '../../src/mvcc/watch-stream.ts';
import { type Action, action } from './arbitrary.ts';
import { RecordingOutlet, textOf, watchRequest } from './watch-history.ts';

/** Watchers of the real store, against what it said of each revision when it was applied. */

type Step =
  | { readonly type: 'act'; readonly action: Action }
  | { readonly type: 'watch'; readonly back: number; readonly key: string; readonly end: string }
  | { readonly type: 'tick' }
  | { readonly type: 'drain' };

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ type: fc.constant('act' as const), action }) },
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constant('watch' as const),
      back: fc.nat(10),
      key: fc.constantFrom('a', 'aa', 'b', 'c'),
      end: fc.constantFrom('', 'ab', 'c', 'e', '\0'),
    }),
  },
  { weight: 1, arbitrary: fc.constant<Step>({ type: 'tick' }) },
  { weight: 1, arbitrary: fc.constant<Step>({ type: 'drain' }) },
);

interface Told {
  readonly from: number;
  readonly isWatched: (name: string) => boolean;
  readonly got: string[];
  through: number;
  isGone: boolean;
}

class Bench {
  store = new Store();
  readonly hub = new WatchHub(this.store, { ...DEFAULT_WATCH_LIMITS, catchUpRowsMax: 8 });
  readonly outlet = new RecordingOutlet(2);
  readonly stream: WatchStream = this.hub.open(this.outlet, 1_000_000);
  readonly applied: StoredRevision[] = [];
  readonly told = new Map<number, Told>();
  #tick = 0;

  constructor() {
    this.outlet.onEvents = (id, revision, events) => {
      const told = this.told.get(id)!;
      told.got.push(...events.map((event) => textOf({ ...event, prevKv: undefined })));
      told.through = revision;
      this.expectAll(told);
      for (const { kv, prevKv } of events) {
        if (prevKv !== undefined) expect(prevKv.modRevision).toBeLessThan(kv.modRevision);
      }
    };
    this.outlet.onCompacted = (id) => {
      const told = this.told.get(id)!;
      expect(told.through + 1).toBeLessThan(this.store.compactRevision);
      told.isGone = true;
    };
  }

  perform(step: Step): void {
    switch (step.type) {
      case 'act':
        return this.#act(step.action);
      case 'watch':
        return this.#watch(step);
      case 'tick':
        return this.hub.tick(++this.#tick);
      case 'drain':
        return this.outlet.drain(this.stream);
      default:
        return assertNever(step);
    }
  }

  finish(): void {
    this.outlet.capacity = Number.POSITIVE_INFINITY;
    this.outlet.drain(this.stream);
    for (let i = 0; i < 200 && this.hub.stats().slowWatchers > 0; i++) this.hub.tick(++this.#tick);
    for (const told of this.told.values()) {
      if (told.isGone) continue;
      told.through = this.store.revision;
      this.expectAll(told);
    }
  }

  expectAll({ from, through, isWatched, got }: Told): void {
    const owed = this.applied
      .filter(({ main, keyValue }) => {
        return main >= from && main <= through && isWatched(nameOf(keyValue.key));
      })
      .map(({ main, tombstone, keyValue }) => {
        const kv = { ...keyValue, modRevision: main };
        return textOf({ type: tombstone ? 'delete' : 'put', kv, prevKv: undefined });
      });
    expect(got).toEqual(owed);
  }

  #act(action: Action): void {
    const { revision } = this.store;
    if (action.type === 'put') this.store.put(action.request);
    else if (action.type === 'deleteRange') this.store.deleteRange(action.request);
    else if (action.type === 'txn') this.store.txn(action.request);
    else if (action.type === 'compact') {
      this.store.compact(action.revision);
      while (this.store.compactStep(3)) this.hub.tick(++this.#tick);
    } else if (action.type === 'restart') {
      const image = this.store.image();
      const { compactRevision } = image;
      this.store = Store.restore({ compactRevision, revisions: image.revisions() });
      this.hub.replaced(this.store);
    }
    if (this.store.revision === revision) return;
    const changes = this.store.changesAt(this.store.revision);
    // A compaction at the very revision of a double change takes the first of both; services
    // refuse such transactions.
    const names = changes.map(({ keyValue }) => nameOf(keyValue.key));
    fc.pre(new Set(names).size === names.length);
    this.applied.push(...changes);
    this.hub.notify(this.store.revision, changes);
  }

  #watch({ back, key, end }: Extract<Step, { type: 'watch' }>): void {
    const from = Math.max(1, this.store.revision + 1 - back);
    const request = watchRequest(key, end, { startRevision: from, prevKv: true });
    const id = this.stream.watch(request);
    if (!id.ok) return;
    const isWatched = (name: string): boolean => {
      if (end === '') return name === key;
      return name >= key && (end === '\0' || name < end);
    };
    this.told.set(id.value, { from, isWatched, got: [], through: from - 1, isGone: false });
  }
}

describe('watchers of the store', () => {
  test('are told of everything that was applied, once and in order', () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 60, size: 'max' }), (steps) => {
        const bench = new Bench();
        for (const one of steps) bench.perform(one);
        bench.finish();
      }),
      { seed: 20_260_403, numRuns: 300 },
    );
  });
});
