import { expect, test } from 'vitest';
import { leaseChecker } from '../../checkers/lease.ts';
import { historyOf, type Row } from './history-of.ts';

const SECOND_NS = 1e9;
const ID = { lease: '7' };

type Value = { readonly [field: string]: string | number | boolean };

/** Asked at `atS`; answered a moment later, or `tookS` after that. */
function done(f: string, atS: number, value: Value, process = 0, tookS = 0): Row[] {
  const time = atS * SECOND_NS;
  return [
    [process, 'invoke', f, {}, { time }],
    [process, 'ok', f, { ...ID, ...value }, { time: time + 1 + tookS * SECOND_NS }],
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
  const refused = done('lease-keep-alive', 6, { ttlS: 0 });
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

test('what is said to be left is what was promised, to a second', () => {
  const key = done('lease-read', 1.5, { isThere: true });
  expect(check([...key, ...done('lease-look', 2, { ttlS: 2 })])).toBe('valid');
  expect(check([...key, ...done('lease-look', 2, { ttlS: 1 })])).toBe('invalid');
  expect(check([...key, ...done('lease-look', 2, { ttlS: -1 })])).toBe('invalid');
  expect(check([...key, ...done('lease-look', 5, { ttlS: -1 })])).toBe('valid');
  expect(check([...key, ...done('lease-keep-alive', 4, { ttlS: 0 })])).toBe('invalid');
});

test('a renewal that others ask for counts, unless it was asked for too late to be known', () => {
  const gone = done('lease-look', 6, { ttlS: -1 });
  const key = done('lease-read', 1.5, { isThere: true });
  const others = done('lease-keep-alive', 4, { ttlS: 5 }, 1);
  expect(check([...key, ...others, ...gone])).toBe('invalid');
  const [asked, answered] = done('lease-keep-alive', 4, { ttlS: 5 }, 1, 2);
  expect(check([...key, asked!, ...done('lease-look', 5.5, { ttlS: 0 }), answered!])).toBe('valid');
});

test('what is gone stays so', () => {
  const gone = done('lease-keep-alive', 6, { ttlS: 0 });
  const key = done('lease-read', 1.5, { isThere: true });
  for (const [f, value] of [
    ['lease-keep-alive', { ttlS: 5 }],
    ['lease-look', { ttlS: 0 }],
    ['lease-put', { key: 'lease/shared/1' }],
    ['lease-read', { isThere: true }],
  ] as const) {
    expect(check([...key, ...gone, ...done(f, 7, value, 1)]), f).toBe('invalid');
    expect(check([...key, ...done(f, 5, value, 1), ...done('lease-look', 11, { ttlS: -1 })])).toBe(
      'valid',
    );
  }
  const revoked = done('lease-revoke', 2, {});
  expect(check([...key, ...revoked, ...done('lease-put', 3, { key: 'x' })])).toBe('invalid');
});

test('a look that a revoke overtakes is no lie', () => {
  const key = done('lease-read', 1.5, { isThere: true });
  const [asked, answered] = done('lease-look', 2, { ttlS: -1 }, 1, 1);
  expect(check([...key, asked!, ...done('lease-revoke', 2.5, {}), answered!])).toBe('valid');
});

test('without a look at a key nothing is known', () => {
  expect(check([])).toBe('unknown');
});
