import { describe, expect, test } from 'vitest';
import { utf8Decode, utf8Encode } from '../../src/lib/utf8.ts';
import type { KeyValue } from '../../src/mvcc/request.ts';
import { Store } from '../../src/mvcc/store.ts';
import { deleteRequest, OPEN_END, putRequest, rangeRequest } from './requests.ts';

function get(store: Store, key: string): KeyValue | undefined {
  const result = store.range(rangeRequest(key));
  return result.ok ? result.value.kvs[0] : undefined;
}

describe('put', () => {
  test('a fresh store has revision 1, the first write 2', () => {
    const store = new Store();
    expect(store.revision).toBe(1);
    expect(store.put(putRequest('a', 'v'))).toEqual({ ok: true, value: { prevKv: undefined } });
    expect(store.revision).toBe(2);
    expect(get(store, 'a')).toMatchObject({ createRevision: 2, modRevision: 2, version: 1 });
  });

  test('counts versions and keeps the creation', () => {
    const store = new Store();
    store.put(putRequest('a', 'v1'));
    store.put(putRequest('b'));
    const put = store.put(putRequest('a', 'v2', { prevKv: true }));
    expect(put).toMatchObject({ ok: true, value: { prevKv: { version: 1, modRevision: 2 } } });
    expect(get(store, 'a')).toMatchObject({ createRevision: 2, modRevision: 4, version: 2 });
  });

  test('starts again after a deletion', () => {
    const store = new Store();
    store.put(putRequest('a', 'v1'));
    store.deleteRange(deleteRequest('a'));
    expect(store.put(putRequest('a', 'v2', { prevKv: true }))).toEqual({
      ok: true,
      value: { prevKv: undefined },
    });
    expect(get(store, 'a')).toMatchObject({ createRevision: 4, modRevision: 4, version: 1 });
  });

  test('ignore_value and ignore_lease keep what is there', () => {
    const store = new Store();
    store.put(putRequest('a', 'v'));
    store.put(putRequest('a', '', { ignoreValue: true }));
    expect(get(store, 'a')).toMatchObject({ version: 2, value: utf8Encode('v') });
    store.put(putRequest('a', 'w', { ignoreLease: true }));
    expect(get(store, 'a')).toMatchObject({ version: 3, value: utf8Encode('w'), lease: 0n });
  });

  test('ignore_lease keeps a lease that came with a checkpoint', () => {
    const keyValue = { ...putRequest('a', 'v'), createRevision: 2, modRevision: 2, version: 1 };
    const row = { main: 2, sub: 0, tombstone: false, keyValue: { ...keyValue, lease: 9n } };
    const store = Store.restore({ compactRevision: 0, revisions: [row] });
    store.put(putRequest('a', 'w', { ignoreLease: true }));
    expect(get(store, 'a')?.lease).toBe(9n);
    store.put(putRequest('a', 'w'));
    expect(get(store, 'a')?.lease).toBe(0n);
  });

  test.each([
    [{ ignoreValue: true }, 'keyNotFound'],
    [{ ignoreLease: true }, 'keyNotFound'],
    [{ lease: 1n }, 'leaseNotFound'],
    [{ lease: 1n, ignoreValue: true }, 'leaseNotFound'],
  ] as const)('%o on a missing key: %s, and nothing changes', (options, error) => {
    const store = new Store();
    store.put(putRequest('a'));
    store.deleteRange(deleteRequest('a'));
    expect(store.put(putRequest('a', '', options))).toEqual({ ok: false, error });
    expect(store.revision).toBe(3);
  });

  test('takes a copy of key and value, also of a view on a larger buffer', () => {
    const store = new Store();
    const buffer = Buffer.from('..key=value..');
    store.put({ ...putRequest(''), key: buffer.subarray(2, 5), value: buffer.subarray(6, 11) });
    buffer.fill(0);
    const kv = get(store, 'key')!;
    expect([utf8Decode(kv.key), utf8Decode(kv.value)]).toEqual(['key', 'value']);
  });
});

describe('deleteRange', () => {
  test('deletes at one revision, in key order', () => {
    const store = new Store();
    for (const key of ['c', 'a', 'b']) store.put(putRequest(key, `of ${key}`));
    const deleted = store.deleteRange(deleteRequest('a', 'c', true));
    expect(deleted.ok && deleted.value.deleted).toBe(2);
    expect(deleted.ok && deleted.value.prevKvs.map((kv) => utf8Decode(kv.value))).toEqual([
      'of a',
      'of b',
    ]);
    expect(store.revision).toBe(5);
    const tombstones = [...store.image().revisions()].filter((row) => row.tombstone);
    expect(tombstones.map(({ main, sub, keyValue }) => [main, sub, keyValue])).toEqual([
      [5, 0, tombstoneOf('a')],
      [5, 1, tombstoneOf('b')],
    ]);
  });

  test('without anything to delete the revision stays', () => {
    const store = new Store();
    store.put(putRequest('a'));
    expect(store.deleteRange(deleteRequest('b', OPEN_END, true))).toEqual({
      ok: true,
      value: { deleted: 0, prevKvs: [] },
    });
    expect(store.revision).toBe(2);
  });

  test('gives no previous values unless asked', () => {
    const store = new Store();
    store.put(putRequest('a'));
    expect(store.deleteRange(deleteRequest('a'))).toEqual({
      ok: true,
      value: { deleted: 1, prevKvs: [] },
    });
  });
});

function tombstoneOf(key: string): KeyValue {
  const value = new Uint8Array(0);
  return {
    key: utf8Encode(key),
    createRevision: 0,
    modRevision: 0,
    version: 0,
    value,
    lease: 0n,
  };
}
