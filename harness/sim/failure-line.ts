/** What is printed of a failing simulation: one line, with the command that shows it again. */
import type { SimFailure } from './outcome.ts';
import type { SimPlan } from './plan.ts';

const WORDS: Readonly<Record<SimFailure['by'], string>> = {
  invariant: 'invariant broken',
  oracle: 'differs from the model',
  death: 'died',
  liveness: 'no progress',
  checker: 'checker says invalid',
};

/** `what` is to be replayed: the scenario file, or how it was named when it was replayed. */
export function failureLine(plan: SimPlan, failure: SimFailure, what: string): string {
  return `${failureWords(failure)}; seed ${seedName(plan)}; replay: ${replayCommand(what)}`;
}

/** What it is, and when in the simulation. */
export function failureWords({ by, name, detail, atNs }: SimFailure): string {
  return `${WORDS[by]}: ${name}: ${detail}, at ${(atNs / 1e9).toFixed(3)} s`;
}

/** A seed together with the code that it means something under. */
export function seedName({ seed, code }: Pick<SimPlan, 'seed' | 'code'>): string {
  return `${seed}@${code}`;
}

export function replayCommand(what: string): string {
  return `npm run storm -- replay ${what}`;
}
