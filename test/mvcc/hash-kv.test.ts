import { describe, expect, test } from 'vitest';
import { Store } from '../../src/mvcc/store.ts';
import { deleteOp, deleteRequest, putOp, putRequest, txnRequest } from './requests.ts';

/** Hashes that etcd 3.4.23 gave for the same requests (`endpoint hashkv --rev`). */

function hashOf(store: Store, revision = 0): number | string {
  const result = store.hashKv(revision);
  return result.ok ? result.value.hash : result.error;
}

function leasing(): Store {
  const store = new Store();
  store.knowLeases(() => true);
  return store;
}

/** Up to revision 10: a lease of one byte and one of eight, a transaction, deletions. */
function story(): Store {
  const store = leasing();
  store.put(putRequest('a', 'one'));
  store.put(putRequest('b', 'two', { lease: 7n }));
  store.put(putRequest('a', 'three'));
  const success = [putOp('c', ''), putOp('d', 'x'.repeat(300)), deleteOp('b')];
  store.txn(txnRequest({ success }));
  store.put(putRequest('lease', 'max', { lease: 0x7fff_ffff_ffff_ffffn }));
  store.deleteRange(deleteRequest('a', 'd'));
  store.put(putRequest('a', 'again'));
  store.deleteRange(deleteRequest('a'));
  store.put(putRequest('e', 'tail'));
  return store;
}

describe('HashKV is that of etcd', () => {
  test('for a fresh store', () => {
    expect(new Store().hashKv(0)).toEqual({
      ok: true,
      value: { hash: 1_084_519_789, compactRevision: 0, hashRevision: 1 },
    });
  });

  test('at present and past revisions, 0 is the present', () => {
    const store = story();
    expect(hashOf(store, 4)).toBe(359_788_124);
    expect(hashOf(store, 5)).toBe(3_383_662_087);
    expect(hashOf(store, 7)).toBe(3_648_108_657);
    expect(hashOf(store, 10)).toBe(3_903_904_889);
    expect(hashOf(store)).toBe(3_903_904_889);
  });

  test.each([0, 1, 1000])('after compactions, %i steps of removal later', (steps) => {
    const store = story();
    const removeSome = (): void => {
      for (let at = 0; at < steps && store.compactStep(3); at++);
    };
    store.compact(9); // the revision of a tombstone
    removeSome();
    expect(hashOf(store)).toBe(1_044_186_353);
    store.put(putRequest('d', 'new'));
    expect(hashOf(store)).toBe(1_336_456_673);
    expect(hashOf(store, 10)).toBe(1_044_186_353);
    store.deleteRange(deleteRequest('a', 'z'));
    removeSome();
    expect(hashOf(store)).toBe(1_109_294_304);
    store.compact(12);
    removeSome();
    store.put(putRequest('z', 'only'));
    expect(hashOf(store)).toBe(1_265_600_757);
    store.deleteRange(deleteRequest('z'));
    expect(hashOf(store)).toBe(197_596_328);
    expect(store.hashKv(0)).toMatchObject({ value: { compactRevision: 12, hashRevision: 14 } });
  });
});

describe('HashKV', () => {
  test('is refused below the compacted revision and for the future', () => {
    const store = story();
    store.compact(6);
    expect(hashOf(store, 5)).toBe('compacted');
    expect(typeof hashOf(store, 6)).toBe('number');
    expect(hashOf(store, 11)).toBe('futureRevision');
  });

  test('in steps is the same, whatever is written meanwhile', () => {
    const store = story();
    const expected = hashOf(store);
    const steps = store.hashKvSteps(0);
    if (!steps.ok) throw new Error(steps.error);
    let looks = 0;
    let result = steps.value.step(1);
    for (; result === undefined; looks++) {
      store.put(putRequest('a', `${looks}`));
      store.compact(store.revision);
      store.compactStep(1);
      result = steps.value.step(1);
    }
    expect(looks).toBeGreaterThan(10);
    expect(result).toEqual({ hash: expected, compactRevision: 0, hashRevision: 10 });
    expect(steps.value.step(1)).toBe(result);
  });

  test('given up does not hold up compaction', () => {
    const store = story();
    const steps = store.hashKvSteps(0);
    if (!steps.ok) throw new Error(steps.error);
    store.compact(10);
    expect(store.compactStep(1000)).toBe(false);
    expect(store.isCompacting).toBe(true);
    steps.value.release();
    while (store.compactStep(1000));
    expect(store.isCompacting).toBe(false);
  });
});
