/**
 * `storm sim` and `storm replay`: one simulation, from a seed or as it was saved. Prints the plan,
 * what came of it, and the hash of its trace; a failing one is saved as a scenario file.
 */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { exitCodeOf, StormError } from '../exit-code.ts';
import { describeFigures, figuresOf } from '../figures.ts';
import { SEED_BOUND } from '../seeded-random.ts';
import type { Services } from '../services.ts';
import { codeVersion, refuseOtherCode } from '../sim/code-version.ts';
import { describeSimPlan } from '../sim/describe-plan.ts';
import { failureLine, seedName } from '../sim/failure-line.ts';
import type { SimFailure, SimOutcome } from '../sim/outcome.ts';
import type { SimPlan } from '../sim/plan.ts';
import { isSimulatedRun, replayRun } from '../sim/replay-run.ts';
import { readScenario, type Scenario, scenarioOf, trySaving } from '../sim/scenario-file.ts';
import { simulate } from '../sim/simulate.ts';
import { drawSimPlan, type SwarmChoices } from '../sim/swarm.ts';
import type { Tracer } from '../sim/trace.ts';
import { transcriptLine } from '../sim/transcript.ts';
import { describeTally, tallyFaults } from '../verdict.ts';

export interface SimRequest {
  readonly seed: number;
  readonly choices: SwarmChoices;
  readonly runsDirectory: string;
  /** Print every event. */
  readonly log: boolean;
}

/** 0: it went well; 1: it did not. */
export async function simCommand(services: Services, request: SimRequest): Promise<number> {
  const plan = drawSimPlan(request.seed, codeVersion(), request.choices);
  const outcome = await runAndTell(services, plan, request.log);
  if (outcome.failure === undefined) return tellValid(services, outcome);
  const name = `sim-${plan.seed}.json`;
  const saved = trySaving(request.runsDirectory, name, scenarioOf(plan, outcome));
  if (saved.path === undefined) services.progress.print(`not saved: ${saved.problem}`);
  const what = saved.path ?? seedName(plan);
  return tellInvalid(services, { plan, failure: outcome.failure, what });
}

export interface ReplayRequest {
  /** A seed, `SEED@CODE`, a scenario file, or a run directory with one. */
  readonly what: string;
  readonly choices: SwarmChoices;
  readonly log: boolean;
}

/**
 * 0 or 1 as the simulation went; 2 if it did not go as it was saved. Throws {@link StormError}
 * if there is nothing to replay, or it was made by other code.
 */
export async function replaySavedCommand(
  services: Services,
  request: ReplayRequest,
): Promise<number> {
  if (isSimulatedRun(request.what)) return replayRun(services, request.what);
  const { plan, saved } = planToReplay(request);
  const outcome = await runAndTell(services, plan, request.log);
  if (saved !== undefined) {
    if (saved.traceHash !== outcome.traceHash) {
      services.progress.print(`replay: differs; the saved trace is ${saved.traceHash}`);
      return exitCodeOf('unknown');
    }
    services.progress.print('replay: identical to the saved run');
  }
  if (outcome.failure === undefined) return tellValid(services, outcome);
  return tellInvalid(services, { plan, failure: outcome.failure, what: request.what });
}

/** A simulation may be too short for a checker to say anything; that is said. */
function tellValid({ progress }: Services, { checks }: SimOutcome): number {
  const unknown = checks.filter(({ validity }) => validity === 'unknown').map(({ name }) => name);
  progress.print(`verdict: valid${unknown.length > 0 ? `; unknown: ${unknown.join(', ')}` : ''}`);
  return exitCodeOf('valid');
}

function tellInvalid(
  { progress }: Services,
  found: { readonly plan: SimPlan; readonly failure: SimFailure; readonly what: string },
): number {
  progress.print(`verdict: invalid: ${failureLine(found.plan, found.failure, found.what)}`);
  return exitCodeOf('invalid');
}

/** `7`, or `7@0123456789ab`. */
const SEED_AND_CODE = /^(\d+)(?:@([0-9a-f]+))?$/;

interface Replay {
  readonly plan: SimPlan;
  readonly saved: Scenario | undefined;
}

/** Throws {@link StormError}. */
export function planToReplay({ what, choices }: Omit<ReplayRequest, 'log'>): Replay {
  const code = codeVersion();
  const [, seed, made] = SEED_AND_CODE.exec(what) ?? [];
  if (seed !== undefined && !existsSync(what)) {
    refuseOtherCode(`seed ${seed}`, made ?? code, code);
    if (Number(seed) >= SEED_BOUND) {
      throw new StormError(`replay ${what}: seeds go up to ${SEED_BOUND - 1}`);
    }
    return { plan: drawSimPlan(Number(seed), code, choices), saved: undefined };
  }
  const scenario = readScenario(resolve(what));
  refuseOtherCode(what, scenario.plan.code, code);
  return { plan: scenario.plan, saved: scenario };
}

async function runAndTell(
  { progress, clock, signal }: Services,
  plan: SimPlan,
  log: boolean,
): Promise<SimOutcome> {
  if (signal.aborted) throw new StormError('interrupted before the simulation');
  progress.print(`plan: ${describeSimPlan(plan)}`);
  const tracer: Tracer = { trace: (event) => progress.print(transcriptLine(event)) };
  const startNs = clock.nowNs();
  const outcome = await simulate(plan, log ? { tracer } : {});
  const wallS = (clock.nowNs() - startNs) / 1e9;
  const { simulatedNs, events, history, faults, traceHash } = outcome;
  for (const check of outcome.checks) {
    progress.print(`check: ${check.name}: ${check.validity}: ${check.summary}`);
  }
  progress.print(`figures: ${describeFigures(figuresOf(history, plan.safetyMs * 1e6))}`);
  progress.print(`faults: ${describeTally(tallyFaults(faults))}`);
  const seconds = simulatedNs / 1e9;
  progress.print(
    `simulated: ${seconds.toFixed(1)} s in ${wallS.toFixed(2)} s (${(seconds / wallS).toFixed(0)} ×),` +
      ` ${events} events; trace ${traceHash}`,
  );
  return outcome;
}
