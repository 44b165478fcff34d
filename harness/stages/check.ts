/** Judges a saved run: history and outcome in, verdict out. Needs no cluster. */
import type { CheckResult } from '../../checkers/checker.ts';
import { checkAll } from '../../checkers/compose.ts';
import type { Op } from '../../checkers/history/op.ts';
import type { Workload } from '../../workloads/workload.ts';
import { describeFigures, figuresOf } from '../figures.ts';
import { junitXml } from '../junit.ts';
import type { Plan } from '../plan.ts';
import type { Progress } from '../progress.ts';
import { JUNIT_FILE, type Outcome, type RunDirectory } from '../store.ts';
import { describeTally, INVARIANTS_CHECK, judge, tallyFaults, type Verdict } from '../verdict.ts';

/**
 * Prints the verdict and the figures behind it, then saves verdict.json and junit.xml. Throws
 * StormError when a file cannot be read or saved.
 */
export function checkRun(
  directory: RunDirectory,
  workloadOf: (plan: Plan) => Workload,
  progress: Progress,
): Verdict {
  const plan = directory.readPlan();
  const outcome = directory.readOutcome();
  const history = directory.readHistory(outcome.historyOps);
  const checks = checkAll(workloadOf(plan).checkers, history).checks;
  const verdict = judge({
    checks: [...checks, ...watchedBefore(plan, directory, checks)],
    plannedFaults: plan.schedule.length,
    requiredFaults: plan.requiredFaults,
    faults: outcome.faults,
    recovery: outcome.recovery,
    historyIsFull: outcome.historyIsFull,
  });
  // First for people: a disk that takes no files must not keep it to itself.
  printVerdict(progress, verdict, outcome, history);
  directory.saveVerdict(verdict);
  directory.saveText(JUNIT_FILE, junitXml(plan, outcome, verdict));
  return verdict;
}

/**
 * What was watched while a simulated run went on is known to that process alone: judging the run
 * again keeps what it said.
 */
function watchedBefore(
  { backend }: Plan,
  directory: RunDirectory,
  checks: readonly CheckResult[],
): readonly CheckResult[] {
  if (backend !== 'sim' || !directory.hasVerdict) return [];
  if (checks.some(({ name }) => name === INVARIANTS_CHECK)) return [];
  return directory.readVerdict().checks.filter(({ name }) => name === INVARIANTS_CHECK);
}

function printVerdict(
  progress: Progress,
  verdict: Verdict,
  outcome: Outcome,
  history: readonly Op[],
): void {
  for (const check of verdict.checks) {
    progress.print(`check: ${check.name}: ${check.validity}: ${check.summary}`);
  }
  progress.print(`figures: ${describeFigures(figuresOf(history, outcome.stormEndNs))}`);
  progress.print(`faults: ${describeTally(tallyFaults(outcome.faults))}`);
  for (const fault of outcome.faults) {
    if (fault.effect === 'observed') continue;
    progress.print(
      `fault ${fault.effect}: ${fault.kind} (${fault.description}): ${fault.observation}`,
    );
  }
  const noEffect = outcome.faults.filter((fault) => fault.effect === 'no-effect');
  const kinds = [...new Set(noEffect.map((fault) => fault.kind))].join(', ');
  const notes = [...verdict.reasons, ...(kinds === '' ? [] : [`no effect: ${kinds}`])];
  const suffix = notes.length > 0 ? ` (${notes.join('; ')})` : '';
  progress.print(`verdict: ${verdict.validity}${suffix}`);
  for (const { evidence } of verdict.checks) {
    if (evidence !== undefined) progress.print(`evidence: ${evidence.sentence}`);
  }
}
