/**
 * While nothing is cut off and nobody dies, the term stands still: elections then are of the
 * cluster's own making.
 *
 *   terms   the highest term that any member told, in the order in which it was asked
 */
import type { CheckResult } from '../../../checkers/checker.ts';

const NAME = 'elections';
/** One election may come of the moment in which the fault began. */
const RISE_ALLOWED = 1;

export function judgeTerms(terms: readonly number[], overMs: number): CheckResult {
  const [first, last] = [terms[0], terms.at(-1)];
  if (first === undefined || last === undefined || terms.length < 2) {
    return { name: NAME, validity: 'unknown', summary: 'no two terms are known', details: {} };
  }
  const rise = last - first;
  const seconds = (overMs / 1000).toFixed(1);
  const summary = `the term went from ${first} to ${last} in ${seconds} s`;
  const validity = rise > RISE_ALLOWED ? 'invalid' : 'valid';
  return { name: NAME, validity, summary, details: { first, last, rise } };
}
