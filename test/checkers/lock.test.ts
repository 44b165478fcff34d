import { expect, test } from 'vitest';
import { lockChecker } from '../../checkers/lock.ts';
import { historyOf, type Row } from './history-of.ts';

function lock(process: number, at: number): Row[] {
  return [
    [process, 'invoke', 'lock', { name: 'l' }],
    [process, 'ok', 'lock', { name: 'l', at }],
  ];
}

function work(process: number, at: number, isHeld = true): Row[] {
  return [
    [process, 'invoke', 'lock-work', {}],
    [process, 'ok', 'lock-work', { name: 'l', isHeld, at }],
  ];
}

function check(...rows: readonly Row[]) {
  return lockChecker().check(historyOf(...rows));
}

test('one holder after the other is fine, in whatever order they say so', () => {
  expect(check(...lock(0, 5), ...work(0, 6), ...lock(1, 9), ...work(1, 10)).validity).toBe('valid');
  expect(check(...lock(1, 9), ...lock(0, 5), ...work(1, 10), ...work(0, 6)).validity).toBe('valid');
});

test('a holder that still works when another holds the lock is found', () => {
  const found = check(...lock(0, 5), ...lock(1, 9), ...work(1, 10), ...work(0, 11));
  expect(found).toMatchObject({
    validity: 'invalid',
    summary: 'l was held by process 0 at revisions 5 and 11, and by process 1 at 10',
  });
});

test('work that found the lock gone is no proof, nor is an earlier time of the same process', () => {
  const rows = [
    ...lock(0, 5),
    ...lock(1, 9),
    ...work(0, 11, false),
    ...lock(0, 12),
    ...work(0, 13),
  ];
  expect(check(...rows).validity).toBe('valid');
});

test('who still waits or gave up holds nothing; a second call with the lease may be the one', () => {
  const waiting: Row[] = [
    [0, 'invoke', 'lock', { name: 'l' }],
    [0, 'ok', 'lock', { name: 'l', isWaiting: true }],
  ];
  const again: Row[] = [
    [0, 'invoke', 'lock-again', {}],
    [0, 'ok', 'lock-again', { name: 'l', at: 9 }],
  ];
  expect(check(...lock(1, 5), ...waiting, ...work(1, 8), ...again).validity).toBe('valid');
  expect(check(...lock(1, 5), ...waiting, ...again, ...work(1, 10)).validity).toBe('invalid');
});

test('a lock that nobody gets any more is found', () => {
  const relay = (isPassedOn: boolean): Row[] => [
    [0, 'invoke', 'lock-relay', {}],
    [0, 'ok', 'lock-relay', { name: 'l', step: 'third', isPassedOn }],
  ];
  expect(check(...lock(1, 5), ...relay(true)).validity).toBe('valid');
  expect(check(...lock(1, 5), ...relay(false))).toMatchObject({
    validity: 'invalid',
    summary: 'nobody gets l any more: process 0 let it go, and asked in vain',
  });
});

test('without a holder nothing is known', () => {
  expect(check().validity).toBe('unknown');
});
