/**
 * `storm fuzz`: one seed after the other, on several processes, until the time or the seeds are
 * used up. A failure is printed in one line, saved, and made smaller.
 */
import { EXIT_ENVIRONMENT, exitCodeOf } from '../exit-code.ts';
import { RUN_DEFAULTS } from '../options.ts';
import { SEED_BOUND } from '../seeded-random.ts';
import type { Services } from '../services.ts';
import { failureLine, replayCommand, seedName } from '../sim/failure-line.ts';
import type { SimAnswer } from '../sim/job.ts';
import { saveScenario, scenarioOf, trySaving } from '../sim/scenario-file.ts';
import { SHRINK_RUNS_MAX } from '../sim/shrink.ts';
import { SimWorker } from '../sim/sim-worker.ts';
import type { SwarmChoices } from '../sim/swarm.ts';

export interface FuzzRequest {
  readonly minutes: number;
  /** Stop after so many seeds of this shard. */
  readonly seedsMax: number;
  readonly jobs: number;
  readonly seedFrom: number;
  /** This process takes every `count`-th seed, beginning with the `index`-th. */
  readonly shard: { readonly index: number; readonly count: number };
  readonly choices: SwarmChoices;
  /** Simulate each seed twice: both must do the same. */
  readonly twice: boolean;
  readonly runsDirectory: string;
}

/** Real time for one simulation; one that needs more runs in circles. */
const SEED_LIMIT_LEAST_MS = 120_000;
/** Slow machines simulate a second in less than this many, busy ones included. */
const SEED_LIMIT_FACTOR = 2;
const SHRINK_LIMIT_MS = 180_000;
/** After so many failures it is plain that something is wrong. */
const FAILURES_MAX = 5;

interface Tally {
  seeds: number;
  failures: number;
  /** Seeds under which the simulator itself broke. */
  broken: number;
  simulatedS: number;
  cpuS: number;
  events: number;
  operations: number;
  faults: number;
}

/** 0: no seed failed; 1: one did; 3: the simulator itself broke. */
export async function fuzzCommand(services: Services, request: FuzzRequest): Promise<number> {
  const { clock, progress, signal } = services;
  const endNs = clock.nowNs() + request.minutes * 60e9;
  const tally: Tally = {
    seeds: 0,
    failures: 0,
    broken: 0,
    simulatedS: 0,
    cpuS: 0,
    events: 0,
    operations: 0,
    faults: 0,
  };
  const { index, count } = request.shard;
  let taken = 0;
  const takeSeed = (): number | undefined => {
    const isOver = clock.nowNs() >= endNs || taken >= request.seedsMax;
    const seed = request.seedFrom + index - 1 + taken * count;
    if (seed >= SEED_BOUND) return undefined;
    if (isOver || signal.aborted || tally.failures + tally.broken >= FAILURES_MAX) return undefined;
    taken += 1;
    return seed;
  };
  const shardWords = count > 1 ? `, shard ${index} of ${count}` : '';
  progress.print(
    `fuzz: seeds from ${request.seedFrom}, ${request.jobs} processes, ` +
      `at most ${request.minutes} minutes${shardWords}`,
  );
  await Promise.all(
    Array.from({ length: request.jobs }, () => work(services, request, { takeSeed, tally })),
  );
  progress.print(`fuzz: ${describeTally(tally)}`);
  if (tally.failures > 0) return exitCodeOf('invalid');
  return tally.broken > 0 ? EXIT_ENVIRONMENT : exitCodeOf('valid');
}

async function work(
  services: Services,
  request: FuzzRequest,
  { takeSeed, tally }: { takeSeed: () => number | undefined; tally: Tally },
): Promise<void> {
  using worker = new SimWorker(RUN_DEFAULTS.root);
  const { choices } = request;
  for (let seed = takeSeed(); seed !== undefined; seed = takeSeed()) {
    const answer = await worker.run({ type: 'seed', seed, choices }, limitMsOf(request));
    if (services.signal.aborted) return;
    tally.seeds += 1;
    tally.cpuS += answer.cpuMs / 1e3;
    if (request.twice && !(await isSameAgain(services, request, worker, answer)))
      tally.failures += 1;
    if (await tell(services, request, { worker, seed, answer, tally })) tally.failures += 1;
    services.progress.live(`fuzz: ${describeTally(tally)}`);
  }
}

/** Whether the plan does the same a second time, as `storm replay` would have it. */
async function isSameAgain(
  { progress }: Services,
  request: FuzzRequest,
  worker: SimWorker,
  first: SimAnswer,
): Promise<boolean> {
  if (first.type !== 'ran') return true;
  if (first.summary.failure !== undefined) return true;
  const again = await worker.run({ type: 'plan', plan: first.plan }, limitMsOf(request));
  const hash = again.type === 'ran' ? again.summary.traceHash : again.type;
  if (hash === first.summary.traceHash) return true;
  const name = seedName(first.plan);
  progress.print(`seed ${name}: not the same twice: ${first.summary.traceHash}, then ${hash}`);
  return false;
}

/** True if the seed failed. */
async function tell(
  services: Services,
  request: FuzzRequest,
  job: { worker: SimWorker; seed: number; answer: SimAnswer; tally: Tally },
): Promise<boolean> {
  const { seed, answer, tally, worker } = job;
  const { progress } = services;
  switch (answer.type) {
    case 'hung':
      progress.print(`seed ${seed}: no end after ${limitMsOf(request) / 1000} s of real time`);
      return true;
    case 'crashed':
      // Its own bug says nothing about the server: never the status of a verdict.
      progress.print(`seed ${seed}: the simulator broke: ${answer.detail}`);
      tally.broken += 1;
      return false;
    case 'shrunk':
    case 'ran': {
      const { plan, summary } = answer;
      tally.simulatedS += summary.simulatedNs / 1e9;
      tally.events += summary.events;
      tally.operations += summary.operations;
      tally.faults += summary.faultsObserved;
      if (summary.failure === undefined) return false;
      const scenario = scenarioOf(plan, summary);
      const saved = trySaving(request.runsDirectory, `sim-${seed}.json`, scenario);
      progress.print(failureLine(plan, summary.failure, saved.path ?? seedName(plan)));
      if (saved.path === undefined) {
        progress.print(`not saved: ${saved.problem}`);
        return true;
      }
      await makeSmaller(services, request, worker, answer);
      return true;
    }
    default:
      return answer satisfies never;
  }
}

async function makeSmaller(
  { progress }: Services,
  request: FuzzRequest,
  worker: SimWorker,
  { plan }: Extract<SimAnswer, { readonly type: 'ran' | 'shrunk' }>,
): Promise<void> {
  const job = { type: 'shrink', plan, runsMax: SHRINK_RUNS_MAX } as const;
  const answer = await worker.run(job, SHRINK_LIMIT_MS);
  if (answer.type !== 'shrunk') return progress.print('shrink: gave up; the saved one stays');
  const name = `sim-${plan.seed}-small.json`;
  const path = saveScenario(request.runsDirectory, name, scenarioOf(answer.plan, answer.summary));
  const { memberCount, schedule } = answer.plan;
  progress.print(
    `shrunk in ${answer.runs} runs: ${answer.summary.operations} operations,` +
      ` ${schedule.length} faults, ${memberCount} members; replay: ${replayCommand(path)}`,
  );
}

function limitMsOf({ choices }: FuzzRequest): number {
  return Math.max(SEED_LIMIT_LEAST_MS, SEED_LIMIT_FACTOR * (choices.safetyMs ?? 0));
}

function describeTally(tally: Tally): string {
  const { seeds, failures, simulatedS, cpuS, events, operations, faults } = tally;
  const perCpu = cpuS > 0 ? simulatedS / cpuS : 0;
  const eventsPerCpu = cpuS > 0 ? events / cpuS : 0;
  return [
    `${seeds} seeds, ${failures} failed`,
    `${(simulatedS / 3600).toFixed(2)} simulated hours in ${cpuS.toFixed(0)} CPU-s (${perCpu.toFixed(0)} ×)`,
    `${(eventsPerCpu / 1000).toFixed(0)} k events per CPU-s`,
    `${operations} operations, ${faults} faults observed`,
  ].join('; ');
}
