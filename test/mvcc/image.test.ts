import { describe, expect, test } from 'vitest';
import { AssertionError } from '../../src/lib/assert.ts';
import { Store, type StoreImage } from '../../src/mvcc/store.ts';
import { deleteRequest, OPEN_END, putRequest, rangeRequest } from './requests.ts';

function restored(image: StoreImage): Store {
  const { compactRevision } = image;
  return Store.restore({ compactRevision, revisions: image.revisions() });
}

/** Several blocks of changes, over fewer keys. */
function large(): Store {
  const store = new Store();
  for (let at = 0; at < 5_000; at++) store.put(putRequest(`key${(at * 7) % 1_300}`, `${at}`));
  store.deleteRange(deleteRequest('key5', 'key6'));
  return store;
}

describe('an image', () => {
  test('of a fresh store is a fresh store', () => {
    const image = new Store().image();
    expect([...image.revisions()]).toEqual([]);
    expect(restored(image).revision).toBe(1);
  });

  test('is not touched by later writes and compactions', () => {
    const store = large();
    const image = store.image();
    const before = [...image.revisions()].map(({ main, sub }) => `${main}/${sub}`);
    store.put(putRequest('key1', 'later'));
    store.compact(store.revision);
    store.put(putRequest('key2', 'later still'));
    expect([...image.revisions()].map(({ main, sub }) => `${main}/${sub}`)).toEqual(before);
    expect(image.revision).toBe(5_002);
    expect(image.compactRevision).toBe(0);
  });

  test('may be read while writes go on', () => {
    const store = large();
    const seen: number[] = [];
    for (const { main } of store.image().revisions()) {
      seen.push(main);
      if (seen.length % 1_000 === 0) store.compact(store.revision);
      if (seen.length % 500 === 0) store.put(putRequest(`new${seen.length}`));
    }
    expect(seen).toEqual(seen.toSorted((a, b) => a - b));
    expect(seen.at(-1)).toBe(5_002);
  });

  test('gives back the same store', () => {
    const store = large();
    store.compact(4_000);
    while (store.compactStep(1_000));
    const copy = restored(store.image());
    expect(copy.revision).toBe(store.revision);
    expect(copy.compactRevision).toBe(4_000);
    expect(copy.keyCount).toBe(store.keyCount);
    expect(copy.sizeInUseBytes).toBe(store.sizeInUseBytes);
    for (const revision of [0, 4_000, 4_500]) {
      const all = rangeRequest('\0', OPEN_END, { revision });
      expect(copy.range(all)).toEqual(store.range(all));
    }
    for (const each of [store, copy]) {
      each.put(putRequest('key5', 'back'));
      each.compact(each.revision);
    }
    expect([...copy.image().revisions()]).toEqual([...store.image().revisions()]);
  });

  test('of rows that all were compacted away has the revision of the compaction', () => {
    expect(Store.restore({ compactRevision: 9, revisions: [] }).revision).toBe(9);
  });

  test('is refused after its release', () => {
    const image = large().image();
    image.release();
    expect(() => [...image.revisions()]).toThrow(AssertionError);
  });

  test('rows out of order are a bug of whoever reads checkpoints', () => {
    const rows = [...large().image().revisions()].slice(0, 2).reverse();
    expect(() => Store.restore({ compactRevision: 0, revisions: rows })).toThrow(AssertionError);
  });
});
