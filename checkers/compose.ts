/** Several checkers over one history, and the verdict they give together. */
import type { Checker, CheckResult, Validity } from './checker.ts';
import type { Op } from './history/op.ts';

/** The checks one by one, and the worst of their verdicts. */
export interface Verdict {
  readonly validity: Validity;
  readonly checks: readonly CheckResult[];
}

const SEVERITY: Readonly<Record<Validity, number>> = { valid: 0, unknown: 1, invalid: 2 };

/** The worst of them: invalid, then unknown, then valid. `unknown` when nothing was checked. */
export function mergeValidity(validities: readonly Validity[]): Validity {
  if (validities.length === 0) return 'unknown';
  return validities.reduce((worst, each) => (SEVERITY[each] > SEVERITY[worst] ? each : worst));
}

/** Runs every checker; one that breaks is `unknown` and does not keep the others from running. */
export function checkAll(checkers: readonly Checker[], history: readonly Op[]): Verdict {
  const checks = checkers.map((checker) => checkSafely(checker, history));
  return { validity: mergeValidity(checks.map((check) => check.validity)), checks };
}

function checkSafely(checker: Checker, history: readonly Op[]): CheckResult {
  try {
    return checker.check(history);
  } catch (cause) {
    // A bug in a checker must not turn into a verdict on the store, nor lose the other verdicts.
    const reason = cause instanceof Error ? cause.message : String(cause);
    return unknownCheck(checker.name, `the checker failed: ${reason}`);
  }
}

/** The result of a check that could not be made, for `reason`. */
export function unknownCheck(name: string, reason: string): CheckResult {
  return { name, validity: 'unknown', summary: reason, details: {} };
}
