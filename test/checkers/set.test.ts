import { describe, expect, test } from 'vitest';
import { setChecker } from '../../checkers/set.ts';
import { historyOf, type Row } from './history-of.ts';

function add(process: number, element: number): Row[] {
  return [
    [process, 'invoke', 'add', { element }],
    [process, 'ok', 'add', { element }],
  ];
}

function read(process: number, ...elements: readonly number[]): Row[] {
  return [
    [process, 'invoke', 'set-read', {}],
    [process, 'ok', 'set-read', { elements }],
  ];
}

function lostAdd(process: number, element: number, type: 'fail' | 'info'): Row[] {
  return [
    [process, 'invoke', 'add', { element }],
    [process, type, 'add', { element }, { error: 'timed out' }],
  ];
}

function check(...rows: readonly Row[]) {
  return setChecker().check(historyOf(...rows));
}

describe('valid', () => {
  test('when every acknowledged element is in every later read', () => {
    expect(check(...add(0, 1), ...read(1, 1), ...add(0, 2), ...read(1, 1, 2))).toMatchObject({
      validity: 'valid',
      summary: '2 acknowledged of 2 adds all present in 2 reads, 1 of them final',
    });
  });

  test('whether or not an add that nobody saw end is there', () => {
    expect(check(...lostAdd(0, 1, 'info'), ...add(1, 2), ...read(1, 2)).validity).toBe('valid');
    expect(check(...lostAdd(0, 1, 'info'), ...add(1, 2), ...read(1, 1, 2))).toMatchObject({
      validity: 'valid',
      details: { recovered: 1 },
    });
  });

  test('a read beside an add may show it or not', () => {
    const result = check(
      [0, 'invoke', 'add', { element: 1 }],
      ...read(1),
      [0, 'ok', 'add', { element: 1 }],
      ...read(1, 1),
    );
    expect(result.validity).toBe('valid');
  });

  test('a read that began before the acknowledgement need not show it, however late it ends', () => {
    const result = check(
      [0, 'invoke', 'add', { element: 1 }],
      [1, 'invoke', 'set-read', {}],
      [0, 'ok', 'add', { element: 1 }],
      [1, 'ok', 'set-read', { elements: [] }],
      ...read(1, 1),
    );
    expect(result.validity).toBe('valid');
  });
});

describe('invalid', () => {
  test('lost: acknowledged, and in no final read', () => {
    const result = check(...add(0, 1), ...add(0, 2), ...read(1, 2), ...read(1, 2));
    expect(result).toMatchObject({
      validity: 'invalid',
      details: { lostCount: 1, lost: [1], staleCount: 0 },
      evidence: {
        sentence:
          "process 1's read (op 6) missed 1 after process 0's add of it was acknowledged" +
          ' (op 1), and no later final read shows it',
        fromIndex: 0,
        toIndex: 7,
      },
    });
    expect(result.evidence?.ops.map((op) => op.index)).toEqual([0, 1, 6, 7]);
  });

  test('lost: once read, though nobody saw the add end', () => {
    const result = check(...lostAdd(0, 1, 'info'), ...add(2, 2), ...read(1, 1, 2), ...read(1, 2));
    expect(result.details).toMatchObject({ staleCount: 0, lostCount: 1 });
    expect(result.evidence?.sentence).toContain("process 1's read had shown it (op 5)");
  });

  test('stale: missed by a read that began after the acknowledgement', () => {
    const result = check(...add(0, 1), ...read(1), ...read(1, 1));
    expect(result).toMatchObject({
      validity: 'invalid',
      details: { staleCount: 1, stale: [1], lostCount: 0, worstStaleNs: 1_000 },
    });
  });

  test('stale: the longest missing first', () => {
    const result = check(
      [0, 'invoke', 'add', { element: 1 }],
      [2, 'invoke', 'add', { element: 2 }],
      [2, 'ok', 'add', { element: 2 }],
      [0, 'ok', 'add', { element: 1 }],
      ...read(1),
      ...read(1, 1, 2),
    );
    expect(result.details).toMatchObject({ stale: [2, 1], worstStaleNs: 2_000 });
    expect(result.evidence?.sentence).toContain('missed 2 after');
  });

  test('unexpected: a text, which is no number that anybody adds', () => {
    const result = check(
      ...add(0, 1),
      [1, 'invoke', 'set-read', {}],
      [1, 'ok', 'set-read', { elements: [1, 'garbage'] }],
    );
    expect(result).toMatchObject({ validity: 'invalid', details: { unexpected: ['garbage'] } });
  });

  test('duplicate, and unexpected: never added, failed, or not yet added', () => {
    expect(check(...add(0, 1), ...read(1, 1, 1)).details).toMatchObject({ duplicates: [1] });
    expect(check(...add(0, 1), ...read(1, 1, 7)).details).toMatchObject({ unexpected: [7] });
    const failed = check(...lostAdd(0, 5, 'fail'), ...add(0, 1), ...read(1, 1, 5));
    expect(failed.details).toMatchObject({ unexpected: [5] });
    const early = check(...add(0, 1), ...read(1, 1, 2), ...add(0, 2), ...read(1, 1, 2));
    expect(early.evidence?.sentence).toBe(
      "process 1's read (op 2) showed 2, which nobody had added",
    );
  });
});

describe('unknown', () => {
  test('without a read after the last add, or without adds', () => {
    expect(check(...read(1), ...add(0, 1))).toMatchObject({
      validity: 'unknown',
      summary: 'no read succeeded after the last add',
    });
    expect(check(...read(1)).validity).toBe('unknown');
  });

  test('when every read began before the last add had ended, however it ended', () => {
    const none = { validity: 'unknown', summary: 'no read succeeded after the last add' };
    const during = check(...add(0, 1), [1, 'invoke', 'set-read', {}], ...add(0, 2), [
      1,
      'ok',
      'set-read',
      { elements: [1] },
    ]);
    expect(during).toMatchObject(none);
    expect(check(...add(0, 1), ...read(1, 1), ...lostAdd(2, 2, 'info'))).toMatchObject(none);
  });

  test('on values that are none of a set', () => {
    expect(check([0, 'invoke', 'add', { element: 'x' }]).summary).toBe(
      'malformed history at op 0: invoke add with the value {"element":"x"}',
    );
  });
});
