/** What becomes of the ends of tries: lines and exit status. */
import { expect, test } from 'vitest';
import type { Expected, Outcome } from '../../harness/scenarios/scenario.ts';
import {
  describeTally,
  describeTry,
  exitCodeOfTries,
  type Try,
  verdictOf,
} from '../../harness/scenarios/tally.ts';

const EXPECTED: Expected = { outcome: 'reproduced', words: 'known' };
const HIT: Outcome = { type: 'reproduced', evidence: 'two holders\n of one lock' };
const SOUND: Outcome = { type: 'sound', evidence: 'one holder' };
const OPEN: Outcome = { type: 'undecided', reason: 'no lease' };

const tries = (...outcomes: readonly Outcome[]): readonly Try[] =>
  outcomes.map((outcome, at) => ({ outcome, tookMs: 1_000 * (at + 1), directories: [] }));

test('a try is a line', () => {
  const [one] = tries(HIT);
  expect(describeTry(2, 5, one!)).toBe('2/5 reproduced 1.0 s: two holders of one lock');
  const [open] = tries(OPEN);
  expect(describeTry(1, 1, open!)).toBe('1/1 undecided 1.0 s: no lease');
});

test('the tally has hits of all tries, and the median of those with a verdict', () => {
  const line = describeTally('some-mode', 'etcd', EXPECTED, tries(HIT, HIT, HIT, OPEN));
  expect(line).toBe('some-mode on etcd: reproduced in 3 of 4, 1 undecided, median 2.0 s');
  const none = describeTally('some-mode', 'etcd', EXPECTED, tries(OPEN));
  expect(none).toBe('some-mode on etcd: reproduced in 0 of 1, 1 undecided, no verdict');
});

test.each<[string, readonly Outcome[], number]>([
  ['all as expected', [HIT, HIT], 0],
  ['one was not', [HIT, SOUND], 1],
  ['one was not, one is undecided', [OPEN, SOUND, HIT], 1],
  ['one is undecided', [HIT, OPEN], 2],
  ['nothing was tried', [], 2],
])('exit status: %s', (_, outcomes, status) => {
  expect(exitCodeOfTries(EXPECTED, tries(...outcomes))).toBe(status);
});

test('what is expected of one target is not of another', () => {
  expect(verdictOf(SOUND, { outcome: 'sound', words: '' })).toBe('as expected');
  expect(verdictOf(HIT, { outcome: 'sound', words: '' })).toBe('not as expected');
  expect(verdictOf(OPEN, EXPECTED)).toBe('undecided');
});
