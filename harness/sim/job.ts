/** What a worker process is asked for and answers; both are JSON. */
import type { SimOutcome } from './outcome.ts';
import type { SimPlan } from './plan.ts';
import type { SwarmChoices } from './swarm.ts';

export type SimJob =
  | { readonly type: 'seed'; readonly seed: number; readonly choices: SwarmChoices }
  | { readonly type: 'plan'; readonly plan: SimPlan }
  | { readonly type: 'shrink'; readonly plan: SimPlan; readonly runsMax: number };

/** An outcome without its history, which may be long. */
export interface SimSummary
  extends Pick<SimOutcome, 'failure' | 'traceHash' | 'events' | 'simulatedNs'> {
  readonly operations: number;
  readonly faultsObserved: number;
}

/** How it ended, and the processor time that it took. */
export type SimAnswer = { readonly cpuMs: number } & (
  | { readonly type: 'ran'; readonly plan: SimPlan; readonly summary: SimSummary }
  | {
      readonly type: 'shrunk';
      readonly plan: SimPlan;
      readonly summary: SimSummary;
      readonly runs: number;
    }
  /** Ran in circles or used its time up; the worker was ended. */
  | { readonly type: 'hung' }
  /** The worker broke; what it said last. */
  | { readonly type: 'crashed'; readonly detail: string }
);

export function summaryOf(outcome: SimOutcome): SimSummary {
  const { failure, traceHash, events, simulatedNs, history, faults } = outcome;
  return {
    failure,
    traceHash,
    events,
    simulatedNs,
    operations: history.filter((op) => op.type === 'invoke').length,
    faultsObserved: faults.filter((fault) => fault.effect === 'observed').length,
  };
}
