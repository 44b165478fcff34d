/** From the ends of the tries to words and an exit status. */
import { assertNever } from '../../src/lib/assert.ts';
import { exitCodeOf } from '../exit-code.ts';
import { medianOf } from '../median.ts';
import type { Expected, Outcome } from './scenario.ts';

export interface Try {
  readonly outcome: Outcome;
  readonly tookMs: number;
  /** The run directories that it made: logs are in there. */
  readonly directories: readonly string[];
}

export type TryVerdict = 'as expected' | 'not as expected' | 'undecided';

export function verdictOf(outcome: Outcome, expected: Expected): TryVerdict {
  switch (outcome.type) {
    case 'undecided':
      return 'undecided';
    case 'reproduced':
    case 'sound':
      return outcome.type === expected.outcome ? 'as expected' : 'not as expected';
    default:
      return assertNever(outcome);
  }
}

/** `3/5 reproduced 4.1 s: …`, for one line of output. */
export function describeTry(at: number, count: number, { outcome, tookMs }: Try): string {
  const words = outcome.type === 'undecided' ? outcome.reason : outcome.evidence;
  const line = words.trim().replaceAll(/\s*\n\s*/g, ' ');
  return `${at}/${count} ${outcome.type} ${seconds(tookMs)}: ${line}`;
}

/** Hits of all tries, and the median time to a verdict; `tries` is not empty. */
export function describeTally(
  name: string,
  target: string,
  expected: Expected,
  tries: readonly Try[],
): string {
  const hits = countOf(tries, expected, 'as expected');
  const undecided = countOf(tries, expected, 'undecided');
  const decided = tries.filter(({ outcome }) => outcome.type !== 'undecided');
  const median =
    decided.length === 0
      ? 'no verdict'
      : `median ${seconds(medianOf(decided.map(({ tookMs }) => tookMs)))}`;
  const doubts = undecided === 0 ? '' : `, ${undecided} undecided`;
  return `${name} on ${target}: ${expected.outcome} in ${hits} of ${tries.length}${doubts}, ${median}`;
}

/** 0: every try ended as expected; 1: one ended otherwise; 2: none did, but some are undecided. */
export function exitCodeOfTries(expected: Expected, tries: readonly Try[]): number {
  if (countOf(tries, expected, 'not as expected') > 0) return exitCodeOf('invalid');
  if (tries.length === 0 || countOf(tries, expected, 'undecided') > 0) {
    return exitCodeOf('unknown');
  }
  return exitCodeOf('valid');
}

function countOf(tries: readonly Try[], expected: Expected, verdict: TryVerdict): number {
  return tries.filter(({ outcome }) => verdictOf(outcome, expected) === verdict).length;
}

export function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
