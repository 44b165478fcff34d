/** Failing plans without a simulator: whether one fails is said by a predicate over the plan. */
import type { Op } from '../../checkers/history/op.ts';
import type { SimFailure, SimOutcome } from '../../harness/sim/outcome.ts';
import type { ScriptedOp, SimPlan } from '../../harness/sim/plan.ts';
import { drawSimPlan } from '../../harness/sim/swarm.ts';

export const FAILURE: SimFailure = {
  by: 'invariant',
  name: 'election safety',
  detail: 'n1 and n2 lead term 3',
  atNs: 60_000_000_000,
};

/** Five members, faults of several kinds, a generator. */
export function largePlan(seed = 1): SimPlan {
  const plan = drawSimPlan(seed, 'code', {
    memberCount: 5,
    safetyMs: 40_000,
    faults: ['kill', 'kill-all', 'partition-ring', 'partition-halves', 'slow-disk', 'pause'],
  });
  return { ...plan, workload: { ...plan.workload, concurrency: 10 } };
}

/** What the generator of a plan without a script asks for: writes 0, 1, 2, … to a few keys. */
export const GENERATED: readonly ScriptedOp[] = Array.from({ length: 200 }, (_, at) => ({
  atNs: at * 100_000_000,
  thread: at % 10,
  f: 'write',
  value: { key: `register/${at % 7}`, value: at },
}));

export function opsOf(plan: SimPlan): readonly ScriptedOp[] {
  return plan.script ?? GENERATED;
}

/** The values that a plan's clients write. */
export function valuesOf(plan: SimPlan): unknown[] {
  return opsOf(plan).map(({ value }) => (value as { readonly value: unknown }).value);
}

/** A simulation that fails with `failure` if the predicate says so; counts its runs. */
export class FakeSimulator {
  readonly #fails: (plan: SimPlan) => SimFailure | boolean;
  /** Of each simulation. */
  readonly #events: number;
  runs = 0;

  constructor(fails: (plan: SimPlan) => SimFailure | boolean, events = 0) {
    this.#fails = fails;
    this.#events = events;
  }

  readonly simulate = async (plan: SimPlan): Promise<SimOutcome> => {
    this.runs += 1;
    const fails = this.#fails(plan);
    const failure = fails === true ? FAILURE : fails || undefined;
    return {
      failure,
      traceHash: '0'.repeat(16),
      events: this.#events,
      simulatedNs: FAILURE.atNs,
      history: opsOf(plan).map((op, index) => invocationOf(op, index)),
      faults: [],
      recovery: undefined,
      checks: [],
      historyBaseNs: 0,
    };
  };
}

function invocationOf({ atNs, thread, f, value }: ScriptedOp, index: number): Op {
  return { index, time: atNs, process: thread, type: 'invoke', f, value };
}
