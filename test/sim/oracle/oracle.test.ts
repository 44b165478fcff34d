import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Oracle } from '../../../harness/sim/oracle/oracle.ts';
import { assertNever } from '../../../src/lib/assert.ts';
import type {
  DeleteRangeResult,
  PutResult,
  RangeRequest,
  RangeResult,
  TxnResult,
} from '../../../src/mvcc/request.ts';
import { Store } from '../../../src/mvcc/store.ts';
import { isReadOnly } from '../../../src/mvcc/txn.ts';
import { type Action, action } from '../../mvcc/arbitrary.ts';
import {
  compareNumber,
  deleteOp,
  deleteRequest,
  OPEN_END,
  putOp,
  putRequest,
  rangeOp,
  rangeRequest,
  txnRequest,
} from '../../mvcc/requests.ts';
import { altered, applyTo, entryOf, expectOk, NO_DATA, type Write } from './committed.ts';

const SEED = 20260402;
type Asked = Write | { readonly type: 'range'; readonly request: RangeRequest };
const isAsked = (step: Action): step is Asked => step.type !== 'compact' && step.type !== 'restart';
const asked = fc.array(action.filter(isAsked), { minLength: 1, maxLength: 40, size: 'max' });

/** A store beside the oracle, both given the same. */
class Pair {
  readonly oracle = new Oracle();
  readonly store = new Store();

  /** What a client that asked this would be answered, and the oracle's opinion of it. */
  perform(step: Asked): string | undefined {
    if (step.type === 'range') return this.#read(step);
    if (step.type === 'txn' && isReadOnly(step.request)) return this.#read(step);
    const told = this.oracle.commit(entryOf(this.oracle.committed + 1, step));
    const result = applyTo(this.store, step);
    return told.repeated ?? (result.ok ? this.judge(step, result.value) : undefined);
  }

  judge(step: Asked, value: unknown, revision: number = this.store.revision): string | undefined {
    switch (step.type) {
      case 'range':
        return this.oracle.compareRange(step.request, { revision, result: value as RangeResult });
      case 'put':
        return this.oracle.comparePut(step.request, { revision, result: value as PutResult });
      case 'deleteRange': {
        const result = value as DeleteRangeResult;
        return this.oracle.compareDeleteRange(step.request, { revision, result });
      }
      case 'txn':
        return this.oracle.compareTxn(step.request, { revision, result: value as TxnResult });
      default:
        return assertNever(step);
    }
  }

  #read(step: Extract<Asked, { readonly type: 'range' | 'txn' }>): string | undefined {
    const { store } = this;
    const result = step.type === 'range' ? store.range(step.request) : store.readTxn(step.request);
    return result.ok ? this.judge(step, result.value) : undefined;
  }
}

function pairAfter(...writes: readonly Write[]): Pair {
  const pair = new Pair();
  for (const write of writes) expect(pair.perform(write)).toBeUndefined();
  return pair;
}

const put = (key: string, value: string, options = {}): Write => ({
  type: 'put',
  request: putRequest(key, value, options),
});
const remove = (key: string, end = '', prevKv = false): Write => ({
  type: 'deleteRange',
  request: deleteRequest(key, end, prevKv),
});

describe('a correct store', () => {
  test('passes for any sequence of requests, now and at every past revision', () => {
    fc.assert(
      fc.property(asked, fc.nat(), (steps, pick) => {
        const pair = new Pair();
        for (const step of steps) {
          expect(pair.perform(step)).toBeUndefined();
          const { oracle, store } = pair;
          expect(oracle.revisionAt(oracle.committed)).toBe(store.revision);
          expect(oracle.compareStore(oracle.committed, store)).toBeUndefined();
          const revision = 1 + (pick % store.revision);
          expect(oracle.compareHistory(oracle.committed, store, revision)).toBeUndefined();
        }
      }),
      { seed: SEED, numRuns: 300 },
    );
  });

  test('passes when it is behind, and its answers do too', () => {
    fc.assert(
      fc.property(asked, (steps) => {
        const ahead = new Pair();
        for (const step of steps) ahead.perform(step);
        const behind = new Pair();
        for (const step of steps) {
          behind.perform(step);
          const { committed } = behind.oracle;
          expect(ahead.oracle.compareStore(committed, behind.store)).toBeUndefined();
          if (step.type !== 'range') continue;
          const read = behind.store.range(step.request);
          if (!read.ok) continue;
          expect(ahead.judge(step, read.value, behind.store.revision)).toBeUndefined();
        }
      }),
      { seed: SEED, numRuns: 100 },
    );
  });

  test('is the same after entries that hold no request, and after refused ones', () => {
    const { oracle, store } = pairAfter(put('a', '1'));
    const empty = { term: 1, data: NO_DATA } as const;
    oracle.commit({ ...empty, type: 'confChange', index: 2 });
    oracle.commit({ ...empty, type: 'normal', index: 3 });
    oracle.commit(
      entryOf(4, {
        type: 'memberAttributes',
        request: { memberId: 1n, name: 'm', clientUrls: [] },
      }),
    );
    const refused = put('b', '', { ignoreValue: true });
    oracle.commit(entryOf(5, refused));
    expect(applyTo(store, refused)).toEqual({ ok: false, error: 'keyNotFound' });
    const success = [putOp('c', '1'), rangeOp('a', '', { revision: 9 })];
    oracle.commit(entryOf(6, { type: 'txn', request: txnRequest({ success }) }));
    expect(oracle.committed).toBe(6);
    expect(oracle.revisionAt(6)).toBe(2);
    expect(oracle.compareStore(6, store)).toBeUndefined();
  });
});

describe('a store that differs', () => {
  const { oracle, store } = pairAfter(put('a', '1'), put('b', '1'), put('a', '2'), put('c', '3'));
  const everything = { type: 'range', request: rangeRequest('a', OPEN_END) } as const;

  test('by one entry less is reported, unless that made no difference', () => {
    let reported = 0;
    fc.assert(
      fc.property(asked, fc.nat(), (steps, pick) => {
        const writes = steps.filter((step) => step.type !== 'range');
        fc.pre(writes.length > 0);
        const whole = new Pair();
        const short = new Store();
        const left = pick % writes.length;
        for (const [at, step] of writes.entries()) {
          whole.oracle.commit(entryOf(at + 1, step));
          applyTo(whole.store, step);
          if (at !== left) applyTo(short, step);
        }
        const state = (each: Store) => [each.revision, each.range(everything.request)];
        const isSame = isDeepStrictEqual(state(short), state(whole.store));
        expect(whole.oracle.compareStore(writes.length, short) === undefined).toBe(isSame);
        reported += Number(!isSame);
      }),
      { seed: SEED, numRuns: 200 },
    );
    expect(reported).toBeGreaterThan(50);
  });

  test.each([
    ['version', { version: 5 }, '"c": version is 5, the model says 1'],
    ['create revision', { createRevision: 4 }, '"c": createRevision is 4, the model says 5'],
    ['value', { value: Uint8Array.of(52) }, '"c": value is "4", the model says "3"'],
    ['lease', { lease: 9n }, '"c": lease is 9, the model says 0'],
  ])('by a %s', (_, wrong, words) => {
    const other = altered(store, (rows) =>
      rows.map((row) =>
        row.main === 5 ? { ...row, keyValue: { ...row.keyValue, ...wrong } } : row,
      ),
    );
    expect(oracle.compareStore(4, other)).toBe(
      `the store at applied index 4 (revision 5): ${words}`,
    );
  });

  test('by a key', () => {
    const other = altered(store, (rows) =>
      rows.map((row) =>
        row.main === 5 ? { ...row, keyValue: { ...row.keyValue, key: Uint8Array.of(100) } } : row,
      ),
    );
    expect(oracle.compareStore(4, other)).toContain('"c" is missing, the model says {key: "c"');
    const more = altered(store, (rows) => [
      ...rows,
      {
        ...rows.at(-1)!,
        sub: 1,
        keyValue: { ...rows.at(-1)!.keyValue, key: Uint8Array.of(97, 0) },
      },
    ]);
    expect(oracle.compareStore(4, more)).toBe(
      'the store at applied index 4 counts 4 keys, the model 3',
    );
    expect(oracle.compareHistory(4, more, 5)).toContain('is there, the model has no such key');
  });

  test('only in its past', () => {
    const other = altered(store, (rows) =>
      rows.map((row) =>
        row.main === 2 ? { ...row, keyValue: { ...row.keyValue, value: NO_DATA } } : row,
      ),
    );
    expect(oracle.compareStore(4, other)).toBeUndefined();
    expect(oracle.compareHistory(4, other, 3)).toBe(
      'revision 3 in the store at applied index 4: "a": value is "", the model says "1"',
    );
    expect(oracle.compareHistory(4, other, 4)).toBeUndefined();
  });

  test('by having applied what is not committed', () => {
    expect(oracle.compareStore(5, store)).toBe('5 entries applied, 4 committed');
  });

  test('by its order', () => {
    const { kvs } = expectOk(store.range(everything.request));
    const shuffled = new Store();
    shuffled.range = () => ({ ok: true, value: { kvs: kvs.toReversed(), more: false, count: 3 } });
    expect(oracle.compareHistory(4, shuffled, 5)).toContain(
      '"b" follows "c", which is out of order',
    );
  });
});

describe('a wrong answer', () => {
  const pair = pairAfter(
    put('a', '1'),
    put('b', '2'),
    remove('b'),
    put('a', '3', { prevKv: true }),
  );
  const judge = pair.judge.bind(pair);
  const range: Asked = { type: 'range', request: rangeRequest('a', OPEN_END, { revision: 3 }) };

  test('to a range: order, number, value, moment', () => {
    const right = expectOk(pair.store.range(range.request as never)) as RangeResult;
    expect(judge(range, right)).toBeUndefined();
    expect(judge(range, { ...right, kvs: right.kvs.toReversed() })).toBe(
      'range {key: "a", rangeEnd: "\\u0000", revision: 3, sortOrder: "none", sortTarget: "key"}' +
        ' at revision 5: kvs.0.key is "b", the model says "a"',
    );
    expect(judge(range, { ...right, count: 3 })).toContain('count is 3, the model says 2');
    expect(judge(range, { ...right, more: true })).toContain('more is true');
    expect(judge(range, { ...right, kvs: right.kvs.slice(1) })).toContain('kvs.0.key');
    expect(judge(range, right, 2)).toContain('the model refuses it: futureRevision');
    expect(judge(range, right, 9)).toContain('an answer from the future, 5 is the last committed');
    expect(judge(range, right, 0)).toContain('there is no such revision');
  });

  test('to a put', () => {
    const result = { prevKv: undefined };
    const first = put('a', '1');
    expect(judge(first, result, 2)).toBeUndefined();
    expect(judge(first, result, 3)).toContain(
      'at revision 3: never committed there, but put {key: "b", value: "2"}',
    );
    expect(judge(first, result, 1)).toContain('never committed there, but nothing else either');
    expect(judge(first, result, 6)).toContain('an answer from the future');
    expect(judge(put('a', '3', { prevKv: true }), result, 5)).toContain(
      'prevKv is undefined, the model says {key: "a"',
    );
  });

  test('to a delete', () => {
    expect(judge(remove('b'), { deleted: 1, prevKvs: [] }, 4)).toBeUndefined();
    expect(judge(remove('b'), { deleted: 0, prevKvs: [] }, 4)).toContain(
      'deleted is 0, the model says 1',
    );
    expect(judge(remove('b'), { deleted: 0, prevKvs: [] }, 5)).toContain('never committed there');
    expect(pair.perform(remove('b'))).toBeUndefined();
    expect(judge(remove('b'), { deleted: 0, prevKvs: [] }, 5)).toBeUndefined();
  });

  test('to a transaction that writes, and to one that reads', () => {
    const own = pairAfter(put('a', '1'));
    const compare = [compareNumber('version', 'a', 'equal', 1)];
    const writing: Asked = {
      type: 'txn',
      request: txnRequest({ compare, success: [deleteOp('a')], failure: [putOp('a', '2')] }),
    };
    expect(own.perform(writing)).toBeUndefined();
    const prevKv = undefined;
    const failed = { succeeded: false, responses: [{ type: 'put', result: { prevKv } }] };
    expect(own.judge(writing, failed, 3)).toContain('succeeded is false, the model says true');
    const reading: Asked = {
      type: 'txn',
      request: txnRequest({ compare, success: [rangeOp('a')] }),
    };
    expect(own.judge(reading, { succeeded: false, responses: [] }, 3)).toBeUndefined();
    expect(own.judge(reading, { succeeded: false, responses: [] }, 2)).toContain(
      'succeeded is false, the model says true',
    );
  });
});

describe('commit', () => {
  test('tells of a request that is committed again', () => {
    const oracle = new Oracle();
    expect(oracle.commit(entryOf(1, put('a', '1'), 77n)).repeated).toBeUndefined();
    expect(oracle.commit(entryOf(2, put('a', '1'), 78n)).repeated).toBeUndefined();
    expect(oracle.commit(entryOf(3, put('a', '1'), 77n)).repeated).toBe(
      'entry 3 is the request of entry 1 again',
    );
  });

  test('takes entries in order only, and keeps their bytes as they were', () => {
    const oracle = new Oracle();
    const entry = entryOf(1, put('key', 'value'));
    expect(() => oracle.commit(entryOf(2, put('a', '1')))).toThrow('entry 2 after 0');
    oracle.commit(entry);
    entry.data.fill(0);
    const store = new Store();
    applyTo(store, put('key', 'value'));
    expect(oracle.compareStore(1, store)).toBeUndefined();
    expect(
      oracle.comparePut(putRequest('key', 'value'), {
        revision: 2,
        result: { prevKv: undefined },
      }),
    ).toBeUndefined();
  });
});
