/**
 * The verdict of a run: what the checkers found, held against whether the run proved anything.
 *
 * `invalid` when a checker says so, whatever else happened. Otherwise `valid` only if every
 * checker says so and all of these hold; else `unknown`, with the reason:
 * - at least half of the planned faults had an observed effect,
 * - every required kind of fault was observed at least once,
 * - after the last heal every member answered a linearizable read in time,
 * - no member died without being killed,
 * - the history was not cut short by its size limit.
 */
import type { CheckResult, Validity } from '../checkers/checker.ts';
import { mergeValidity } from '../checkers/compose.ts';
import type { FaultRecord } from '../reports/run-record.ts';
import type { FaultKind } from './nemesis/fault.ts';
import type { Recovery } from './recovery.ts';

/** Name of the check that a simulation makes of itself. */
export const INVARIANTS_CHECK = 'invariants';

export interface Verdict {
  readonly validity: Validity;
  /** Why it is not better than `unknown`, apart from what the checks say themselves. */
  readonly reasons: readonly string[];
  readonly checks: readonly CheckResult[];
}

export interface Evidence {
  readonly checks: readonly CheckResult[];
  readonly plannedFaults: number;
  readonly requiredFaults: readonly FaultKind[];
  readonly faults: readonly FaultRecord[];
  readonly recovery: Recovery;
  readonly historyIsFull: boolean;
}

export function judge(evidence: Evidence): Verdict {
  const reasons = [
    ...faultReasons(evidence),
    ...recoveryReasons(evidence.recovery),
    ...(evidence.historyIsFull ? ['the history reached its size limit'] : []),
  ];
  const validities = evidence.checks.map((check) => check.validity);
  if (reasons.length > 0) validities.push('unknown');
  return { validity: mergeValidity(validities), reasons, checks: evidence.checks };
}

/** Faults by kind: how many had an effect, of how many. */
export interface FaultTally {
  readonly kind: string;
  readonly observed: number;
  readonly injected: number;
}

/** Skipped faults count as not injected; kinds in order of first appearance. */
export function tallyFaults(faults: readonly FaultRecord[]): FaultTally[] {
  const tallies = new Map<string, { kind: string; observed: number; injected: number }>();
  for (const { kind, effect } of faults) {
    const tally = tallies.get(kind) ?? { kind, observed: 0, injected: 0 };
    tallies.set(kind, tally);
    if (effect !== 'skipped') tally.injected++;
    if (effect === 'observed') tally.observed++;
  }
  return [...tallies.values()];
}

function faultReasons(evidence: Evidence): string[] {
  const reasons: string[] = [];
  const observed = evidence.faults.filter((fault) => fault.effect === 'observed');
  if (observed.length * 2 < evidence.plannedFaults) {
    reasons.push(`only ${observed.length} of ${evidence.plannedFaults} planned faults took effect`);
  }
  for (const kind of evidence.requiredFaults) {
    if (observed.some((fault) => fault.kind === kind)) continue;
    reasons.push(`the required fault ${kind} never took effect`);
  }
  return reasons;
}

function recoveryReasons({ diedAlone, unreadable, limitMs }: Recovery): string[] {
  const reasons: string[] = [];
  if (unreadable.length > 0) {
    const limit = `${limitMs / 1000} s`;
    reasons.push(`did not recover: ${unreadable.join(', ')} answered no read within ${limit}`);
  }
  if (diedAlone.length > 0) {
    reasons.push(`${diedAlone.join(', ')} died without being killed: see the log`);
  }
  return reasons;
}

/** `10 of 11 took effect: kill 2, pause 2, slow-disk 1 of 2`. */
export function describeTally(tallies: readonly FaultTally[]): string {
  const sum = (count: (tally: FaultTally) => number): number =>
    tallies.reduce((total, tally) => total + count(tally), 0);
  const kinds = tallies.map(({ kind, observed, injected }) =>
    observed === injected ? `${kind} ${observed}` : `${kind} ${observed} of ${injected}`,
  );
  const observedCount = sum((tally) => tally.observed);
  const total = `${observedCount} of ${sum((tally) => tally.injected)} took effect`;
  return kinds.length === 0 ? 'none planned' : `${total}: ${kinds.join(', ')}`;
}
