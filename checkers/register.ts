/**
 * Linearizability of many registers: reads, writes and compare-and-sets of each key must be
 * explained by one order that respects real time. Keys are checked one by one, which is enough
 * for registers, within one budget.
 */
import type { Checker, CheckResult } from './checker.ts';
import { unknownCheck } from './compose.ts';
import type { Op } from './history/op.ts';
import { type Operation, operationsOf } from './history/pairing.ts';
import { type Budget, checkPartitions, type PartitionsCheck } from './linearizability/check.ts';
import { findCore } from './linearizability/core.ts';
import { REGISTER_MODEL, type RegisterInput, type RegisterOutput } from './models/register.ts';
import {
  partitionRegisters,
  REGISTER_FS,
  type RegisterCall,
  type RegisterPartition,
} from './models/register-history.ts';
import { explainRegister } from './register-evidence.ts';

export const REGISTER_BUDGET: Budget = { stepsMax: 50_000_000, bytesMax: 512 * 1024 * 1024 };

const NAME = 'register';

type Check = PartitionsCheck<RegisterInput, RegisterOutput>;

/** A violating key and the return where its explanation ends. */
interface Failure {
  readonly partition: RegisterPartition;
  readonly stuck: RegisterCall;
}

/** Looks at `read`, `write` and `cas`, written as models/register-history.ts says. */
export function registerChecker(budget: Budget = REGISTER_BUDGET): Checker {
  return { name: NAME, check: (history) => checkRegisters(history, budget) };
}

function checkRegisters(history: readonly Op[], budget: Budget): CheckResult {
  const operations = operationsOf(history, REGISTER_FS);
  if (!operations.ok) return refused(operations.error);
  const partitions = partitionRegisters(operations.value);
  if (!partitions.ok) return refused(partitions.error);
  const calls = partitions.value.map((partition) => partition.calls);
  const check = checkPartitions(REGISTER_MODEL, calls, budget);
  const failures = failuresOf(partitions.value, check);
  const details = detailsOf(partitions.value, check, failures);
  const earliest = failures.toSorted((a, b) => returnOf(a.stuck) - returnOf(b.stuck)).at(0);
  if (earliest !== undefined) {
    return invalid({ failure: earliest, failures, operations: operations.value, budget, details });
  }
  const unknown = check.verdicts.find((verdict) => verdict.type === 'unknown');
  const counted = `${details.operations} operations on ${details.keys} keys`;
  if (unknown !== undefined) {
    const summary = `could not tell within the bound on ${unknown.exhausted}: ${counted}`;
    return { name: NAME, validity: 'unknown', summary, details };
  }
  if (details.operations === 0) return { ...unknownCheck(NAME, 'no operations'), details };
  return { name: NAME, validity: 'valid', summary: `linearizable: ${counted}`, details };
}

function invalid(found: {
  readonly failure: Failure;
  readonly failures: readonly Failure[];
  readonly operations: readonly Operation[];
  readonly budget: Budget;
  readonly details: Details;
}): CheckResult {
  const { failure, failures, operations, details } = found;
  const { partition, stuck } = failure;
  const core = findCore(REGISTER_MODEL, partition.calls, stuck, found.budget);
  const evidence = explainRegister({ partition, stuck, core, operations });
  const keys = `${failures.length} of ${details.keys} keys`;
  return {
    name: NAME,
    validity: 'invalid',
    summary: `not linearizable (${keys}): ${evidence.sentence}`,
    details: {
      ...details,
      evidenceOperations: core.calls.length,
      evidenceSteps: core.steps,
      evidenceFromAnyState: core.fromAnyState,
    },
    evidence,
  };
}

function failuresOf(partitions: readonly RegisterPartition[], check: Check): readonly Failure[] {
  return partitions.flatMap((partition, position) => {
    const verdict = check.verdicts[position];
    return verdict?.type === 'violation' ? [{ partition, stuck: verdict.call }] : [];
  });
}

function detailsOf(
  partitions: readonly RegisterPartition[],
  check: Check,
  failures: readonly Failure[],
) {
  const calls = partitions.flatMap((partition) => partition.calls);
  const isUnknown = (verdict: { readonly type: string }): boolean => verdict.type === 'unknown';
  return {
    keys: partitions.length,
    operations: calls.length,
    infos: calls.filter((call) => call.type === 'info').length,
    keysViolating: failures.map((failure) => failure.partition.key),
    keysUnknown: check.verdicts.filter(isUnknown).length,
    steps: check.steps,
    configurations: check.configurations,
  };
}

type Details = ReturnType<typeof detailsOf>;

function returnOf(call: RegisterCall): number {
  return call.type === 'ok' ? call.returnAt : Number.POSITIVE_INFINITY;
}

function refused(problem: { readonly place: string; readonly reason: string }): CheckResult {
  return unknownCheck(NAME, `malformed history at ${problem.place}: ${problem.reason}`);
}
