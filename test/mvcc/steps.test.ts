import fc from 'fast-check';
import { expect, test } from 'vitest';
import { assertNever } from '../../src/lib/assert.ts';
import { utf8Encode } from '../../src/lib/utf8.ts';
import type { HashKvSteps } from '../../src/mvcc/hash-kv.ts';
import type { RangeCursor } from '../../src/mvcc/range-cursor.ts';
import type { KeyValue, RangeRequest } from '../../src/mvcc/request.ts';
import { Store, type StoreImage } from '../../src/mvcc/store.ts';
import { PlainStore } from './plain-store.ts';
import { deleteOp, OPEN_END, putOp, rangeRequest, txnRequest } from './requests.ts';

/** Writes, steps of compaction and defragmentation, and readers that rest half-way, in any order. */

const SEED = 20260501;
const KEYS = 60;
const ALL = rangeRequest('\0', OPEN_END);

type Step =
  /** So many revisions of random changes: enough for several chunks and slabs. */
  | { readonly type: 'write'; readonly revisions: number; readonly seed: number }
  | { readonly type: 'compact'; readonly part: number }
  | { readonly type: 'compactStep'; readonly rows: number; readonly times: number }
  | { readonly type: 'defragmentStep'; readonly bytes: number; readonly times: number }
  | { readonly type: 'image' | 'release' | 'restart' }
  | { readonly type: 'open' | 'hash' | 'read'; readonly part: number }
  | { readonly type: 'advance'; readonly by: number };

const part = fc.nat(100);
const times = fc.constantFrom(1, 3, 1000);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      type: fc.constant('write'),
      revisions: fc.constantFrom(1, 20, 150),
      seed: fc.nat(),
    }),
  },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('compact'), part }) },
  {
    weight: 4,
    arbitrary: fc.record({
      type: fc.constant('compactStep'),
      rows: fc.constantFrom(1, 50, 1000),
      times,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constant('defragmentStep'),
      bytes: fc.constantFrom(1, 3000, 1e6),
      times,
    }),
  },
  { weight: 3, arbitrary: fc.record({ type: fc.constantFrom('image', 'release') }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('restart') }) },
  { weight: 4, arbitrary: fc.record({ type: fc.constantFrom('open', 'hash', 'read'), part }) },
  {
    weight: 4,
    arbitrary: fc.record({ type: fc.constant('advance'), by: fc.integer({ min: 1, max: 40 }) }),
  },
);

test('what is read depends on no step, and no reader on what is done meanwhile', () => {
  fc.assert(
    fc.property(fc.array(step, { minLength: 5, maxLength: 40, size: 'max' }), (steps) => {
      const pair = new Pair();
      for (const each of steps) pair.perform(each);
      pair.finish();
    }),
    { seed: SEED, numRuns: 100 },
  );
});

/** A store, and what it must answer. */
class Pair {
  #store = new Store();
  readonly #plain = new PlainStore();
  #readers: Reader[] = [];

  perform(step: Step): void {
    switch (step.type) {
      case 'write':
        return this.#write(step.revisions, step.seed);
      case 'compact':
        return this.#compact(step.part);
      case 'compactStep':
        for (let at = 0; at < step.times && this.#store.compactStep(step.rows); at++);
        return this.#compare();
      case 'defragmentStep':
        for (let at = 0; at < step.times && this.#store.defragmentStep(step.bytes); at++);
        return this.#compare();
      case 'image':
        this.#readers.push(new ImageReader(this.#store.image(), this.#plain.retained()));
        return;
      case 'open':
        return this.#open(step.part);
      case 'hash':
        return this.#startHash(step.part);
      case 'read':
        return this.#read(this.#revisionAt(step.part));
      case 'advance':
        for (const reader of this.#readers) reader.advance(step.by);
        return;
      case 'release':
        this.#readers.shift()?.finish();
        return;
      case 'restart':
        return this.#restart();
      default:
        return assertNever(step);
    }
  }

  /** Then everything can be removed, and the rows are exactly those of a fresh load. */
  finish(): void {
    for (const reader of this.#readers) reader.finish();
    this.#readers = [];
    while (this.#store.compactStep(100));
    expect(this.#store.isCompacting).toBe(false);
    expect(this.#store.finishedCompactRevision).toBe(this.#plain.compactRevision);
    while (this.#store.defragmentStep(10_000));
    this.#compare();
    const fresh = Store.restore({ compactRevision: 0, revisions: this.#plain.retained() });
    expect(this.#store.sizeInUseBytes).toBe(fresh.sizeInUseBytes);
    expect(this.#store.sizeBytes).toBe(fresh.sizeBytes);
  }

  #write(revisions: number, seed: number): void {
    let state = seed >>> 0;
    const random = (below: number): number => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return Math.floor((state / 2 ** 32) * below);
    };
    for (let at = 0; at < revisions; at++) {
      const changes = Array.from({ length: 1 + random(3) }, (_, nth) => ({
        key: `${nth}/${random(KEYS)}`,
        value: random(4) === 0 ? undefined : 'v'.repeat(random(200)),
      }));
      this.#plain.write(changes);
      const success = changes.map(({ key, value }) =>
        value === undefined ? deleteOp(key) : putOp(key, value),
      );
      expect(this.#store.txn(txnRequest({ success })).ok).toBe(true);
      const written = this.#plain.rows.filter(({ main }) => main === this.#plain.revision);
      if (at === 0) expect(this.#store.changesAt(this.#plain.revision)).toEqual(written);
    }
    this.#compare();
  }

  #compact(at: number): void {
    const revision = this.#revisionAt(at);
    const isRefused = revision <= this.#plain.compactRevision;
    expect(this.#store.compact(revision).ok).toBe(!isRefused);
    if (!isRefused) this.#plain.compactRevision = revision;
    this.#compare();
  }

  #open(at: number): void {
    const revision = this.#revisionAt(at);
    const request = cursorRequest(at, revision);
    const expected = this.#store.range(request);
    const cursor = this.#store.openRange(request);
    if (!cursor.ok || !expected.ok) throw new Error('a readable revision was refused');
    this.#readers.push(new CursorReader(cursor.value, expected.value));
  }

  #startHash(at: number): void {
    const revision = this.#revisionAt(at);
    const hash = this.#store.hashKvSteps(revision);
    if (!hash.ok) throw new Error(hash.error);
    this.#readers.push(new HashReader(hash.value, this.#plain.hash(revision)));
  }

  #read(revision: number): void {
    const all = this.#store.range({ ...ALL, revision });
    expect(all).toEqual({
      ok: true,
      value: { kvs: this.#plain.allAt(revision), more: false, count: expect.any(Number) },
    });
    const key = `0/${revision % KEYS}`;
    expect(this.#store.liveAt(utf8Encode(key), revision)).toEqual(
      this.#plain.liveAt(key, revision),
    );
    const changes = [];
    let next = revision;
    while (next <= this.#plain.revision) {
      const page = this.#store.changesFrom(next, 7);
      expect(page.nextRevision).toBeGreaterThan(next);
      expect(page.changes.every(({ main }) => main >= next && main < page.nextRevision)).toBe(true);
      changes.push(...page.changes);
      next = page.nextRevision;
    }
    const expected = this.#plain.retained().filter(({ main }) => main >= revision);
    expect(changes).toEqual(expected);
  }

  #compare(): void {
    const { revision, compactRevision } = this.#plain;
    expect(this.#store.revision).toBe(revision);
    expect(this.#store.compactRevision).toBe(compactRevision);
    expect(this.#store.keyCount).toBe(this.#plain.allAt(revision).length);
    const hash = { hash: this.#plain.hash(revision), compactRevision, hashRevision: revision };
    expect(this.#store.hashKv(0)).toEqual({ ok: true, value: hash });
    expect(this.#store.sizeBytes).toBeGreaterThanOrEqual(this.#store.sizeInUseBytes);
  }

  #restart(): void {
    const image = this.#store.image();
    const revisions = [...image.revisions()];
    expect(revisions).toEqual(this.#plain.retained());
    image.release();
    const { compactRevision } = image;
    this.#store = Store.restore({ compactRevision, revisions }, { hashSeed: revisions.length });
    this.#compare();
  }

  /** One of the readable ones, 0 and 100 are the first and the last. */
  #revisionAt(at: number): number {
    const { revision, compactRevision } = this.#plain;
    const first = Math.max(1, compactRevision);
    return first + Math.floor(((revision - first) * at) / 100);
  }
}

/** Reads on whatever happens to the store, and compares at the end. */
interface Reader {
  advance(by: number): void;
  finish(): void;
}

class ImageReader implements Reader {
  readonly #image: StoreImage;
  readonly #rows: Iterator<unknown>;
  readonly #expected: readonly unknown[];
  #at = 0;

  constructor(image: StoreImage, expected: readonly unknown[]) {
    this.#image = image;
    this.#rows = image.revisions()[Symbol.iterator]();
    this.#expected = expected;
  }

  advance(by: number): void {
    for (let count = 0; count < by; count++) {
      const row = this.#rows.next();
      expect(row.done === true).toBe(this.#at >= this.#expected.length);
      if (row.done !== true) expect(row.value).toEqual(this.#expected[this.#at++]);
    }
  }

  finish(): void {
    this.advance(this.#expected.length + 1 - this.#at);
    expect([...this.#image.revisions()].length).toBe(this.#expected.length);
    this.#image.release();
  }
}

class CursorReader implements Reader {
  readonly #cursor: RangeCursor;
  readonly #expected: { kvs: readonly KeyValue[]; count: number; more: boolean };
  readonly #kvs: KeyValue[] = [];
  #isDone = false;

  constructor(
    cursor: RangeCursor,
    expected: { kvs: readonly KeyValue[]; count: number; more: boolean },
  ) {
    this.#cursor = cursor;
    // Views would tell nothing of what becomes of the bytes.
    this.#expected = structuredClone(expected);
  }

  advance(by: number): void {
    if (this.#isDone) return;
    const { kvs, done } = this.#cursor.next(by, by * 50);
    expect(kvs.length).toBeLessThanOrEqual(by);
    this.#kvs.push(...kvs);
    this.#isDone = done;
  }

  finish(): void {
    while (!this.#isDone) this.advance(10);
    expect(this.#kvs).toEqual(this.#expected.kvs);
    expect(this.#cursor.count).toBe(this.#expected.count);
    expect(this.#cursor.more).toBe(this.#expected.more);
    this.#cursor.release();
  }
}

class HashReader implements Reader {
  readonly #steps: HashKvSteps;
  readonly #expected: number;

  constructor(steps: HashKvSteps, expected: number) {
    this.#steps = steps;
    this.#expected = expected;
  }

  advance(by: number): void {
    const result = this.#steps.step(by);
    if (result !== undefined) expect(result.hash).toBe(this.#expected);
  }

  finish(): void {
    expect(this.#steps.step(100_000)?.hash).toBe(this.#expected);
    this.#steps.release();
  }
}

/** A request of any shape; `at` chooses. */
function cursorRequest(at: number, revision: number): RangeRequest {
  const orders = ['none', 'ascend', 'descend'] as const;
  const targets = ['key', 'key', 'value', 'mod', 'version', 'create'] as const;
  return {
    ...ALL,
    revision,
    limit: [0, 0, 1, 10, 40][at % 5]!,
    sortOrder: orders[at % 3]!,
    sortTarget: targets[(at >> 1) % 6]!,
    keysOnly: at % 7 === 0,
    countOnly: at % 11 === 0,
    minModRevision: at % 4 === 0 ? Math.floor(revision / 2) : 0,
  };
}
