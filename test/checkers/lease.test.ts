import { expect, test } from 'vitest';
import { leaseChecker } from '../../checkers/lease.ts';
import { historyOf, type Row } from './history-of.ts';

const SECOND_NS = 1e9;
const ID = { lease: '7' };

function done(
  f: string,
  atS: number,
  value: { readonly [field: string]: string | number | boolean },
): Row[] {
  const time = atS * SECOND_NS;
  return [
    [0, 'invoke', f, {}, { time }],
    [0, 'ok', f, { ...ID, ...value }, { time: time + 1 }],
  ];
}

const START = [
  ...done('lease-grant', 0, { ttlS: 5 }),
  ...done('lease-put', 1, { key: 'lease/own/7' }),
];

function check(rows: readonly Row[], fastestClock = 1): string {
  return leaseChecker(fastestClock).check(historyOf(...START, ...rows)).validity;
}

test('a key may be gone when the time is up, and not before', () => {
  expect(check(done('lease-read', 4, { isThere: true }))).toBe('valid');
  expect(check(done('lease-read', 4, { isThere: false }))).toBe('invalid');
  expect(check(done('lease-read', 5, { isThere: false }))).toBe('valid');
});

test('a renewal promises the time anew, one of no time promises nothing', () => {
  const renewed = done('lease-keep-alive', 4, { ttlS: 5 });
  expect(check([...renewed, ...done('lease-read', 8, { isThere: false })])).toBe('invalid');
  const refused = done('lease-keep-alive', 4, { ttlS: 0 });
  expect(check([...refused, ...done('lease-read', 8, { isThere: false })])).toBe('valid');
});

test('nothing is promised once a revoke was asked for, whatever became of it', () => {
  const gone = done('lease-read', 3, { isThere: false });
  expect(check([...done('lease-revoke', 2, {}), ...gone])).toBe('unknown');
  const lost: Row[] = [
    [0, 'invoke', 'lease-revoke', {}, { time: 2 * SECOND_NS }],
    [0, 'fail', 'lease-revoke', {}, { time: 2 * SECOND_NS, error: 'connection lost' }],
  ];
  expect(check([...lost, ...gone])).toBe('unknown');
});

test('servers with fast clocks owe less', () => {
  const rows = done('lease-read', 3, { isThere: false });
  expect(check(rows, 2)).toBe('valid');
  expect(check(rows, 1.2)).toBe('invalid');
});

test('without a look at a key nothing is known', () => {
  expect(check([])).toBe('unknown');
});
