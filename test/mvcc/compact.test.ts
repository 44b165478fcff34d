import { describe, expect, test } from 'vitest';
import { utf8Decode } from '../../src/lib/utf8.ts';
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
    expect(store.sizeInUseBytes).toBe(before);
  });
});
