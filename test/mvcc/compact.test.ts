import { describe, expect, test } from 'vitest';
import { utf8Decode, utf8Encode } from '../../src/lib/utf8.ts';
import type { StoredRevision } from '../../src/mvcc/revision-record.ts';
import { Store } from '../../src/mvcc/store.ts';
import { deleteRequest, OPEN_END, putRequest, rangeRequest } from './requests.ts';

/** Rows as `key@main`, `key@main-` for a tombstone. */
function rows(store: Store): string {
  return [...store.image().revisions()]
    .map((row) => `${utf8Decode(row.keyValue.key)}@${row.main}${row.tombstone ? '-' : ''}`)
    .join(' ');
}

function example(): Store {
  const store = new Store();
  store.put(putRequest('a')); // revision 2
  store.put(putRequest('b')); // 3
  store.put(putRequest('a')); // 4
  store.deleteRange(deleteRequest('b')); // 5
  store.put(putRequest('a')); // 6
  return store;
}

describe('compaction', () => {
  test('keeps the newest of each key that lives then, and all that is later', () => {
    const store = example();
    expect(store.compact(4)).toEqual({ ok: true, value: undefined });
    expect(rows(store)).toBe('b@3 a@4 b@5- a@6');
    expect(store.compactRevision).toBe(4);
    expect(store.revision).toBe(6);
  });

  test('keeps a tombstone at its revision, and drops it with the next', () => {
    const store = example();
    store.compact(5);
    expect(rows(store)).toBe('a@4 b@5- a@6');
    store.compact(6);
    expect(rows(store)).toBe('a@6');
    expect(store.keyCount).toBe(1);
  });

  test('a key that is gone may come again', () => {
    const store = example();
    store.compact(6);
    store.put(putRequest('b', 'again'));
    expect(store.range(rangeRequest('b'))).toMatchObject({
      ok: true,
      value: { kvs: [{ version: 1, createRevision: 7 }] },
    });
    expect(store.range(rangeRequest('a', OPEN_END))).toMatchObject({ value: { count: 2 } });
  });

  test('refuses what was compacted and what is to come', () => {
    const store = example();
    store.compact(4);
    expect(store.compact(4)).toEqual({ ok: false, error: 'compacted' });
    expect(store.compact(3)).toEqual({ ok: false, error: 'compacted' });
    expect(store.compact(7)).toEqual({ ok: false, error: 'futureRevision' });
    expect(store.compactRevision).toBe(4);
  });

  test('gives its bytes back', () => {
    const store = new Store();
    store.put(putRequest('a', 'small'));
    const before = store.sizeInUseBytes;
    for (let at = 0; at < 100; at++) store.put(putRequest('a', 'x'.repeat(1000)));
    expect(store.sizeInUseBytes).toBeGreaterThan(100_000);
    expect(store.sizeBytes).toBeGreaterThanOrEqual(store.sizeInUseBytes);
    store.put(putRequest('a', 'small'));
    store.compact(store.revision);
    while (store.compactStep(10));
    expect(store.sizeInUseBytes).toBe(before);
  });
});

describe('removal in steps', () => {
  test('goes on where it stopped, and ends', () => {
    const store = new Store();
    for (let at = 0; at < 1_000; at++) store.put(putRequest(`k${at % 10}`, 'x'.repeat(100)));
    const before = store.sizeInUseBytes;
    expect(store.isCompacting).toBe(false);
    expect(store.compactStep(10)).toBe(false);
    store.compact(1_000);
    expect([store.isCompacting, store.sizeInUseBytes]).toEqual([true, before]);
    expect([store.scheduledCompactRevision, store.finishedCompactRevision]).toEqual([1_000, 0]);
    let steps = 1;
    for (; store.compactStep(100); steps++) {
      expect(store.finishedCompactRevision).toBeLessThanOrEqual(1_000);
    }
    expect(steps).toBeGreaterThanOrEqual(10);
    expect(store.finishedCompactRevision).toBe(1_000);
    expect(store.sizeInUseBytes).toBeLessThan(before / 50);
  });

  test('does not make the file smaller, a defragmentation does', () => {
    const store = new Store();
    for (let at = 0; at < 1_000; at++) store.put(putRequest(`k${at % 10}`, 'x'.repeat(100)));
    const before = store.sizeBytes;
    store.compact(store.revision);
    while (store.compactStep(100));
    expect(store.sizeBytes).toBe(before);
    while (store.defragmentStep(1_000));
    expect(store.sizeBytes).toBeLessThan(before / 2);
    const small = store.sizeBytes;
    store.put(putRequest('k', 'x'.repeat(20_000)));
    expect(store.sizeBytes).toBeGreaterThan(small);
  });

  test('gives memory back, for compaction alone if much is won', () => {
    const store = new Store();
    for (let at = 0; at < 20_000; at++) {
      store.put(putRequest(`k${at % 50 === 0 ? at : 'hot'}`, 'x'.repeat(100)));
    }
    const before = store.allocatedBytes;
    store.compact(store.revision);
    while (store.compactStep(1_000));
    expect(store.allocatedBytes).toBeLessThan(before / 4);
    expect(store.keyCount).toBe(401);
  });

  test('forgets keys that come and go: they leave nothing behind', () => {
    const store = new Store();
    let enough = 0;
    for (let round = 0; round < 60; round++) {
      for (let at = 0; at < 500; at++) store.put(putRequest(`round ${round}, key ${at}`));
      store.deleteRange(deleteRequest('r', 's'));
      store.put(putRequest('x'));
      store.compact(store.revision);
      while (store.compactStep(1_000));
      if (round === 12) enough = store.allocatedBytes;
    }
    expect(rows(store)).toMatch(/^x@\d+$/);
    expect(store.allocatedBytes).toBeLessThanOrEqual(enough * 1.2);
  });

  test('that was interrupted by a restart is finished', () => {
    const revisions = [...example().image().revisions()];
    const store = Store.restore({ compactRevision: 6, revisions });
    expect(rows(store)).toBe('a@6');
    expect([store.isCompacting, store.finishedCompactRevision]).toEqual([true, 0]);
    const hash = store.hashKv(0);
    while (store.compactStep(1));
    expect([store.isCompacting, store.finishedCompactRevision]).toEqual([false, 6]);
    expect(store.hashKv(0)).toEqual(hash);
    const again = { compactRevision: 6, finishedCompactRevision: 6 };
    expect(Store.restore({ ...again, revisions: [] }).isCompacting).toBe(false);
  });

  test('of what a restore took over in mostly unused arrays gives those back', () => {
    const arrays = Array.from({ length: 8 }, (_, at) => new Uint8Array(2 ** 20).fill(at));
    const revisions = arrays.map((array, at): StoredRevision => {
      const [key, main] = [utf8Encode(`key ${at}`), at + 2];
      const version = { createRevision: main, modRevision: main, version: 1, lease: 0n };
      const keyValue = { key, value: array.subarray(at, at + 100), ...version };
      return { main, sub: 0, tombstone: false, keyValue };
    });
    const store = Store.restore({ compactRevision: 0, revisions });
    expect(store.allocatedBytes).toBeGreaterThan(8 * 2 ** 20);
    const before = store.hashKv(0);
    expect(store.isCompacting).toBe(true);
    while (store.compactStep(1_000));
    expect(store.isCompacting).toBe(false);
    expect(store.allocatedBytes).toBeLessThan(2 ** 20);
    expect(store.hashKv(0)).toEqual(before);
  });

  test('waits for images that need the rows', () => {
    const store = example();
    const image = store.image();
    store.compact(6);
    expect([store.compactStep(100), store.isCompacting]).toEqual([false, true]);
    expect([...image.revisions()].length).toBe(5);
    image.release();
    while (store.compactStep(100));
    expect(store.isCompacting).toBe(false);
  });
});
