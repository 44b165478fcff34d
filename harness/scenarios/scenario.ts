/** A failure mode by name: what a scenario file says, and how one try of it may end. */
import type { ScenarioLab } from './lab/scenario-lab.ts';

export type TargetKind = 'stormraft' | 'etcd';

/** How one try ends. `sound` was shown, which is more than that nothing was seen. */
export type Outcome =
  /** The failure was seen; the evidence says so in words and numbers. */
  | { readonly type: 'reproduced'; readonly evidence: string }
  /** The opposite of the failure was seen. */
  | { readonly type: 'sound'; readonly evidence: string }
  /** The trigger did not bite, so nothing is known. */
  | { readonly type: 'undecided'; readonly reason: string };

export interface Expected {
  readonly outcome: 'reproduced' | 'sound';
  /** What users of that target see, in words. */
  readonly words: string;
}

export interface Scenario {
  /** Lower case and hyphens; unique. */
  readonly name: string;
  /** What users see, in plain words. */
  readonly story: string;
  /** Versions of etcd that have it, with the number of the report where there is one. */
  readonly affected: string;
  /** What is done to the cluster. */
  readonly trigger: string;
  /** The checker that must catch it: its file, from the root of the repository. */
  readonly checker: string;
  /** What is known: of this repository's server, and of etcd 3.4.23. */
  readonly expected: Readonly<Record<TargetKind, Expected>>;
  /** The members' files must be within reach of the harness: not on `docker`. */
  readonly needsFiles?: true;
  /** A try that takes longer is undecided. */
  readonly timeLimitMs: number;
  run(lab: ScenarioLab): Promise<Outcome>;
}

export function reproduced(evidence: string): Outcome {
  return { type: 'reproduced', evidence };
}

export function sound(evidence: string): Outcome {
  return { type: 'sound', evidence };
}

/** Thrown inside a scenario: the trigger did not bite. */
export class Undecided extends Error {
  override readonly name = 'Undecided';
}
