import { describe, expect, test } from 'vitest';
import { AssertionError } from '../../src/lib/assert.ts';
import type { RangeCursor } from '../../src/mvcc/range-cursor.ts';
import type { KeyValue, RangeRequest } from '../../src/mvcc/request.ts';
import { SortedRuns } from '../../src/mvcc/sorted-runs.ts';
import { Store } from '../../src/mvcc/store.ts';
import { deleteRequest, OPEN_END, putRequest, rangeRequest } from './requests.ts';

function filled(keys: number): Store {
  const store = new Store();
  for (let at = 0; at < keys; at++) {
    store.put(putRequest(`k${String((at * 7) % keys).padStart(5, '0')}`, `v${at % 100}`));
  }
  return store;
}

function open(store: Store, request: RangeRequest): RangeCursor {
  const cursor = store.openRange(request);
  if (!cursor.ok) throw new Error(cursor.error);
  return cursor.value;
}

function drain(cursor: RangeCursor, keysMax: number, bytesMax = 1e9): KeyValue[] {
  const kvs: KeyValue[] = [];
  for (;;) {
    const part = cursor.next(keysMax, bytesMax);
    kvs.push(...part.kvs);
    if (part.done) return kvs;
  }
}

const ALL = rangeRequest('\0', OPEN_END);

describe('a cursor', () => {
  test.each([
    ['in key order', ALL],
    ['from a key to another', rangeRequest('k00100', 'k02000')],
    ['of one key', rangeRequest('k00100')],
    ['of a missing key', rangeRequest('x')],
    ['with a limit', rangeRequest('\0', OPEN_END, { limit: 700 })],
    ['backwards', rangeRequest('\0', OPEN_END, { sortOrder: 'descend', limit: 2500 })],
    ['by value', rangeRequest('\0', OPEN_END, { sortTarget: 'value', sortOrder: 'ascend' })],
    ['by value, down', rangeRequest('\0', OPEN_END, { sortTarget: 'value', sortOrder: 'descend' })],
    ['by value, no order, a limit', rangeRequest('\0', OPEN_END, { sortTarget: 'mod', limit: 30 })],
    ['filtered', rangeRequest('\0', OPEN_END, { minModRevision: 900, maxModRevision: 1900 })],
    ['of the past', rangeRequest('\0', OPEN_END, { revision: 1234, sortOrder: 'descend' })],
    ['only counting', rangeRequest('\0', OPEN_END, { countOnly: true })],
  ])('gives what a range gives: %s', (_, request) => {
    const store = filled(3_000);
    const expected = store.range(request);
    for (const keysMax of [1, 64, 100_000]) {
      const cursor = open(store, request);
      const kvs = drain(cursor, keysMax);
      const { count, more } = cursor;
      expect({ ok: true, value: { kvs, more, count } }).toEqual(expected);
      cursor.release();
    }
  });

  test('keeps its parts within their bounds', () => {
    const cursor = open(filled(1_000), ALL);
    expect(cursor.next(10, 1e9).kvs.length).toBe(10);
    expect(cursor.next(500, 30).kvs.length).toBe(4);
    expect(cursor.next(500, 1).kvs.length).toBe(1);
    expect(cursor.count).toBe(15);
  });

  test('reads its revision, whatever is done meanwhile, until it is released', () => {
    const store = filled(1_000);
    const expected = store.range(ALL);
    const cursor = open(store, ALL);
    const kvs: KeyValue[] = [];
    for (let done = false; !done; ) {
      const part = cursor.next(100, 1e9);
      kvs.push(...part.kvs);
      done = part.done;
      store.deleteRange(deleteRequest('k00', 'k005'));
      store.put(putRequest(`k0${kvs.length}x`, 'new'));
      store.compact(store.revision);
      while (store.compactStep(1_000));
      while (store.defragmentStep(100_000));
    }
    expect({ ok: true, value: { kvs, more: false, count: 1_000 } }).toEqual(expected);
    expect(cursor.revision).toBe(1_001);
    expect(store.isCompacting).toBe(true);
    cursor.release();
    cursor.release();
    while (store.compactStep(1_000));
    expect(store.isCompacting).toBe(false);
    expect(() => cursor.next(1, 1)).toThrow(AssertionError);
  });

  test('is refused for what cannot be read', () => {
    const store = filled(10);
    store.compact(5);
    const refused = (revision: number) => store.openRange(rangeRequest('a', '', { revision }));
    expect(refused(4)).toEqual({ ok: false, error: 'compacted' });
    expect(refused(12)).toEqual({ ok: false, error: 'futureRevision' });
    expect(refused(5).ok).toBe(true);
  });

  test('of which there are too many holds its answer instead of a pin', () => {
    const store = filled(10);
    const cursors = Array.from({ length: 1_100 }, () => open(store, ALL));
    const expected = store.range(ALL);
    store.deleteRange(deleteRequest('k', 'l'));
    for (const cursor of cursors.slice(-2)) {
      const kvs = drain(cursor, 3);
      expect({ ok: true, value: { kvs, more: cursor.more, count: cursor.count } }).toEqual(
        expected,
      );
    }
    for (const cursor of cursors) cursor.release();
    store.compact(store.revision);
    while (store.compactStep(1_000));
    expect(store.isCompacting).toBe(false);
  });
});

describe('sorted runs', () => {
  test('are a stable sort', () => {
    const rows = Array.from({ length: 5_000 }, (_, at) => at);
    const compare = (a: number, b: number): number => (a % 37) - (b % 37);
    for (const ties of ['firstFirst', 'lastFirst'] as const) {
      const runs = new SortedRuns({ read: (row) => row, compare, ties });
      for (const row of rows) runs.add(row);
      const expected = ties === 'firstFirst' ? rows : rows.toReversed();
      expect(rows.map(() => runs.next())).toEqual(expected.toSorted(compare));
      expect(runs.next()).toBeUndefined();
      runs.rewind();
      expect(rows.map(() => runs.next())).toEqual(expected.toSorted(compare));
    }
  });
});
