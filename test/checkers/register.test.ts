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

  test('a read that goes back: the reads alone tell', () => {
    const result = check(
      [0, 'invoke', 'write', { ...X, value: 1 }],
      ...alone(1, 'read', {}, { value: 1 }),
      ...alone(2, 'read', {}, { value: null }),
      [0, 'ok', 'write', { ...X, value: 1 }],
    );
    expect(result.validity).toBe('invalid');
    expect(result.evidence?.sentence).toContain('process 2 (ops 3–4) read x = absent');
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

  test('on values that are none of a register, and on nothing', () => {
    expect(check([4, 'invoke', 'write', { ...X, value: 'much' }])).toMatchObject({
      validity: 'unknown',
      summary: 'malformed history at op 0: invoke write with the value {"key":"x","value":"much"}',
    });
    expect(check()).toMatchObject({ validity: 'unknown', summary: 'no operations' });
  });
});
