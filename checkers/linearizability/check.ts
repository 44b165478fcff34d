/**
 * Checks partitions that are independent of each other (linearizability is local) in turns: one
 * that is hard does not keep an easy violation elsewhere from being found.
 */
import type { Call, Model } from './model.ts';
import { Search } from './search.ts';

/** Bounds of one check, all partitions together. Passing one makes the rest `unknown`. */
export interface Budget {
  /** Calls of the model's step function. */
  readonly stepsMax: number;
  /** Memory of the configurations that are being remembered. */
  readonly bytesMax: number;
}

export type PartitionVerdict<Input, Output> =
  | { readonly type: 'linearizable' }
  /** `call` is the return that ends the shortest prefix without an explanation. */
  | { readonly type: 'violation'; readonly call: Call<Input, Output> }
  | { readonly type: 'unknown'; readonly exhausted: 'steps' | 'memory' };

export interface PartitionsCheck<Input, Output> {
  /** One for each partition, in the order given. */
  readonly verdicts: readonly PartitionVerdict<Input, Output>[];
  readonly steps: number;
  readonly configurations: number;
}

/** Steps of a partition's first turn; every later turn is twice as long as the one before. */
const FIRST_TURN_STEPS = 4_096;

/** Verdicts depend on the partitions and the budget only, never on time. */
export function checkPartitions<State, Input, Output>(
  model: Model<State, Input, Output>,
  partitions: readonly (readonly Call<Input, Output>[])[],
  budget: Budget,
): PartitionsCheck<Input, Output> {
  const verdicts: PartitionVerdict<Input, Output>[] = partitions.map(() => {
    return { type: 'unknown', exhausted: 'steps' };
  });
  let steps = 0;
  let configurations = 0;
  let heldBytes = 0;
  /** Suspended searches by partition; a finished one is dropped with its memory. */
  let waiting = new Map<number, Search<State, Input, Output> | undefined>(
    partitions.map((_, partition) => [partition, undefined]),
  );
  for (let turnSteps = FIRST_TURN_STEPS; waiting.size > 0; turnSteps *= 2) {
    const suspended = new Map<number, Search<State, Input, Output>>();
    for (const [partition, begun] of waiting) {
      if (steps >= budget.stepsMax) return { verdicts, steps, configurations };
      const search = begun ?? new Search(model, partitions[partition] ?? [], [model.init]);
      const before = begun === undefined ? { steps: 0, configurations: 0, bytes: 0 } : usage(begun);
      const outcome = search.run({
        stepsMax: Math.min(turnSteps, budget.stepsMax - steps),
        bytesMax: budget.bytesMax - heldBytes + before.bytes,
      });
      steps += search.steps - before.steps;
      configurations += search.configurations - before.configurations;
      heldBytes -= before.bytes;
      if (outcome === 'running') {
        heldBytes += search.sizeBytes;
        suspended.set(partition, search);
      } else if (outcome === 'linearizable') verdicts[partition] = { type: 'linearizable' };
      else if (outcome === 'memory') verdicts[partition] = { type: 'unknown', exhausted: 'memory' };
      else verdicts[partition] = { type: 'violation', call: search.stuckAt() };
    }
    waiting = suspended;
  }
  return { verdicts, steps, configurations };
}

/** Whether no start explains the operations; false too if that is too hard to tell. */
export function isViolation<State, Input, Output>(
  model: Model<State, Input, Output>,
  operations: readonly Call<Input, Output>[],
  starts: readonly State[],
  budget: Budget,
): { readonly violation: boolean; readonly steps: number } {
  const search = new Search(model, operations, starts);
  return { violation: search.run(budget) === 'violation', steps: search.steps };
}

function usage<State, Input, Output>(
  search: Search<State, Input, Output>,
): { readonly steps: number; readonly configurations: number; readonly bytes: number } {
  return {
    steps: search.steps,
    configurations: search.configurations,
    bytes: search.sizeBytes,
  };
}
