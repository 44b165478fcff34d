import { expect, test } from 'vitest';
import { electionChecker } from '../../checkers/election.ts';
import type { Json } from '../../checkers/history/op.ts';
import { historyOf, type Row } from './history-of.ts';

const NAME = 'e';

function done(process: number, f: string, value: { readonly [field: string]: Json }): Row[] {
  return [
    [process, 'invoke', f, value],
    [process, 'ok', f, { name: NAME, ...value }],
  ];
}

const elected = (process: number, rev: number, at: number, value = `c${rev}`): Row[] =>
  done(process, 'campaign', { rev, at, value });
const said = (process: number, rev: number, at: number, value: string): Row[] =>
  done(process, 'proclaim', { rev, at, value });
const told = (rev: number, at: number, value: string): Row[] =>
  done(9, 'election-leader', { rev, at, value });

function check(...rows: readonly Row[]) {
  return electionChecker().check(historyOf(...rows));
}

test('one leader after the other is fine, in whatever order answers come', () => {
  const first = [...elected(0, 5, 5), ...said(0, 5, 7, 'p1'), ...told(5, 8, 'p1')];
  const second = [...elected(1, 6, 9), ...told(6, 10, 'c6')];
  expect(check(...first, ...second).validity).toBe('valid');
  expect(check(...second, ...first).validity).toBe('valid');
});

test('who was overtaken does not lead again, and no two lead at once', () => {
  const found = check(...elected(0, 5, 5), ...told(6, 8, 'c6'), ...said(0, 5, 9, 'p1'));
  expect(found).toMatchObject({
    validity: 'invalid',
    summary: 'e was led by 6 at revision 8 and by 5 at 9',
  });
  expect(check(...elected(0, 5, 8), ...told(6, 8, 'c6')).validity).toBe('invalid');
});

test('what a leader said last is what others are told', () => {
  const saying = [...elected(0, 5, 5), ...said(0, 5, 7, 'p1'), ...said(0, 5, 9, 'p2')];
  expect(check(...saying, ...told(5, 8, 'p1')).validity).toBe('valid');
  expect(check(...saying, ...told(5, 10, 'p1')).validity).toBe('invalid');
  expect(check(...elected(0, 5, 5), ...told(5, 7, 'p1'), ...said(0, 5, 7, 'p1')).validity).toBe(
    'valid',
  );
  expect(check(...saying, ...told(5, 9, 'p1')).validity).toBe('invalid');
});

test('what nobody knows the time of may be told', () => {
  const lost: Row[] = [
    [0, 'invoke', 'proclaim', { value: 'p3' }],
    [0, 'info', 'proclaim', { value: 'p3' }, { error: 'connection lost' }],
  ];
  const rows = [...elected(0, 5, 5), ...said(0, 5, 7, 'p1'), ...lost];
  expect(check(...rows, ...told(5, 9, 'p3')).validity).toBe('valid');
});

test('all that one look shows counts, each answer for itself', () => {
  const seen = (...all: readonly (readonly [rev: number, at: number])[]): Row[] =>
    done(3, 'election-observe', { seen: all.map(([rev, at]) => ({ rev, at, value: `c${rev}` })) });
  expect(check(...seen([5, 5], [6, 9])).validity).toBe('valid');
  expect(check(...elected(0, 5, 5), ...seen([5, 6], [6, 8]), ...said(0, 5, 9, 'p')).validity).toBe(
    'invalid',
  );
});

test('whoever waits or gave up leads nothing, and without a leader nothing is known', () => {
  expect(check().validity).toBe('unknown');
  expect(check(...done(0, 'campaign', { isWaiting: true })).validity).toBe('unknown');
});
