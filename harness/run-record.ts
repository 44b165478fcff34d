/** From a run directory to the record that a report is made from. */
import { isClientOp } from '../checkers/history/guards.ts';
import type { Json } from '../checkers/history/op.ts';
import type { RunRecord } from '../reports/run-record.ts';
import { checkAgainCommand, runAgainCommand } from './command-line.ts';
import { nodeNames, type Plan } from './plan.ts';
import { seriesOf } from './sampler.ts';
import type { RunDirectory } from './store.ts';

/** Reads everything but the logs. Throws StormError when a file is missing or garbled. */
export function loadRunRecord(directory: RunDirectory): RunRecord {
  const plan = directory.readPlan();
  const outcome = directory.readOutcome();
  const verdict = directory.readVerdict();
  const history = directory.readHistory(outcome.historyOps);
  const reasons = verdict.reasons.map((value) => ({ name: 'why not valid', value }));
  return {
    title: `storm seed ${plan.seed}, ${plan.memberCount} members on ${plan.backend}`,
    validity: verdict.validity,
    startedAt: outcome.startedAt,
    plan: planFields(plan),
    commands: [
      { what: 'run again', command: runAgainCommand(plan) },
      { what: 'check again', command: checkAgainCommand(directory.path) },
    ],
    environment: [...reasons, ...directory.readEnvironment()],
    checks: verdict.checks,
    history: history.filter(isClientOp),
    faults: outcome.faults,
    members: seriesOf(nodeNames(plan.memberCount), directory.readSamples()),
    stormEndNs: outcome.stormEndNs,
    endNs: outcome.endNs,
  };
}

/** A plan is plain JSON by construction; this forgets its type. */
function planFields(plan: Plan): { readonly [field: string]: Json } {
  return JSON.parse(JSON.stringify(plan)) as { [field: string]: Json };
}
