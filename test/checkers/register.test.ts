import { describe, expect, test } from 'vitest';
import { registerChecker } from '../../checkers/register.ts';
import { historyOf, type Row } from './history-of.ts';

const X = { key: 'x' };

/** An operation that runs alone. */
function alone(process: number, f: string, asked: object, answered: object = asked): Row[] {
  return [
    [process, 'invoke', f, { ...X, ...asked }],
    [process, 'ok', f, { ...X, ...answered }],
  ];
}

function check(...rows: readonly Row[]) {
  return registerChecker().check(historyOf(...rows));
}

describe('valid', () => {
  test('reads of what was written, swaps of what was read', () => {
    const result = check(
      ...alone(0, 'read', {}, { value: null }),
      ...alone(0, 'write', { value: 1 }),
      ...alone(1, 'cas', { from: 1, to: 2 }, { from: 1, to: 2, swapped: true }),
      ...alone(1, 'cas', { from: 1, to: 3 }, { from: 1, to: 3, swapped: false, value: 2 }),
      ...alone(2, 'read', {}, { value: 2 }),
    );
    expect(result).toMatchObject({
      validity: 'valid',
      summary: 'linearizable: 5 operations on 1 keys',
    });
  });

  test('a write that nobody saw end may happen late, or never', () => {
    const lost: Row[] = [
      [0, 'invoke', 'write', { ...X, value: 1 }],
      [0, 'info', 'write', { ...X, value: 1 }, { error: 'timed out' }],
    ];
    const before = alone(1, 'read', {}, { value: null });
    expect(check(...lost, ...before).validity).toBe('valid');
    expect(check(...lost, ...before, ...alone(1, 'read', {}, { value: 1 })).validity).toBe('valid');
  });

  test('a write that was still open when the history ended may have happened, or not', () => {
    const open: Row = [0, 'invoke', 'write', { ...X, value: 1 }];
    expect(check(open, ...alone(1, 'read', {}, { value: 1 })).validity).toBe('valid');
    expect(check(open, ...alone(1, 'read', {}, { value: null })).validity).toBe('valid');
  });

  test('keys have nothing to do with each other', () => {
    const result = check(
      [0, 'invoke', 'write', { key: 'x', value: 1 }],
      [0, 'ok', 'write', { key: 'x', value: 1 }],
      [1, 'invoke', 'read', { key: 'y' }],
      [1, 'ok', 'read', { key: 'y', value: null }],
    );
    expect(result).toMatchObject({ validity: 'valid', details: { keys: 2 } });
  });
});

describe('invalid, with evidence', () => {
  test('a stale read: the write it missed and the read, out of many operations', () => {
    const past = Array.from({ length: 200 }, (_, n) => [
      ...alone(n % 5, 'write', { value: n }),
      ...alone(7, 'read', {}, { value: n }),
    ]).flat();
    const result = check(
      ...past,
      ...alone(8, 'write', { value: 4983 }),
      ...alone(9, 'read', {}, { value: 198 }),
      ...alone(8, 'write', { value: 4984 }),
    );
    expect(result.validity).toBe('invalid');
    expect(result.evidence?.sentence).toBe(
      'process 9 (ops 802–803) read x = 198, though it began after process 8 (ops 800–801)' +
        ' wrote 4983 to x, and nobody wrote 198 since',
    );
    expect(result.evidence?.ops.map((op) => [op.index, op.type])).toEqual([
      [800, 'invoke'],
      [801, 'ok'],
      [802, 'invoke'],
      [803, 'ok'],
    ]);
    expect(result.evidence).toMatchObject({ fromIndex: 800, toIndex: 803 });
    expect(result.details).toMatchObject({ keysViolating: ['x'], evidenceOperations: 2 });
  });

  test('a value out of nowhere: the read alone', () => {
    const result = check(
      ...alone(0, 'write', { value: 1 }),
      ...alone(1, 'read', {}, { value: 99 }),
    );
    expect(result.evidence?.sentence).toBe(
      'process 1 (ops 2–3) read x = 99, which nobody ever wrote',
    );
    expect(result.evidence?.ops.map((op) => op.index)).toEqual([2, 3]);
  });

  test('an update lost to another: both compare-and-sets', () => {
    const swap = (to: number): object => ({ from: 1, to, swapped: true });
    const result = check(
      ...alone(0, 'write', { value: 1 }),
      [0, 'invoke', 'cas', { ...X, from: 1, to: 2 }],
      [1, 'invoke', 'cas', { ...X, from: 1, to: 3 }],
      [0, 'ok', 'cas', { ...X, ...swap(2) }],
      [1, 'ok', 'cas', { ...X, ...swap(3) }, { node: 'n2' }],
    );
    expect(result.evidence?.sentence).toBe(
      'process 1 at n2 (ops 3–5) swapped x from 1 to 3, though process 0 (ops 2–4)' +
        ' swapped x from 1 to 2 as well: both swapped the same value',
    );
    expect(result.evidence?.ops.map((op) => op.index)).toEqual([2, 3, 4, 5]);
  });

  test('a refusal of what was there: the write and the compare-and-set', () => {
    const refusal = { from: 1, to: 2, swapped: false };
    const result = check(
      ...alone(0, 'write', { value: 1 }),
      ...alone(1, 'cas', { from: 1, to: 2 }, refusal),
    );
    expect(result.validity).toBe('invalid');
    expect(result.evidence?.sentence).toBe(
      'process 1 (ops 2–3) was refused to swap x from 1 to 2, which fits no order with:' +
        ' process 0 (ops 0–1) wrote 1 to x',
    );
  });

  test('a refusal that saw what was no longer there', () => {
    const refusal = { from: 7, to: 8, swapped: false, value: 1 };
    const result = check(
      ...alone(0, 'write', { value: 1 }),
      ...alone(0, 'write', { value: 2 }),
      ...alone(1, 'cas', { from: 7, to: 8 }, refusal),
    );
    expect(result.evidence?.sentence).toBe(
      'process 1 (ops 4–5) was refused to swap x from 7 to 8, which it found to be 1, though it' +
        ' began after process 0 (ops 2–3) wrote 2 to x, and nobody wrote 1 since',
    );
  });

  test('a swap from what was not there: the compare-and-set and the write', () => {
    const result = check(
      ...alone(0, 'write', { value: 1 }),
      ...alone(0, 'write', { value: 2 }),
      ...alone(1, 'cas', { from: 1, to: 3 }, { from: 1, to: 3, swapped: true }),
    );
    expect(result.validity).toBe('invalid');
    expect(result.evidence?.ops.map((op) => op.index)).toEqual([2, 3, 4, 5]);
  });

  test('a read that found nothing after a write', () => {
    const result = check(
      ...alone(0, 'write', { value: 1 }),
      ...alone(1, 'read', {}, { value: null }),
    );
    expect(result.evidence?.sentence).toBe(
      'process 1 (ops 2–3) read x = absent, though it began after process 0 (ops 0–1)' +
        ' wrote 1 to x, and nobody deletes',
    );
  });

  test('a read of what a failed write would have left', () => {
    const result = check(
      [0, 'invoke', 'write', { ...X, value: 1 }],
      [0, 'fail', 'write', { ...X, value: 1 }, { error: 'refused' }],
      ...alone(0, 'read', {}, { value: 1 }),
    );
    expect(result.evidence?.sentence).toBe(
      'process 0 (ops 2–3) read x = 1, which nobody ever wrote',
    );
  });

  test('a read of what a refused compare-and-set would have left', () => {
    const result = check(
      ...alone(0, 'cas', { from: 5, to: 7 }, { from: 5, to: 7, swapped: false }),
      ...alone(1, 'read', {}, { value: 7 }),
    );
    expect(result.evidence?.sentence).toBe(
      'process 1 (ops 2–3) read x = 7, which nobody ever wrote',
    );
  });

  test('a read of a text that nobody writes', () => {
    const result = check(
      ...alone(0, 'write', { value: 1 }),
      ...alone(1, 'read', {}, { value: 'garbage' }),
    );
    expect(result.evidence?.sentence).toBe(
      'process 1 (ops 2–3) read x = "garbage", which nobody ever wrote',
    );
  });

  test('a read of what a swap once left: the write that it missed, too', () => {
    const result = check(
      ...alone(0, 'write', { value: 1 }),
      ...alone(0, 'cas', { from: 1, to: 2 }, { from: 1, to: 2, swapped: true }),
      ...alone(0, 'write', { value: 3 }),
      ...alone(1, 'read', {}, { value: 2 }),
    );
    expect(result.evidence?.ops.map((op) => op.index)).toEqual([4, 5, 6, 7]);
  });

  test('of two keys, the one that went wrong first', () => {
    const result = check(
      [0, 'invoke', 'write', { key: 'x', value: 1 }],
      [0, 'ok', 'write', { key: 'x', value: 1 }],
      [0, 'invoke', 'read', { key: 'y' }],
      [0, 'ok', 'read', { key: 'y', value: 8 }],
      [0, 'invoke', 'read', { key: 'x' }],
      [0, 'ok', 'read', { key: 'x', value: 9 }],
    );
    expect(result.details).toMatchObject({ keysViolating: ['x', 'y'] });
    expect(result.summary).toBe(
      'not linearizable (2 of 2 keys): process 0 (ops 2–3) read y = 8, which nobody ever wrote',
    );
  });

  test('though another key was too hard', () => {
    const rows = Array.from({ length: 50 }, (_, n) => alone(0, 'write', { value: n })).flat();
    const wrong: Row[] = [
      [1, 'invoke', 'read', { key: 'y' }],
      [1, 'ok', 'read', { key: 'y', value: 9 }],
    ];
    const checker = registerChecker({ stepsMax: 10, bytesMax: 1e6 });
    expect(checker.check(historyOf(...wrong, ...rows))).toMatchObject({
      validity: 'invalid',
      details: { keysViolating: ['y'], keysUnknown: 1 },
    });
  });

  test('a read that goes back: both reads, and the write beside them', () => {
    const result = check(
      [0, 'invoke', 'write', { ...X, value: 1 }],
      ...alone(1, 'read', {}, { value: 1 }),
      ...alone(2, 'read', {}, { value: null }),
      [0, 'ok', 'write', { ...X, value: 1 }],
    );
    expect(result.validity).toBe('invalid');
    expect(result.evidence?.sentence).toContain('process 2 (ops 3–4) read x = absent');
    expect(result.evidence?.ops.map((op) => op.index)).toEqual([0, 1, 2, 3, 4, 5]);
  });
});

describe('unknown', () => {
  test('beyond the budget', () => {
    const rows = Array.from({ length: 50 }, (_, n) => alone(0, 'write', { value: n })).flat();
    const checker = registerChecker({ stepsMax: 10, bytesMax: 1e6 });
    expect(checker.check(historyOf(...rows))).toMatchObject({
      validity: 'unknown',
      summary: 'could not tell within the bound on steps: 50 operations on 1 keys',
    });
  });

  test('beyond the budget on one key, though another is linearizable', () => {
    const rows = Array.from({ length: 50 }, (_, n) => alone(0, 'write', { value: n })).flat();
    const easy: Row[] = [
      [1, 'invoke', 'write', { key: 'y', value: 1 }],
      [1, 'ok', 'write', { key: 'y', value: 1 }],
    ];
    const checker = registerChecker({ stepsMax: 10, bytesMax: 1e6 });
    expect(checker.check(historyOf(...easy, ...rows))).toMatchObject({
      validity: 'unknown',
      summary: 'could not tell within the bound on steps: 51 operations on 2 keys',
      details: { keysUnknown: 1 },
    });
  });

  test('on an answer about another key, or one that does not say whether it swapped', () => {
    expect(
      check([0, 'invoke', 'read', X], [0, 'ok', 'read', { key: 'y', value: null }]),
    ).toMatchObject({
      validity: 'unknown',
      summary: 'malformed history at op 1: ok read with the value {"key":"y","value":null}',
    });
    const asked = { from: 1, to: 2 };
    expect(check(...alone(0, 'write', { value: 1 }), ...alone(0, 'cas', asked))).toMatchObject({
      validity: 'unknown',
      summary: 'malformed history at op 3: ok cas with the value {"key":"x","from":1,"to":2}',
    });
  });

  test('on values that are none of a register, and on nothing', () => {
    expect(check([4, 'invoke', 'write', { ...X, value: 'much' }])).toMatchObject({
      validity: 'unknown',
      summary: 'malformed history at op 0: invoke write with the value {"key":"x","value":"much"}',
    });
    expect(check()).toMatchObject({ validity: 'unknown', summary: 'no operations' });
  });
});
