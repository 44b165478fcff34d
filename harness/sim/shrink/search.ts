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

const WORK_PER_OP = 30;
/** The simulator gives up on one that runs in circles after about so many events. */
const WORK_BROKEN = 200_000;
/** About a minute of one processor; counted, because the clock would not be deterministic. */
const WORK_MAX = 20_000_000;
/** Other seeds that tell how often a plan fails. */
const GAUGE_SEEDS = 3;
/** Seeds for each candidate, by how many of the others failed: rarer failures need more. */
const TRIES_BY_FAILED = [6, 4, 3, 2];
/** The same for candidates that would save much. */
const EAGER_TRIES = [20, 10, 4, 2];

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
  #work = 0;
  /** What may be spent by now, as a part of all. */
  #part = 1;

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
    this.#work = workOf(failing.outcome);
    this.#options = options;
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
    const { runsMax } = this.#options;
    return this.#runs >= runsMax * this.#part || this.#work >= WORK_MAX * this.#part;
  }

  /** So much of all may be spent from now on, what was spent before included. */
  spendUntil(percent: number): void {
    this.#part = percent / 100;
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

  /** With more seeds: for candidates that would save much of all later work. */
  async takeEagerly(smaller: SimPlan): Promise<boolean> {
    return this.take(smaller, EAGER_TRIES[TRIES_BY_FAILED.indexOf(this.#tries)]);
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
      this.#work += workOf(outcome);
      const { failure } = outcome;
      return failure !== undefined && this.#accepts(failure) ? outcome : undefined;
    } catch {
      this.#work += WORK_BROKEN;
      return undefined;
    }
  }
}

/** What a simulation costs, in events: an operation is checked besides, which costs much more. */
function workOf({ events, history }: SimOutcome): number {
  return events + history.length * WORK_PER_OP;
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
