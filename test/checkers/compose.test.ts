import { expect, test } from 'vitest';
import type { Checker, Validity } from '../../checkers/checker.ts';
import { checkAll, mergeValidity } from '../../checkers/compose.ts';
import { statisticsChecker } from '../../checkers/statistics.ts';
import { historyOf } from './history-of.ts';

function fixed(validity: Validity): Checker {
  return {
    name: validity,
    check: () => ({ name: validity, validity, summary: '', details: {} }),
  };
}

test('the worst verdict counts, and no verdict is unknown', () => {
  expect(mergeValidity(['valid', 'valid'])).toBe('valid');
  expect(mergeValidity(['valid', 'unknown'])).toBe('unknown');
  expect(mergeValidity(['unknown', 'invalid', 'valid'])).toBe('invalid');
  expect(mergeValidity([])).toBe('unknown');
});

test('a checker that throws is unknown, and the others still run', () => {
  const broken: Checker = {
    name: 'broken',
    check: () => {
      throw new Error('no such state');
    },
  };
  expect(checkAll([fixed('valid'), broken, fixed('valid')], [])).toMatchObject({
    validity: 'unknown',
    checks: [
      { validity: 'valid' },
      { name: 'broken', validity: 'unknown', summary: 'the checker failed: no such state' },
      { validity: 'valid' },
    ],
  });
});

test('statistics count by function and type, without the nemesis', () => {
  const history = historyOf(
    [0, 'invoke', 'read', {}],
    [0, 'ok', 'read', {}],
    ['nemesis', 'info', 'kill', null],
    [0, 'invoke', 'read', {}],
    [0, 'fail', 'read', {}],
  );
  expect(statisticsChecker().check(history)).toMatchObject({
    validity: 'valid',
    summary: '2 invoked, 1 ok, 1 fail, 0 info (50.0 % of 2 completed are ok)',
    details: { okFraction: 0.5, byF: { read: { invoke: 2, ok: 1, fail: 1, info: 0 } } },
  });
});

test('statistics cannot vouch for a function that never succeeded, nor for nothing', () => {
  const history = historyOf(
    [0, 'invoke', 'read', {}],
    [0, 'ok', 'read', {}],
    [0, 'invoke', 'add', {}],
    [0, 'info', 'add', {}],
  );
  const check = statisticsChecker().check(history);
  expect(check).toMatchObject({
    validity: 'unknown',
    summary: '2 invoked, 1 ok, 0 fail, 1 info (50.0 % of 2 completed are ok); never ok: add',
    details: { okFraction: 0.5, byF: { read: { okFraction: 1 }, add: { okFraction: 0 } } },
  });
  expect(statisticsChecker().check([]).validity).toBe('unknown');
});
