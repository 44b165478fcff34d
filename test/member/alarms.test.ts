import { expect, test } from 'vitest';
import { Alarms } from '../../src/member/alarms.ts';

const ONE = { memberId: 1n, type: 'NOSPACE' } as const;
const TWO = { memberId: 2n, type: 'NOSPACE' } as const;
const ILL = { memberId: 1n, type: 'CORRUPT' } as const;

test('an alarm is on until it is put off, once however often it is raised', () => {
  const alarms = new Alarms();
  expect(alarms.apply({ action: 'activate', ...ONE })).toEqual([ONE]);
  expect(alarms.apply({ action: 'activate', ...ONE })).toEqual([ONE]);
  expect(alarms.list()).toEqual([ONE]);
  expect([alarms.has('NOSPACE'), alarms.has('CORRUPT')]).toEqual([true, false]);
  expect(alarms.apply({ action: 'deactivate', ...TWO })).toEqual([]);
  expect(alarms.apply({ action: 'deactivate', ...ONE })).toEqual([ONE]);
  expect(alarms.list()).toEqual([]);
});

test('member 0 has alarms of its own, as in etcd, and stands for nobody else', () => {
  const alarms = new Alarms([TWO, ILL, ONE]);
  expect(alarms.list()).toEqual([ILL, ONE, TWO]);
  const NOBODY = { memberId: 0n, type: 'NOSPACE' } as const;
  expect(alarms.apply({ action: 'deactivate', ...NOBODY })).toEqual([]);
  expect(alarms.apply({ action: 'activate', ...NOBODY })).toEqual([NOBODY]);
  expect(alarms.list()).toEqual([NOBODY, ILL, ONE, TWO]);
  expect(alarms.apply({ action: 'deactivate', ...NOBODY })).toEqual([NOBODY]);
  expect(alarms.list()).toEqual([ILL, ONE, TWO]);
});

test('asking changes nothing; without a type it is about all', () => {
  const alarms = new Alarms([ONE, ILL]);
  expect(alarms.apply({ action: 'get', memberId: 9n, type: undefined })).toEqual([ILL, ONE]);
  expect(alarms.apply({ action: 'get', memberId: 0n, type: 'NOSPACE' })).toEqual([ONE]);
  expect(alarms.list()).toEqual([ILL, ONE]);
});

test.each(['activate', 'deactivate'] as const)('%s without a type changes nothing', (action) => {
  const alarms = new Alarms([ONE]);
  expect(alarms.apply({ action, memberId: 1n, type: undefined })).toEqual([]);
  expect(alarms.list()).toEqual([ONE]);
});
