/**
 * From a violation to the few operations that show it. Every reduction only allows more
 * explanations than before, so if even the reduced history has none, neither has the whole:
 * cutting off what came later, forgetting what came before, dropping reads, and letting
 * operations be ones that nobody saw end. Definite writes are never dropped.
 */
import type { Budget } from './check.ts';
import { isViolation } from './check.ts';
import type { Call, Model } from './model.ts';
import { isUnobservable } from './plan.ts';

export interface Core<Input, Output> {
  /** By call. Those of type `info` may have ended in the history: here it does not matter when. */
  readonly calls: readonly Call<Input, Output>[];
  /** Whether no state at the beginning of `calls` helps, rather than the initial one only. */
  readonly fromAnyState: boolean;
  readonly steps: number;
}

/** Steps of one attempt; an attempt that is too hard leaves the history as it was. */
const STEPS_PER_PROBE_MAX = 30_000;

/** Keeps the reductions of one violation within the budget. */
class Reducer<State, Input, Output> {
  readonly #model: Model<State, Input, Output>;
  readonly #budget: Budget;
  steps = 0;

  constructor(model: Model<State, Input, Output>, budget: Budget) {
    this.#model = model;
    this.#budget = budget;
  }

  isViolation(calls: readonly Call<Input, Output>[], starts: readonly State[]): boolean {
    const stepsMax = Math.min(STEPS_PER_PROBE_MAX, this.#budget.stepsMax - this.steps);
    if (stepsMax <= 0) return false;
    const { bytesMax } = this.#budget;
    const probe = isViolation(this.#model, calls, starts, { stepsMax, bytesMax });
    this.steps += probe.steps;
    return probe.violation;
  }
}

/** The core of a partition whose shortest prefix without an explanation ends with `stuck`. */
export function findCore<State, Input, Output>(
  model: Model<State, Input, Output>,
  partition: readonly Call<Input, Output>[],
  stuck: Call<Input, Output>,
  budget: Budget,
): Core<Input, Output> {
  const reducer = new Reducer(model, budget);
  const states = model.states(partition.map((call) => call.input));
  let calls = cutAfter(partition, stuck);
  const suffix = forgetPast(calls, (shorter) => reducer.isViolation(shorter, states));
  const starts = suffix === undefined ? [model.init] : states;
  calls = suffix ?? calls;
  const violates = (fewer: readonly Call<Input, Output>[]): boolean =>
    reducer.isViolation(fewer, starts);
  const isRead = (call: Call<Input, Output>): boolean =>
    call !== stuck && model.effect(call.input, call.output) === 'read';
  calls = reduceAll(calls, isRead, () => [], violates);
  const isDefinite = (call: Call<Input, Output>): boolean => call !== stuck && call.type === 'ok';
  calls = reduceAll(calls, isDefinite, (call) => [asInfo(call)], violates);
  calls = hideUnobservable(model, calls, states);
  return { calls, fromAnyState: suffix !== undefined, steps: reducer.steps };
}

/** What was called before `stuck` returned; what returned later, nobody saw end. */
function cutAfter<Input, Output>(
  calls: readonly Call<Input, Output>[],
  stuck: Call<Input, Output>,
): readonly Call<Input, Output>[] {
  const end = stuck.type === 'ok' ? stuck.returnAt : Number.POSITIVE_INFINITY;
  return calls
    .filter((call) => call.callAt < end)
    .map((call) => (call.type === 'ok' && call.returnAt > end ? asInfo(call) : call));
}

/**
 * The shortest suffix that still violates from any state, or undefined. Later cuts allow more,
 * so the latest cut that violates is found by halving.
 */
function forgetPast<Input, Output>(
  calls: readonly Call<Input, Output>[],
  violates: (calls: readonly Call<Input, Output>[]) => boolean,
): readonly Call<Input, Output>[] | undefined {
  const cuts = calls.map((call) => call.callAt).toSorted((a, b) => a - b);
  let best: readonly Call<Input, Output>[] | undefined;
  let low = 0;
  let high = cuts.length - 1;
  while (low <= high) {
    const middle = (low + high) >>> 1;
    const suffix = cutBefore(calls, cuts[middle]!);
    if (violates(suffix)) {
      best = suffix;
      low = middle + 1;
    } else high = middle - 1;
  }
  return best;
}

/** Drops what returned before `cut`; what was pending then may or may not have happened yet. */
function cutBefore<Input, Output>(
  calls: readonly Call<Input, Output>[],
  cut: number,
): readonly Call<Input, Output>[] {
  return calls
    .filter((call) => call.type === 'info' || call.returnAt > cut)
    .map((call) => (call.callAt < cut ? asInfo(call) : call));
}

/** Applies `reduce` to as many of the chosen calls as the violation survives, halves first. */
function reduceAll<Input, Output>(
  calls: readonly Call<Input, Output>[],
  isChosen: (call: Call<Input, Output>) => boolean,
  reduce: (call: Call<Input, Output>) => readonly Call<Input, Output>[],
  violates: (calls: readonly Call<Input, Output>[]) => boolean,
): readonly Call<Input, Output>[] {
  let current = calls;
  const chosen = calls.filter(isChosen);
  for (let size = chosen.length; size >= 1; size = Math.floor(size / 2)) {
    for (let from = 0; from < chosen.length; from += size) {
      const group = new Set(chosen.slice(from, from + size));
      if (!current.some((call) => group.has(call))) continue;
      const reduced = current.flatMap((call) => (group.has(call) ? reduce(call) : [call]));
      if (violates(reduced)) current = reduced;
    }
  }
  return current;
}

function asInfo<Input, Output>(call: Call<Input, Output>): Call<Input, Output> {
  const { id, input, output, callAt } = call;
  return { type: 'info', id, input, output, callAt };
}

/**
 * Leaves out operations that nobody saw end where no operation that is left could tell whether
 * they happened: reads, overwrites, and updates whose results all go unnoticed.
 */
function hideUnobservable<State, Input, Output>(
  model: Model<State, Input, Output>,
  calls: readonly Call<Input, Output>[],
  states: readonly State[],
): readonly Call<Input, Output>[] {
  let current = calls;
  for (let before = -1; before !== current.length; ) {
    before = current.length;
    for (const call of current) {
      if (call.type === 'ok') continue;
      const others = current.filter((other) => other !== call);
      const hidden =
        isUnobservable(model, call, current) || !isNoticed(model, call, others, states);
      if (hidden) current = others;
    }
  }
  return current;
}

function isNoticed<State, Input, Output>(
  model: Model<State, Input, Output>,
  call: Call<Input, Output>,
  others: readonly Call<Input, Output>[],
  states: readonly State[],
): boolean {
  return states.some((state) => {
    const after = model.step(state, call.input, call.output);
    if (after === undefined) return false;
    return others.some(
      (other) =>
        model.effect(other.input, other.output) !== 'overwrite' &&
        model.step(after, other.input, other.output) !== undefined,
    );
  });
}
