/**
 * The generator's operations written down, so that single ones can be left out. The generator
 * has randomness of its own, and the rest of the simulation does not notice that it is gone:
 * the script of a failing run nearly always fails at once.
 */
import { isClientOp } from '../../../checkers/history/guards.ts';
import type { SimOutcome } from '../outcome.ts';
import type { ScriptedOp, SimPlan } from '../plan.ts';
import type { Search } from './search.ts';

/** Scripts are tried with this many seeds: without one little else can be left out. */
const SCRIPT_TRIES = 6;
/** Halvings of the generator's rate, when its script does not fail. */
const SLOWER_MAX = 4;

/** A script in place of the generator, which ends with the failure. */
export async function makeScripted(search: Search): Promise<void> {
  for (let slower = 0; slower <= SLOWER_MAX; slower++) {
    if (await takeScript(search)) break;
    if (!(await takeSlower(search))) break;
  }
  await search.take(withoutWhatCameAfter(search.plan, search.failedNs));
}

async function takeScript(search: Search): Promise<boolean> {
  const { plan, outcome } = search;
  if (plan.script !== undefined) return true;
  return search.take({ ...plan, script: scriptOf(plan, outcome) }, SCRIPT_TRIES);
}

/** Half the operations: their script may fail although the longer one did not. */
async function takeSlower(search: Search): Promise<boolean> {
  const { plan } = search;
  const ratePerSecond = Math.max(1, Math.floor(plan.workload.ratePerSecond / 2));
  return search.take({ ...plan, workload: { ...plan.workload, ratePerSecond } });
}

/** What was invoked in the safety phase; the reads at the end come by themselves. */
function scriptOf(plan: SimPlan, { history }: SimOutcome): ScriptedOp[] {
  const script: ScriptedOp[] = [];
  for (const op of history) {
    if (op.type !== 'invoke' || !isClientOp(op) || op.time >= plan.safetyMs * 1e6) continue;
    const thread = op.process % plan.workload.concurrency;
    script.push({ atNs: op.time, thread, f: op.f, value: op.value });
  }
  return script;
}

function withoutWhatCameAfter(plan: SimPlan, failedNs: number): SimPlan {
  const script = plan.script?.filter((op) => op.atNs <= failedNs);
  const schedule = plan.schedule.filter((fault) => fault.startMs * 1e6 <= failedNs);
  return { ...plan, schedule, ...(script === undefined ? {} : { script }) };
}
