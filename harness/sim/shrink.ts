/**
 * From a plan that fails to a small plan that fails: fewer client operations, faults, members
 * and keys, a shorter run, ordinary settings. A person can read what is left.
 *
 * Steps are tried from the largest to the smallest, and one is taken if the simulation then
 * still fails for the same reason: noticed by the same watcher under the same name (an election
 * safety violation never shrinks to a stale read), or whatever `accepts` says. To leave
 * something out moves every draw that comes after it, so a step is tried with a few seeds; all
 * else is in the plan by then and the seed only feeds latencies and the like.
 *
 * Nothing is drawn here: the same failing plan shrinks to the same plan. It needs no library for
 * property tests: those shrink the choices of a generator, and a plan is data already.
 */
import type { SimFailure, SimOutcome } from './outcome.ts';
import type { SimPlan } from './plan.ts';
import { makeFewerClients } from './shrink/clients.ts';
import { makeFewerKeys } from './shrink/keys.ts';
import { makeFewerMembers } from './shrink/members.ts';
import { makeFewerFaults, makeFewerOperations, makeValuesSmaller } from './shrink/operations.ts';
import { makeOrdinary, makeTight } from './shrink/ordinary.ts';
import { makeScripted } from './shrink/scripted.ts';
import { Search } from './shrink/search.ts';
import { describeSize, type SimSize, sizeOf } from './shrink/size.ts';
import { makeShorter } from './shrink/time.ts';

/** Simulations that shrinking may take when nothing else is said. */
export const SHRINK_RUNS_MAX = 400;

/** A round begins only if the one before it made the plan smaller. */
const ROUNDS_MAX = 5;

export interface ShrinkOptions {
  readonly simulate: (plan: SimPlan) => Promise<SimOutcome>;
  /**
   * Simulations, the first one included; what is smallest by then is the result. Fewer if they are
   * large: about a minute's work is the most.
   */
  readonly runsMax: number;
  /** After every stage that made it smaller. */
  readonly onProgress?: (line: string) => void;
  /** Whether a failure counts as the one to keep; otherwise its `by` and `name` decide. */
  readonly accepts?: (failure: SimFailure) => boolean;
}

export interface ShrinkResult {
  readonly plan: SimPlan;
  /** Of that plan, and a failure. */
  readonly outcome: SimOutcome;
  readonly runs: number;
  readonly before: SimSize;
  readonly after: SimSize;
}

/** Rejects when the plan does not fail, or fails with what `accepts` refuses. */
export async function shrink(plan: SimPlan, options: ShrinkOptions): Promise<ShrinkResult> {
  const search = await Search.start(plan, options);
  const before = sizeOf(plan, search.outcome);
  for (const { name, stage, untilPercent } of STAGES) {
    const previous = search.plan;
    search.spendUntil(untilPercent);
    await stage(search);
    if (search.plan === previous) continue;
    const size = describeSize(sizeOf(search.plan, search.outcome));
    options.onProgress?.(`${name}: ${size} after ${search.runs} simulations`);
  }
  const { outcome, runs } = search;
  return { plan: search.plan, outcome, runs, before, after: sizeOf(search.plan, outcome) };
}

interface Stage {
  readonly name: string;
  readonly stage: (search: Search) => Promise<void>;
  /** So much of all that may be spent is spent when it ends: something is left for the others. */
  readonly untilPercent: number;
}

const STAGES: readonly Stage[] = [
  { name: 'script', stage: makeScripted, untilPercent: 100 },
  { name: 'tight limits', stage: makeTight, untilPercent: 60 },
  { name: 'rounds', stage: makeRounds, untilPercent: 75 },
  { name: 'ordinary settings', stage: makeOrdinary, untilPercent: 85 },
  { name: 'values', stage: makeValuesSmaller, untilPercent: 95 },
  { name: 'again', stage: makeRounds, untilPercent: 100 },
];

async function makeRounds(search: Search): Promise<void> {
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const previous = search.plan;
    await search.gauge();
    await makeFewerFaults(search);
    await makeFewerMembers(search);
    // The first round looks at big pieces only: what follows makes the small ones cheaper.
    await makeFewerOperations(search, { isRough: round === 0 });
    await makeFewerFaults(search);
    await makeShorter(search);
    await makeFewerClients(search);
    await makeFewerKeys(search);
    if (search.plan === previous && round > 0) return;
  }
}
