/** The search for a smaller plan: the smallest that fails so far, and what may still be spent. */
import { createHash } from 'node:crypto';
import type { PlannedFault } from '../../nemesis/schedule.ts';
import { SEED_BOUND } from '../../seeded-random.ts';
import type { SimFailure, SimOutcome } from '../outcome.ts';
import type { SimPlan } from '../plan.ts';

export interface SearchOptions {
  readonly simulate: (plan: SimPlan) => Promise<SimOutcome>;
  readonly runsMax: number;
  readonly accepts?: (failure: SimFailure) => boolean;
}

/** Other seeds that tell how often a plan fails. */
const GAUGE_SEEDS = 3;
/** Seeds for each candidate, by how many of the others failed: rarer failures need more. */
const TRIES_BY_FAILED = [6, 4, 3, 2];

export class Search {
  readonly #options: SearchOptions;
  readonly #accepts: (failure: SimFailure) => boolean;
  /** Digests of candidates that did not fail, with the number of seeds that they were given. */
  readonly #refused = new Map<string, number>();
  #plan: SimPlan;
  #digest: string;
  #outcome: SimOutcome;
  #tries: number = TRIES_BY_FAILED.at(-1)!;
  #runs = 1;
  #spendUntil: number;

  /** Rejects when the plan does not fail. */
  static async start(plan: SimPlan, options: SearchOptions): Promise<Search> {
    const outcome = await options.simulate(plan);
    const { failure } = outcome;
    if (failure === undefined) throw new Error(`the plan of seed ${plan.seed} does not fail`);
    const isSame = (other: SimFailure): boolean =>
      other.by === failure.by && other.name === failure.name;
    const accepts = options.accepts ?? isSame;
    if (!accepts(failure)) throw new Error(`another failure than expected: ${failure.detail}`);
    return new Search({ plan, outcome, accepts }, options);
  }

  private constructor(
    failing: {
      readonly plan: SimPlan;
      readonly outcome: SimOutcome;
      readonly accepts: (failure: SimFailure) => boolean;
    },
    options: SearchOptions,
  ) {
    this.#plan = failing.plan;
    this.#digest = digestOf(failing.plan);
    this.#outcome = failing.outcome;
    this.#accepts = failing.accepts;
    this.#options = options;
    this.#spendUntil = options.runsMax;
  }

  /** The smallest plan so far. */
  get plan(): SimPlan {
    return this.#plan;
  }

  /** What came of it: a failure. */
  get outcome(): SimOutcome {
    return this.#outcome;
  }

  get runs(): number {
    return this.#runs;
  }

  /** Nothing more is simulated. */
  get isSpent(): boolean {
    return this.#runs >= this.#spendUntil;
  }

  /** So many runs may be spent from now on, those before included; never more than the most. */
  spendUntil(runs: number): void {
    this.#spendUntil = Math.min(runs, this.#options.runsMax);
  }

  /** Virtual time of the failure since the base of the history, not before it. */
  get failedNs(): number {
    const { failure, historyBaseNs } = this.#outcome;
    return Math.max(0, (failure?.atNs ?? 0) - historyBaseNs);
  }

  /**
   * Takes the candidate in place of the plan if it fails under one of `tries` seeds, the plan's
   * own first. One that was refused before is not tried again.
   */
  async take(smaller: SimPlan, tries: number = this.#tries): Promise<boolean> {
    const candidate = { ...smaller, schedule: numbered(smaller.schedule) };
    const digest = digestOf(candidate);
    if ((this.#refused.get(digest) ?? 0) >= tries) return false;
    if (digest === this.#digest) return false;
    for (let attempt = 0; attempt < tries; attempt++) {
      if (this.isSpent) return false;
      const plan = { ...candidate, seed: (candidate.seed + attempt) % SEED_BOUND };
      const outcome = await this.#simulate(plan);
      if (outcome === undefined) continue;
      this.#plan = plan;
      this.#digest = digest;
      this.#outcome = outcome;
      return true;
    }
    this.#refused.set(digest, tries);
    return false;
  }

  /** The first of the candidates that can be taken. */
  async takeFirst(candidates: readonly SimPlan[]): Promise<boolean> {
    for (const candidate of candidates) if (await this.take(candidate)) return true;
    return false;
  }

  /** Finds out how many seeds a candidate deserves. */
  async gauge(): Promise<void> {
    let failed = 0;
    for (let other = 1; other <= GAUGE_SEEDS && !this.isSpent; other++) {
      const seed = (this.#plan.seed + other) % SEED_BOUND;
      if ((await this.#simulate({ ...this.#plan, seed })) !== undefined) failed += 1;
    }
    this.#tries = TRIES_BY_FAILED[failed]!;
  }

  /**
   * Undefined unless it fails as it should. A plan that the simulator cannot run (a planted bug
   * may run in circles, an operation may have lost what it needs) is no smaller failure.
   */
  async #simulate(plan: SimPlan): Promise<SimOutcome | undefined> {
    this.#runs += 1;
    try {
      const outcome = await this.#options.simulate(plan);
      const { failure } = outcome;
      return failure !== undefined && this.#accepts(failure) ? outcome : undefined;
    } catch {
      return undefined;
    }
  }
}

/** A fault's id is its position, also when others are gone. */
function numbered(schedule: readonly PlannedFault[]): PlannedFault[] {
  return schedule.map((fault, at) => ({ ...fault, id: at + 1 }));
}

/** The same for plans that differ in their seeds only. */
function digestOf(plan: SimPlan): string {
  const text = JSON.stringify({ ...plan, seed: 0 });
  return createHash('sha256').update(text).digest('base64');
}
