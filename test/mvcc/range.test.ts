import { beforeEach, describe, expect, test } from 'vitest';
import { utf8Decode } from '../../src/lib/utf8.ts';
import type { RangeRequest, RangeResult } from '../../src/mvcc/request.ts';
import { Store } from '../../src/mvcc/store.ts';
import { deleteRequest, OPEN_END, putRequest, rangeRequest } from './requests.ts';

let store: Store;

beforeEach(() => {
  store = new Store();
  store.put(putRequest('c', 'v1')); // revision 2
  store.put(putRequest('a', 'v3')); // 3
  store.put(putRequest('b', 'v2')); // 4
  store.put(putRequest('a', 'v4')); // 5
  store.put(putRequest('e', 'v0')); // 6
  store.deleteRange(deleteRequest('e')); // 7
});

function read(key: string, rangeEnd = '', options: Partial<RangeRequest> = {}): RangeResult {
  const result = store.range({ ...rangeRequest(key, rangeEnd), ...options });
  if (!result.ok) throw new Error(result.error);
  return result.value;
}

function keys(result: RangeResult): string {
  return result.kvs.map((kv) => utf8Decode(kv.key)).join(' ');
}

function values(result: RangeResult): string {
  return result.kvs.map((kv) => utf8Decode(kv.value)).join(' ');
}

describe('which keys', () => {
  test('one key', () => {
    expect(read('a').kvs).toEqual([
      {
        ...read('a').kvs[0],
        createRevision: 3,
        modRevision: 5,
        version: 2,
        lease: 0n,
      },
    ]);
    expect(values(read('a'))).toBe('v4');
    expect(read('x')).toEqual({ kvs: [], more: false, count: 0 });
  });

  test('an interval without its end', () => {
    expect(keys(read('a', 'c'))).toBe('a b');
  });

  test('everything from a key on, and everything there is', () => {
    expect(keys(read('b', OPEN_END))).toBe('b c');
    expect(keys(read('\0', OPEN_END))).toBe('a b c');
  });

  test('an interval that ends before it starts is empty', () => {
    expect(read('c', 'a').count).toBe(0);
  });

  test('a deleted key is not there', () => {
    expect(read('e').count).toBe(0);
    expect(keys(read('d', 'f', { revision: 6 }))).toBe('e');
  });
});

describe('which revision', () => {
  test('0 and less are the present', () => {
    expect(values(read('a', '', { revision: 0 }))).toBe('v4');
    expect(values(read('a', '', { revision: -1 }))).toBe('v4');
  });

  test('a past one', () => {
    expect(values(read('a', '', { revision: 4 }))).toBe('v3');
    expect(keys(read('\0', OPEN_END, { revision: 3 }))).toBe('a c');
    expect(read('\0', OPEN_END, { revision: 1 }).count).toBe(0);
  });

  test('one to come is refused', () => {
    expect(store.range({ ...rangeRequest('a'), revision: 8 })).toEqual({
      ok: false,
      error: 'futureRevision',
    });
  });

  test('a compacted one is refused, the compaction itself readable', () => {
    store.compact(4);
    expect(store.range({ ...rangeRequest('a'), revision: 3 })).toEqual({
      ok: false,
      error: 'compacted',
    });
    expect(values(read('a', '', { revision: 4 }))).toBe('v3');
  });
});

describe('how much', () => {
  test('a limit cuts and says so; the count is of all', () => {
    const cut = read('a', OPEN_END, { limit: 2 });
    expect(keys(cut)).toBe('a b');
    expect(cut).toMatchObject({ more: true, count: 3 });
    expect(read('a', OPEN_END, { limit: 3 })).toMatchObject({ more: false, count: 3 });
  });

  test('count only', () => {
    expect(read('a', OPEN_END, { countOnly: true, limit: 1 })).toEqual({
      kvs: [],
      more: false,
      count: 3,
    });
  });

  test('keys only: everything but the value', () => {
    const [kv] = read('a', '', { keysOnly: true }).kvs;
    expect(kv).toMatchObject({ createRevision: 3, modRevision: 5, version: 2 });
    expect(kv?.value.length).toBe(0);
    expect(values(read('a'))).toBe('v4');
  });
});

describe('in which order', () => {
  const all = (options: Partial<RangeRequest>): string => keys(read('a', OPEN_END, options));

  test.each([
    ['key', 'a b c', 'c b a'],
    ['version', 'b c a', 'a b c'],
    ['create', 'c a b', 'b a c'],
    ['mod', 'c b a', 'a b c'],
    ['value', 'c b a', 'a b c'],
  ] as const)('by %s', (sortTarget, ascending, descending) => {
    expect(all({ sortTarget, sortOrder: 'ascend' })).toBe(ascending);
    expect(all({ sortTarget, sortOrder: 'none' })).toBe(ascending);
    expect(all({ sortTarget, sortOrder: 'descend' })).toBe(descending);
  });

  test('the limit comes after the order', () => {
    const cut = read('a', OPEN_END, { sortTarget: 'mod', sortOrder: 'ascend', limit: 1 });
    expect(keys(cut)).toBe('c');
    expect(cut.more).toBe(true);
  });

  test('a target without an order: one more than the limit is read, and that is sorted', () => {
    expect(all({ sortTarget: 'create', sortOrder: 'none', limit: 1 })).toBe('a');
    expect(all({ sortTarget: 'create', sortOrder: 'ascend', limit: 1 })).toBe('c');
  });

  test('keys only is sorted by the values that are left out', () => {
    expect(all({ sortTarget: 'value', sortOrder: 'ascend', keysOnly: true })).toBe('c b a');
  });
});

describe('filters', () => {
  const all = (options: Partial<RangeRequest>): string => keys(read('a', OPEN_END, options));

  test('each bound is inclusive', () => {
    expect(all({ minModRevision: 4 })).toBe('a b');
    expect(all({ maxModRevision: 4 })).toBe('b c');
    expect(all({ minCreateRevision: 3 })).toBe('a b');
    expect(all({ maxCreateRevision: 3 })).toBe('a c');
  });

  test('the limit comes after them, the count before', () => {
    const cut = read('a', OPEN_END, { maxModRevision: 4, limit: 1 });
    expect(keys(cut)).toBe('b');
    expect(cut).toMatchObject({ more: true, count: 3 });
    expect(read('a', OPEN_END, { minModRevision: 5, limit: 1 }).more).toBe(false);
  });
});
