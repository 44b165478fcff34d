/** The completed operations of a history in columns: a million of them must stay small. */
import { isClientOp } from '../../checkers/history/guards.ts';
import type { Op } from '../../checkers/history/op.ts';

/** How an operation ended; columns hold the position in this list. */
export const OUTCOMES = ['ok', 'fail', 'info'] as const;

export const OK = 0;

/** One row per completed operation, in the order of completion. */
export interface Completions {
  readonly count: number;
  readonly invokedNs: Float64Array;
  readonly completedNs: Float64Array;
  readonly outcomes: Uint8Array;
  /** Operations that were invoked and never completed. */
  readonly unfinished: number;
}

/** Completions that nobody invoked are left out: judging a history is the checkers' task. */
export function completionsOf(history: readonly Op[]): Completions {
  const invokedNs = new Float64Array(history.length);
  const completedNs = new Float64Array(history.length);
  const outcomes = new Uint8Array(history.length);
  const busySince = new Map<number, number>();
  let count = 0;
  for (const op of history) {
    if (!isClientOp(op)) continue;
    if (op.type === 'invoke') {
      busySince.set(op.process, op.time);
      continue;
    }
    const since = busySince.get(op.process);
    if (since === undefined) continue;
    busySince.delete(op.process);
    invokedNs[count] = since;
    completedNs[count] = op.time;
    outcomes[count] = OUTCOMES.indexOf(op.type);
    count++;
  }
  return { count, invokedNs, completedNs, outcomes, unfinished: busySince.size };
}

export function latencyNs({ invokedNs, completedNs }: Completions, at: number): number {
  return Math.max(1, completedNs[at]! - invokedNs[at]!);
}
