import { describe, expect, test } from 'vitest';
import type { Json } from '../../checkers/history/op.ts';
import { revisionChecker } from '../../checkers/revisions.ts';
import { historyOf, type Row } from './history-of.ts';

/** An operation that ends before anything else begins. */
function done(process: number, f: string, revision: number, value: Json = {}): Row[] {
  return [
    [process, 'invoke', f, value],
    [process, 'ok', f, value, { revision }],
  ];
}

function check(...rows: readonly Row[]) {
  return revisionChecker().check(historyOf(...rows));
}

describe('valid', () => {
  test('when revisions only rise, and each change has its own', () => {
    const result = check(
      ...done(0, 'write', 2),
      ...done(1, 'read', 2),
      ...done(2, 'add', 3),
      ...done(1, 'set-read', 3),
      ...done(0, 'kv-put', 4),
      ...done(0, 'kv-delete', 5, { deleted: 2 }),
      ...done(0, 'kv-txn', 6, { wrote: true }),
      ...done(0, 'cas', 7, { swapped: true }),
    );
    expect(result).toMatchObject({
      validity: 'valid',
      summary: '8 revisions in order, 6 of changes',
      details: { highest: 7, sharedCount: 0, fellCount: 0, staleCount: 0 },
    });
  });

  test('for answers of operations that were under way together, in any order', () => {
    const result = check(
      [0, 'invoke', 'write', {}],
      [1, 'invoke', 'read', {}],
      [2, 'invoke', 'write', {}],
      [0, 'ok', 'write', {}, { revision: 9 }],
      [2, 'ok', 'write', {}, { revision: 8 }],
      [1, 'ok', 'read', {}, { revision: 3 }],
    );
    expect(result.validity).toBe('valid');
  });

  test('for what changed nothing at the revision of another', () => {
    const result = check(
      ...done(0, 'write', 2),
      ...done(1, 'cas', 2, { swapped: false }),
      ...done(1, 'kv-delete', 2, { deleted: 0 }),
      ...done(1, 'kv-txn', 2, { wrote: false }),
    );
    expect(result.validity).toBe('valid');
  });

  test('for stale answers that were asked for, also by the same process', () => {
    const stale = { key: 'a', serializable: true };
    const rows = [...done(0, 'write', 9), ...done(1, 'kv-range', 2, stale)];
    expect(check(...rows, ...done(0, 'kv-range', 1, stale)).validity).toBe('valid');
  });
});

describe('invalid', () => {
  test('stale: below what an operation told that had ended before', () => {
    const result = check(
      ...done(0, 'write', 9),
      ...done(1, 'read', 8),
      ...done(2, 'read', 5),
      ...done(1, 'read', 9),
    );
    expect(result).toMatchObject({
      validity: 'invalid',
      summary:
        "shared 0, fell 0, stale 2: process 2's read (op 4) was answered at revision 5" +
        " after process 0's write (op 1) had been answered at revision 9",
      details: { staleCount: 2 },
      evidence: { fromIndex: 0, toIndex: 5 },
    });
    expect(result.evidence?.ops.map((op) => op.index)).toEqual([0, 1, 4, 5]);
  });

  test('stale: also below what only a stale read told', () => {
    const result = check(
      ...done(0, 'kv-range', 7, { key: 'a', serializable: true }),
      ...done(1, 'kv-range', 6, { key: 'a' }),
    );
    expect(result.details).toMatchObject({ staleCount: 1 });
  });

  test('stale: a change at a revision that had been read', () => {
    const result = check(...done(0, 'read', 4), ...done(1, 'write', 4));
    expect(result.evidence?.sentence).toBe(
      "process 1's write (op 2) was acknowledged at revision 4" +
        " after process 0's read (op 1) had been answered at revision 4",
    );
  });

  test('fell: from one answer to the next of a process', () => {
    const result = check(...done(3, 'kv-put', 9), ...done(3, 'kv-range', 7, { key: 'a' }));
    expect(result).toMatchObject({ validity: 'invalid', details: { fellCount: 1, staleCount: 0 } });
    expect(result.evidence?.sentence).toBe(
      "process 3's kv-range (op 2) was answered at revision 7" +
        ' after its own kv-put (op 1) had been answered at revision 9',
    );
  });

  test.each<readonly [string, Json]>([
    ['write', {}],
    ['cas', { swapped: true }],
    ['add', {}],
    ['kv-put', {}],
    ['kv-delete', { deleted: 1 }],
    ['kv-txn', { wrote: true }],
  ])('shared: %s at the revision of another change', (f, value) => {
    const together: Row[] = [
      [0, 'invoke', 'kv-put', {}],
      [1, 'invoke', f, value],
      [1, 'ok', f, value, { revision: 6 }],
      [0, 'ok', 'kv-put', {}, { revision: 6 }],
    ];
    expect(check(...together)).toMatchObject({
      validity: 'invalid',
      details: { sharedCount: 1, staleCount: 0 },
      evidence: {
        sentence:
          `process 1's ${f} (op 1) and process 0's kv-put (op 0)` +
          ' were both acknowledged at revision 6',
      },
    });
    const apart = check(...done(0, 'kv-put', 6), ...done(1, f, 6, value));
    expect(apart.details).toMatchObject({ sharedCount: 1, staleCount: 0 });
  });
});

describe('unknown', () => {
  test('when no answer told a revision', () => {
    expect(check([0, 'invoke', 'write', {}], [0, 'ok', 'write', {}])).toMatchObject({
      validity: 'unknown',
      summary: 'no answer told a revision',
    });
    expect(check().validity).toBe('unknown');
  });

  test('for what did not end well', () => {
    const failed: Row[] = [
      [0, 'invoke', 'write', {}],
      [0, 'info', 'write', {}, { error: 'timed out', revision: 4 }],
    ];
    expect(check(...failed).validity).toBe('unknown');
  });

  test('on a history that breaks the rules', () => {
    expect(check([0, 'ok', 'write', {}, { revision: 2 }])).toMatchObject({
      validity: 'unknown',
      summary: 'malformed history at op 0: process 0 completes what it did not invoke',
    });
  });
});
