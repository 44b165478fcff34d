/** The checkers that scenarios bring along: each must find its failure, and only that. */
import { describe, expect, test } from 'vitest';
import type { Json, Op, OpType } from '../../checkers/history/op.ts';
import { accessChecker } from '../../harness/scenarios/checkers/access.ts';
import { judgeTerms } from '../../harness/scenarios/checkers/elections.ts';
import { heldLocksChecker } from '../../harness/scenarios/checkers/held-locks.ts';
import { memberDataChecker } from '../../harness/scenarios/checkers/member-data.ts';
import { progressChecker } from '../../harness/scenarios/checkers/progress.ts';
import { judgeStartUp } from '../../harness/scenarios/checkers/start-up.ts';
import { judgeTolerance, tolerated } from '../../harness/scenarios/checkers/tolerance.ts';
import { watchCompletenessChecker } from '../../harness/scenarios/checkers/watch-completeness.ts';

/** Operations of one process, one after the other. */
function historyOf(...operations: readonly [f: string, value: Json, end?: OpType][]): Op[] {
  const ops = operations.flatMap(([f, value, end = 'ok']) => [
    { process: 0, type: 'invoke' as OpType, f, value },
    { process: 0, type: end, f, value },
  ]);
  return ops.map((op, index) => ({ index, time: index, ...op }));
}

describe('held locks', () => {
  const held = (holder: string, isThere: boolean): [string, Json] => [
    'held-lock',
    { holder, name: 'l', key: `l/${holder}`, at: 5, isThere },
  ];

  test('a holder without a key', () => {
    const result = heldLocksChecker().check(historyOf(held('a', false), held('b', true)));
    expect(result.validity).toBe('invalid');
    expect(result.summary).toBe(
      'a was told to hold l by key l/a, and at revision 5 there is no such key; b holds it too',
    );
  });

  test('holders with keys', () => {
    const result = heldLocksChecker().check(historyOf(held('a', true), held('b', true)));
    expect(result.validity).toBe('valid');
  });

  test('nobody', () => {
    expect(heldLocksChecker().check([]).validity).toBe('unknown');
  });
});

describe('member data', () => {
  const hashed = (node: string, hash: number, revision = 7): [string, Json] => [
    'member-hash',
    { node, revision, hash },
  ];
  const checked = (...members: [string, Json][]) =>
    memberDataChecker().check(historyOf(...members));

  test('one member that differs', () => {
    const result = checked(hashed('n1', 1), hashed('n2', 1), hashed('n3', 2));
    expect(result.validity).toBe('invalid');
    expect(result.summary).toBe(
      'members hold different data at revision 7: hashes n1 1, n2 1, n3 2',
    );
  });

  test('the same everywhere', () => {
    expect(checked(hashed('n1', 1), hashed('n2', 1)).validity).toBe('valid');
  });

  test('one member alone, or other revisions, tell nothing', () => {
    expect(checked(hashed('n1', 1)).validity).toBe('unknown');
    expect(checked(hashed('n1', 1), hashed('n2', 2, 8)).validity).toBe('unknown');
  });
});

describe('progress', () => {
  const told = (...all: readonly [kind: string, at: number][]): Op[] =>
    historyOf(['watch-told', { told: all.map(([kind, at]) => ({ kind, at, key: 'k' })) }]);

  test('an event of a promised revision comes later', () => {
    const result = progressChecker().check(told(['progress', 3], ['event', 2], ['event', 3]));
    expect(result.validity).toBe('invalid');
    expect(result.summary).toContain('at revision 3, and 2 events of revisions 2 to 3');
  });

  test('events before the promise, and newer ones after it', () => {
    const result = progressChecker().check(told(['event', 3], ['progress', 3], ['event', 4]));
    expect(result.validity).toBe('valid');
  });

  test.each([[told(['event', 3])], [told(['progress', 3])]])('one of both is missing', (ops) => {
    expect(progressChecker().check(ops).validity).toBe('unknown');
  });
});

describe('access', () => {
  const grant: [string, Json] = ['grant', { user: 'eve', prefix: 'own/' }];
  const access = (key: string, end: OpType): [string, Json, OpType] => [
    'access',
    { user: 'eve', keys: [key] },
    end,
  ];

  test('an answer about a key that was not granted', () => {
    const history = historyOf(grant, access('own/a', 'ok'), access('secret', 'ok'));
    const result = accessChecker().check(history);
    expect(result.validity).toBe('invalid');
    expect(result.summary).toContain('eve was answered about secret');
  });

  test('refused there, answered here', () => {
    const history = historyOf(grant, access('own/a', 'ok'), access('secret', 'fail'));
    expect(accessChecker().check(history).validity).toBe('valid');
  });

  test('nothing was refused, so nothing is known', () => {
    const history = historyOf(grant, access('own/a', 'ok'));
    expect(accessChecker().check(history).validity).toBe('unknown');
  });
});

describe('watch completeness', () => {
  const base: [string, Json][] = [
    ['read', { at: 5 }],
    ['write', { at: 6 }],
  ];
  const watch = (...told: readonly number[]): [string, Json] => [
    'watch-all',
    { watcher: 'w', told },
  ];

  test('a write after the read that nobody told of', () => {
    const result = watchCompletenessChecker().check(historyOf(...base, watch(7)));
    expect(result.validity).toBe('invalid');
    expect(result.summary).toContain('w was not told of the write at revision 6');
  });

  test('told of it', () => {
    const result = watchCompletenessChecker().check(historyOf(...base, watch(6, 7)));
    expect(result.validity).toBe('valid');
  });

  test('nothing was written', () => {
    const history = historyOf(['read', { at: 5 }], watch());
    expect(watchCompletenessChecker().check(history).validity).toBe('unknown');
  });
});

describe('start-up', () => {
  const set = { name: 'set', validity: 'valid', summary: '9 present', details: {} } as const;
  const lost = { ...set, validity: 'invalid', summary: 'lost 1' } as const;

  test.each([
    ['panic', 'panic: cannot open database at data-dir: restore it\n\ngoroutine 1 [running]:'],
    ['trace', 'Error: data-dir is bad, remove it\n    at open (file:///x.ts:1:2)'],
    ['no place', 'C | etcdmain: walpb: crc mismatch'],
    ['no remedy', 'C | etcdmain: member/wal is bad'],
    ['nothing', ''],
  ])('ends badly: %s', (_, log) => {
    expect(judgeStartUp({ type: 'ended', log }, undefined).validity).toBe('invalid');
    expect(judgeStartUp({ type: 'serves nobody', log }, undefined).validity).toBe('invalid');
  });

  test('refuses with a place and a remedy', () => {
    const log = 'x\nstormraft: data-dir: the log is damaged; restore it from a backup\n';
    const result = judgeStartUp({ type: 'ended', log }, undefined);
    expect(result.validity).toBe('valid');
    expect(result.summary).toMatch(/^it refuses to start: stormraft: data-dir/);
  });

  test('serves what it should', () => {
    expect(judgeStartUp({ type: 'serves', log: '' }, set).validity).toBe('valid');
    expect(judgeStartUp({ type: 'serves', log: '' }, lost).validity).toBe('invalid');
    expect(judgeStartUp({ type: 'serves', log: '' }, undefined).validity).toBe('invalid');
  });
});

describe('elections', () => {
  test.each([
    [[2, 2, 2], 'valid'],
    [[2, 3], 'valid'],
    [[2, 3, 4], 'invalid'],
    [[2], 'unknown'],
  ] as const)('terms %j: %s', (terms, validity) => {
    expect(judgeTerms(terms, 1_000).validity).toBe(validity);
  });
});

describe('tolerance', () => {
  test('a majority must be left', () => {
    expect([1, 2, 3, 4, 5, 6, 7, 8].map(tolerated)).toEqual([0, 0, 1, 1, 2, 2, 3, 3]);
  });

  const good = [
    { size: 3, lost: 1, goesOn: true },
    { size: 3, lost: 2, goesOn: false },
  ];

  test('as it must be', () => {
    const result = judgeTolerance(good);
    expect(result.validity).toBe('valid');
    expect(result.summary).toContain('3: 1');
  });

  test.each([
    [{ size: 4, lost: 2, goesOn: true }, '4 members go on without 2'],
    [{ size: 5, lost: 2, goesOn: false }, '5 members stop without 2'],
  ])('%j', (loss, words) => {
    const result = judgeTolerance([...good, loss]);
    expect(result.validity).toBe('invalid');
    expect(result.summary).toBe(words);
  });

  test('nothing was lost', () => {
    expect(judgeTolerance([]).validity).toBe('unknown');
  });
});
