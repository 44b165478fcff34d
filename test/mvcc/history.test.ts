import { describe, expect, test } from 'vitest';
import { AssertionError } from '../../src/lib/assert.ts';
import { utf8Decode, utf8Encode } from '../../src/lib/utf8.ts';
import { KeyIndex } from '../../src/mvcc/key-index.ts';
import type { StoredRevision } from '../../src/mvcc/revision-record.ts';
import { Store } from '../../src/mvcc/store.ts';
import {
  deleteOp,
  deleteRequest,
  putOp,
  putRequest,
  rangeRequest,
  txnRequest,
} from './requests.ts';

/** As `key@main/sub`, with a dash after a tombstone. */
function words(changes: readonly StoredRevision[]): string {
  return changes
    .map(({ keyValue, main, sub, tombstone }) => {
      return `${utf8Decode(keyValue.key)}@${main}/${sub}${tombstone ? '-' : ''}`;
    })
    .join(' ');
}

function example(): Store {
  const store = new Store();
  store.put(putRequest('a', 'one')); // 2
  store.txn(txnRequest({ success: [putOp('b'), putOp('c'), deleteOp('a')] })); // 3
  store.put(putRequest('a', 'two')); // 4
  return store;
}

describe('changes', () => {
  test('of one revision come in their order', () => {
    const store = example();
    expect(words(store.changesAt(3))).toBe('b@3/0 c@3/1 a@3/2-');
    expect(words(store.changesAt(1))).toBe('');
    expect(words(store.changesAt(5))).toBe('');
  });

  test('from a revision on: no main revision is split', () => {
    const store = example();
    expect(words(store.changesFrom(3, 1).changes)).toBe('b@3/0 c@3/1 a@3/2-');
    expect(store.changesFrom(3, 1).nextRevision).toBe(4);
    expect(words(store.changesFrom(0, 4).changes)).toBe('a@2/0 b@3/0 c@3/1 a@3/2-');
    expect(words(store.changesFrom(0, 5).changes)).toBe('a@2/0 b@3/0 c@3/1 a@3/2- a@4/0');
    expect(store.changesFrom(4, 10).nextRevision).toBe(5);
    expect(store.changesFrom(5, 10)).toEqual({ changes: [], nextRevision: 5 });
    expect(store.changesFrom(9, 10)).toEqual({ changes: [], nextRevision: 9 });
  });

  test('end behind the present revision, also if nothing of it is left', () => {
    const store = Store.restore({ compactRevision: 9, revisions: [] });
    expect(store.changesFrom(9, 10)).toEqual({ changes: [], nextRevision: 10 });
  });

  test('after a compaction are those it retains, before they are removed', () => {
    const store = example();
    store.compact(3);
    for (let step = 0; step < 2; step++) {
      expect(words(store.changesFrom(3, 10).changes)).toBe('b@3/0 c@3/1 a@3/2- a@4/0');
      expect(words(store.changesAt(2))).toBe('');
      expect(() => store.changesFrom(2, 10)).toThrow(AssertionError);
      while (store.compactStep(1));
    }
  });
});

describe('the past of a key', () => {
  const KEY = utf8Encode('key');

  test('is found among many changes, whatever part of them was removed', () => {
    const store = new Store();
    for (let revision = 2; revision <= 4_000; revision++) {
      if (revision % 500 === 0) store.deleteRange(deleteRequest('key'));
      else store.put(putRequest('key', `${revision}`));
      if (revision % 700 === 0) store.compact(revision - 350);
      if (revision % 3 === 0) store.compactStep(5);
    }
    while (store.compactStep(100));
    for (let revision = store.compactRevision; revision <= 4_000; revision++) {
      const kv = store.liveAt(KEY, revision);
      const expected = revision % 500 === 0 ? undefined : `${revision}`;
      expect(kv && utf8Decode(kv.value)).toBe(expected);
    }
  });

  test('is never more than some jumps away', () => {
    const index = new KeyIndex(0);
    const key = index.add(KEY);
    const row = { sub: 0, tombstone: false, value: KEY, version: 1, createRevision: 1, lease: 0n };
    for (let main = 1; main <= 10_000; main++) index.append(key, { ...row, main });
    let hopsMax = 0;
    for (let wanted = 1; wanted <= 10_000; wanted++) {
      let [id, hops] = [10_000, 0];
      for (; id > wanted; hops++) {
        const chunk = index.log.chunkOf(id)!;
        const at = chunk.slotOf(id);
        const jump = chunk.jump[at]!;
        id = jump >= wanted ? jump : chunk.previous[at]!;
      }
      expect(id).toBe(wanted);
      hopsMax = Math.max(hopsMax, hops);
    }
    expect(hopsMax).toBeLessThan(3 * Math.log2(10_000));
  });

  test('before the compaction nobody knows it', () => {
    const store = example();
    expect(store.liveAt(utf8Encode('a'), 2)).toMatchObject({ modRevision: 2 });
    expect(store.liveAt(utf8Encode('a'), 3)).toBeUndefined();
    expect(store.liveAt(utf8Encode('x'), 3)).toBeUndefined();
    store.compact(4);
    expect(store.liveAt(utf8Encode('b'), 3)).toBeUndefined();
    expect(store.liveAt(utf8Encode('b'), 4)).toMatchObject({ modRevision: 3 });
  });
});

describe('leased keys', () => {
  test('are those that exist now, with the lease they have now', () => {
    const store = new Store();
    store.knowLeases((id) => id !== 99n);
    store.put(putRequest('a', '', { lease: 5n }));
    store.put(putRequest('a', '', { lease: 6n }));
    store.put(putRequest('b', '', { lease: 5n }));
    store.put(putRequest('b'));
    store.put(putRequest('c', '', { lease: 5n }));
    store.deleteRange(deleteRequest('c'));
    store.put(putRequest('d', '', { lease: -1n }));
    expect(store.put(putRequest('e', '', { lease: 99n }))).toMatchObject({ ok: false });
    const leased = [...store.leasedKeys()].map(({ key, lease }) => [utf8Decode(key), lease]);
    expect(leased).toEqual([
      ['a', 6n],
      ['d', -1n],
    ]);
  });
});

test('a read in the past is the same before and after the rows below it are removed', () => {
  const store = new Store();
  for (let at = 0; at < 300; at++) store.put(putRequest(`k${at % 7}`, `${at}`));
  store.compact(200);
  const request = rangeRequest('k', 'l', { revision: 250 });
  const before = store.range(request);
  while (store.compactStep(10));
  expect(store.range(request)).toEqual(before);
  expect(before).toMatchObject({ value: { count: 7 } });
});
