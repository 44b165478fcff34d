import { beforeEach, describe, expect, test } from 'vitest';
import { AssertionError } from '../../src/lib/assert.ts';
import { utf8Decode } from '../../src/lib/utf8.ts';
import type { Compare, ResponseOp, StoreError, TxnRequest } from '../../src/mvcc/request.ts';
import { Store } from '../../src/mvcc/store.ts';
import { isReadOnly, isSerializable } from '../../src/mvcc/txn.ts';
import {
  compareLease,
  compareNumber,
  compareValue,
  deleteOp,
  OPEN_END,
  putOp,
  putRequest,
  rangeOp,
  rangeRequest,
  txnOp,
  txnRequest,
} from './requests.ts';

let store: Store;

beforeEach(() => {
  store = new Store();
  store.put(putRequest('a', 'v1')); // revision 2
  store.put(putRequest('b', 'v2')); // 3
  store.put(putRequest('a', 'v3')); // 4
});

function run(parts: Partial<TxnRequest>): readonly ResponseOp[] {
  const result = store.txn(txnRequest(parts));
  if (!result.ok) throw new Error(result.error);
  return result.value.responses;
}

function refusal(parts: Partial<TxnRequest>): StoreError | undefined {
  const result = store.txn(txnRequest(parts));
  return result.ok ? undefined : result.error;
}

function valueAt(key: string, revision = 0): string | undefined {
  const result = store.range(rangeRequest(key, '', { revision }));
  const kv = result.ok ? result.value.kvs[0] : undefined;
  return kv && utf8Decode(kv.value);
}

describe('guards', () => {
  const holds = (...compare: Compare[]): boolean => {
    const result = store.txn(txnRequest({ compare }));
    return result.ok && result.value.succeeded;
  };

  test.each([
    ['version', 2],
    ['create', 2],
    ['mod', 4],
  ] as const)('on %s', (target, actual) => {
    expect(holds(compareNumber(target, 'a', 'equal', actual))).toBe(true);
    expect(holds(compareNumber(target, 'a', 'equal', actual + 1))).toBe(false);
    expect(holds(compareNumber(target, 'a', 'notEqual', actual + 1))).toBe(true);
    expect(holds(compareNumber(target, 'a', 'greater', actual - 1))).toBe(true);
    expect(holds(compareNumber(target, 'a', 'greater', actual))).toBe(false);
    expect(holds(compareNumber(target, 'a', 'less', actual + 1))).toBe(true);
    expect(holds(compareNumber(target, 'a', 'less', actual))).toBe(false);
  });

  test('on the value', () => {
    expect(holds(compareValue('a', 'equal', 'v3'))).toBe(true);
    expect(holds(compareValue('a', 'greater', 'v2'))).toBe(true);
    expect(holds(compareValue('a', 'less', 'v30'))).toBe(true);
    expect(holds(compareValue('a', 'notEqual', 'v3'))).toBe(false);
  });

  test('on the lease', () => {
    expect(holds(compareLease('a', 'equal', 0n))).toBe(true);
    expect(holds(compareLease('a', 'less', 1n))).toBe(true);
    expect(holds(compareLease('a', 'greater', 0n))).toBe(false);
  });

  test('a missing key has zeros', () => {
    expect(holds(compareNumber('version', 'x', 'equal', 0))).toBe(true);
    expect(holds(compareNumber('create', 'x', 'less', 1))).toBe(true);
    expect(holds(compareNumber('mod', 'x', 'notEqual', 0))).toBe(false);
    expect(holds(compareLease('x', 'equal', 0n))).toBe(true);
  });

  test('but never a value, whatever it is compared to', () => {
    for (const result of ['equal', 'notEqual', 'greater', 'less'] as const) {
      expect(holds(compareValue('x', result, ''))).toBe(false);
      expect(holds(compareValue('x', result, '', OPEN_END))).toBe(false);
    }
  });

  test('on a range: every key must satisfy it', () => {
    expect(holds(compareNumber('create', 'a', 'greater', 1, OPEN_END))).toBe(true);
    expect(holds(compareNumber('create', 'a', 'greater', 2, OPEN_END))).toBe(false);
    expect(holds(compareNumber('create', 'x', 'equal', 0, 'z'))).toBe(true);
  });

  test('all must hold; none is true', () => {
    expect(holds()).toBe(true);
    const good = compareValue('a', 'equal', 'v3');
    expect(holds(good, compareValue('b', 'equal', 'v2'))).toBe(true);
    expect(holds(good, compareValue('b', 'equal', 'v1'))).toBe(false);
  });
});

describe('branches', () => {
  test('only the chosen one runs', () => {
    const guard = compareValue('a', 'equal', 'nothing');
    run({ compare: [guard], success: [putOp('s')], failure: [putOp('f', 'here')] });
    expect([valueAt('s'), valueAt('f')]).toEqual([undefined, 'here']);
  });

  test('share one revision, with subs in order', () => {
    run({ success: [putOp('x'), txnOp({ success: [putOp('y')] }), deleteOp('a', 'c')] });
    expect(store.revision).toBe(5);
    const rows = [...store.image().revisions()].filter((row) => row.main === 5);
    expect(rows.map((row) => [utf8Decode(row.keyValue.key), row.sub, row.tombstone])).toEqual([
      ['x', 0, false],
      ['y', 1, false],
      ['a', 2, true],
      ['b', 3, true],
    ]);
  });

  test('later operations see earlier ones, reads of the past do not', () => {
    const responses = run({
      success: [
        rangeOp('x', '', { countOnly: true }),
        putOp('x', 'new'),
        rangeOp('x'),
        rangeOp('x', '', { revision: 4 }),
        deleteOp('x', '', true),
        rangeOp('x'),
      ],
    });
    const counts = responses.map((op) => (op.type === 'range' ? op.result.count : op.type));
    expect(counts).toEqual([0, 'put', 1, 0, 'deleteRange', 0]);
    expect(responses[4]).toMatchObject({ result: { deleted: 1, prevKvs: [{ version: 1 }] } });
    expect([store.revision, valueAt('x')]).toEqual([5, undefined]);
  });

  test('the revision stays if nothing changed', () => {
    run({ success: [deleteOp('x'), rangeOp('a')] });
    expect(store.revision).toBe(4);
  });

  test('nested guards see the state before the transaction', () => {
    const isThere = compareNumber('version', 'x', 'greater', 0);
    const nested = txnOp({ compare: [isThere], success: [putOp('s')], failure: [putOp('f')] });
    const responses = run({ success: [putOp('x'), nested] });
    expect(responses[1]).toMatchObject({ type: 'txn', result: { succeeded: false } });
    expect([valueAt('s'), valueAt('f')]).toEqual([undefined, '']);
  });
});

describe('a refusal comes before any write', () => {
  test.each<[string, Partial<TxnRequest>, StoreError]>([
    [
      'reading the future',
      { success: [putOp('x'), rangeOp('a', '', { revision: 5 })] },
      'futureRevision',
    ],
    [
      'reading what is compacted',
      { success: [putOp('x'), txnOp({ success: [rangeOp('a', '', { revision: 2 })] })] },
      'compacted',
    ],
    [
      'keeping the value of a missing key',
      { success: [putOp('x'), putOp('y', '', { ignoreValue: true })] },
      'keyNotFound',
    ],
    [
      'keeping the lease of a key deleted before',
      { success: [deleteOp('a', OPEN_END), putOp('b', 'v', { ignoreLease: true })] },
      'keyNotFound',
    ],
    ['an unknown lease', { success: [putOp('x'), putOp('y', '', { lease: 5n })] }, 'leaseNotFound'],
  ])('%s', (_, parts, error) => {
    store.compact(3);
    const before = [...store.image().revisions()];
    expect(refusal(parts)).toBe(error);
    expect(store.revision).toBe(4);
    expect([...store.image().revisions()]).toEqual(before);
  });

  test('what would not run is not checked', () => {
    const never = compareNumber('version', 'a', 'equal', 99);
    const bad = [rangeOp('a', '', { revision: 99 })];
    expect(refusal({ compare: [never], success: bad })).toBeUndefined();
    expect(refusal({ success: [txnOp({ compare: [never], success: bad })] })).toBeUndefined();
  });

  test('a key deleted after it was put may be kept before', () => {
    expect(refusal({ success: [putOp('a', '', { ignoreValue: true }), deleteOp('a')] })).toBe(
      undefined,
    );
    expect(valueAt('a')).toBeUndefined();
    expect(store.revision).toBe(5);
  });
});

describe('reading transactions', () => {
  test('are those with ranges only; a nested one counts as a write', () => {
    expect(isReadOnly(txnRequest({}))).toBe(true);
    expect(isReadOnly(txnRequest({ success: [rangeOp('a')], failure: [rangeOp('b')] }))).toBe(true);
    expect(isReadOnly(txnRequest({ failure: [putOp('a')] }))).toBe(false);
    expect(isReadOnly(txnRequest({ success: [deleteOp('a')] }))).toBe(false);
    expect(isReadOnly(txnRequest({ success: [txnOp({ success: [rangeOp('a')] })] }))).toBe(false);
  });

  test('are serializable if every range is, and there is one', () => {
    const stale = rangeOp('a', '', { serializable: true });
    expect(isSerializable(txnRequest({ success: [stale], failure: [stale] }))).toBe(true);
    expect(isSerializable(txnRequest({ success: [stale], failure: [rangeOp('a')] }))).toBe(false);
    expect(isSerializable(txnRequest({ success: [stale, putOp('a')] }))).toBe(false);
    expect(isSerializable(txnRequest({}))).toBe(false);
  });

  test('are answered without a change', () => {
    const request = txnRequest({
      compare: [compareValue('a', 'equal', 'v3')],
      success: [rangeOp('a', OPEN_END, { countOnly: true })],
    });
    expect(store.readTxn(request)).toMatchObject({
      ok: true,
      value: { succeeded: true, responses: [{ type: 'range', result: { count: 2 } }] },
    });
    expect(store.revision).toBe(4);
    expect(() => store.readTxn(txnRequest({ success: [putOp('a')] }))).toThrow(AssertionError);
  });
});
