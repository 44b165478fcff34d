/**
 * The hunt: a bug is planted in a copy of the repository, and one seed after the other is
 * simulated there until something notices. What does not notice is worth knowing too.
 */
import { rm } from 'node:fs/promises';
import type { Clock } from '../../src/ports/clock.ts';
import { SEED_BOUND } from '../seeded-random.ts';
import type { SimAnswer } from '../sim/job.ts';
import type { SimPlan } from '../sim/plan.ts';
import { SimWorker } from '../sim/sim-worker.ts';
import type { Mutant } from './mutant.ts';
import { plant } from './plant.ts';

export interface HuntOptions {
  /** The repository. */
  readonly root: string;
  /** An existing directory for the copy, which is removed afterwards. */
  readonly parent: string;
  readonly seedFrom: number;
  readonly seedsMax: number;
  /** Processor time, in minutes. */
  readonly cpuMinutesMax: number;
  readonly signal: AbortSignal;
  readonly clock: Clock;
  /** Makes the failing plan smaller, with so many simulations; 0: does not. */
  readonly shrinkRunsMax: number;
}

export interface Hunt {
  readonly mutant: Mutant;
  readonly result: HuntResult;
  /** Simulated, the last one included. */
  readonly seeds: number;
  readonly cpuS: number;
}

export type HuntResult =
  /** `by`: what noticed it, in words. */
  | {
      readonly type: 'killed';
      readonly by: string;
      readonly detail: string;
      readonly plan: SimPlan | undefined;
      readonly shrunk: Shrunk | undefined;
    }
  | { readonly type: 'survived' }
  /** The copy cannot even simulate: the edit is wrong. */
  | { readonly type: 'broken'; readonly detail: string };

export interface Shrunk {
  readonly operations: number;
  readonly faults: number;
  readonly members: number;
  readonly runs: number;
  readonly plan: SimPlan;
}

/** Real time for one simulation; one that needs more runs in circles, which is a find. */
const SEED_LIMIT_MS = 120_000;
const SHRINK_LIMIT_MS = 300_000;

export async function hunt(mutant: Mutant, options: HuntOptions): Promise<Hunt> {
  const copy = await plant(mutant, options.root, options.parent);
  try {
    return await huntIn(copy, mutant, options);
  } finally {
    await rm(copy, { recursive: true, force: true });
  }
}

async function huntIn(copy: string, mutant: Mutant, options: HuntOptions): Promise<Hunt> {
  using worker = new SimWorker(copy);
  let cpuMs = 0;
  let seeds = 0;
  const done = (result: HuntResult): Hunt => ({ mutant, result, seeds, cpuS: cpuMs / 1000 });
  while (seeds < options.seedsMax && cpuMs < options.cpuMinutesMax * 60_000) {
    const seed = options.seedFrom + seeds;
    if (options.signal.aborted || seed >= SEED_BOUND) break;
    const job = { type: 'seed', seed, choices: {} } as const;
    const answer = await worker.run(job, SEED_LIMIT_MS);
    seeds += 1;
    cpuMs += answer.cpuMs;
    const result = await judge(answer, worker, options, seeds);
    if (result !== undefined) return done(result);
  }
  return done({ type: 'survived' });
}

async function judge(
  answer: SimAnswer,
  worker: SimWorker,
  options: HuntOptions,
  seeds: number,
): Promise<HuntResult | undefined> {
  switch (answer.type) {
    case 'hung':
      return { ...KILLED, by: 'no end', detail: 'the simulation runs in circles' };
    case 'crashed':
      // One that never ran once was not planted well.
      if (seeds === 1 && answer.cpuMs === 0) return { type: 'broken', detail: answer.detail };
      return { ...KILLED, by: 'crash', detail: answer.detail };
    case 'shrunk':
    case 'ran': {
      const { failure } = answer.summary;
      if (failure === undefined) return undefined;
      const by = `${failure.by}: ${failure.name}`;
      const shrunk = await makeSmaller(answer.plan, worker, options);
      return { type: 'killed', by, detail: failure.detail, plan: answer.plan, shrunk };
    }
    default:
      return answer satisfies never;
  }
}

const KILLED = { type: 'killed', plan: undefined, shrunk: undefined } as const;

async function makeSmaller(
  plan: SimPlan,
  worker: SimWorker,
  { shrinkRunsMax }: HuntOptions,
): Promise<Shrunk | undefined> {
  if (shrinkRunsMax === 0) return undefined;
  const job = { type: 'shrink', plan, runsMax: shrinkRunsMax } as const;
  const answer = await worker.run(job, SHRINK_LIMIT_MS);
  if (answer.type !== 'shrunk') return undefined;
  const { schedule, memberCount: members } = answer.plan;
  const { operations } = answer.summary;
  const { runs } = answer;
  return { operations, faults: schedule.length, members, runs, plan: answer.plan };
}
