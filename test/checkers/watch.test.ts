import { expect, test } from 'vitest';
import { watchChecker } from '../../checkers/watch.ts';
import { historyOf, type Row } from './history-of.ts';

type Event = readonly [at: number, key: string];

function read(process: number, events: readonly Event[], left = 0): Row[] {
  const told = events.map(([at, key]) => ({ watcher: '1.0', span: 'a', at, key, type: 'put' }));
  return [
    [process, 'invoke', 'watch-read', {}],
    [process, 'ok', 'watch-read', { events: told, left }],
  ];
}

function check(...rows: readonly Row[]) {
  return watchChecker().check(historyOf(...rows));
}

test('watchers that were told the same, in order, are fine', () => {
  const all: Event[] = [
    [1, 'a'],
    [2, 'a'],
    [2, 'b'],
    [5, 'a'],
  ];
  expect(check(...read(0, all), ...read(1, all.slice(1)), ...read(1, [[7, 'a']]))).toMatchObject({
    validity: 'valid',
    details: { events: 8, watchers: 2 },
  });
});

test('a revision that goes back is found, over several reads too', () => {
  const found = check(...read(0, [[5, 'a']]), ...read(0, [[4, 'b']]));
  expect(found.summary).toBe('watcher 0 1.0 of a was told too late of put of b at revision 4');
});

test('what one was told and the other was not, in between, is found', () => {
  const found = check(
    ...read(0, [
      [1, 'a'],
      [3, 'a'],
      [5, 'a'],
    ]),
    ...read(1, [
      [1, 'a'],
      [5, 'a'],
    ]),
  );
  expect(found.summary).toContain('was not told of put of a at revision 3');
  // Before its first and after its last it may not have watched.
  expect(
    check(
      ...read(0, [
        [1, 'a'],
        [3, 'a'],
        [5, 'a'],
      ]),
      ...read(1, [[3, 'a']]),
    ).validity,
  ).toBe('valid');
});

test('a read that left events out is a gap', () => {
  const rows = [
    ...read(0, [
      [1, 'a'],
      [3, 'a'],
      [9, 'a'],
    ]),
    ...read(1, [[1, 'a']], 4),
    ...read(1, [[9, 'a']]),
  ];
  expect(check(...rows).validity).toBe('valid');
});

test('without an event nothing is known', () => {
  expect(check(...read(0, [])).validity).toBe('unknown');
});
