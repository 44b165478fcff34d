/** `storm repro`: one failure mode by name, as many times as asked for. */
import { rmSync } from 'node:fs';
import type { Random } from '../../src/ports/random.ts';
import type { BackendChoice } from '../backends.ts';
import { ClusterError, type Target } from '../cluster/cluster.ts';
import { StormError } from '../exit-code.ts';
import { runTry } from '../scenarios/run-try.ts';
import type { Scenario } from '../scenarios/scenario.ts';
import {
  describeTally,
  describeTry,
  exitCodeOfTries,
  type Try,
  verdictOf,
} from '../scenarios/tally.ts';
import { seededRandom } from '../seeded-random.ts';
import type { Services } from '../services.ts';
import { sweepFirst } from './sweep.ts';

export interface ReproRequest {
  readonly scenario: Scenario;
  readonly target: Target;
  readonly cluster: BackendChoice;
  readonly count: number;
  readonly seed: number;
  readonly runsDirectory: string;
}

/** 0: every try as expected; 1: one was not; 2: none was not, but some are undecided. */
export async function reproCommand(services: Services, request: ReproRequest): Promise<number> {
  const { scenario, target, count, cluster } = request;
  const choice = backendOf(cluster);
  if (!isPossible(scenario, choice)) {
    throw new ClusterError(
      `--cluster docker: ${scenario.name} needs the members' files; use --cluster process`,
    );
  }
  await sweepFirst(services);
  const expected = scenario.expected[target.kind];
  describeMode(services, request);
  const random = seededRandom(request.seed);
  const tries: Try[] = [];
  for (let at = 1; at <= count; at++) {
    tries.push(await tryOnce(services, { ...request, cluster: choice }, at, random));
  }
  services.progress.print(describeTally(scenario.name, target.kind, expected, tries));
  return exitCodeOfTries(expected, tries);
}

export function describeMode(
  { progress }: Services,
  { scenario, target }: Pick<ReproRequest, 'scenario' | 'target'>,
): void {
  const { outcome, words } = scenario.expected[target.kind];
  progress.print(`${scenario.name}: ${scenario.story}`);
  progress.print(`expected of ${target.kind}: ${outcome}: ${words}`);
}

/** The `at`-th of `count`, printed; its logs stay if it ended otherwise than expected. */
export async function tryOnce(
  services: Services,
  request: Omit<ReproRequest, 'seed'>,
  at: number,
  random: Random,
): Promise<Try> {
  const { scenario, target, cluster: choice, count, runsDirectory } = request;
  const { progress } = services;
  progress.live(`${scenario.name}: try ${at} of ${count}`);
  const one = await runTry(services, {
    ...{ scenario, target, choice, runsDirectory },
    random: random.fork(`try ${at}`),
  });
  progress.print(describeTry(at, count, one));
  const verdict = verdictOf(one.outcome, scenario.expected[target.kind]);
  keepOrForget(services, one, verdict === 'as expected');
  return one;
}

/** What ended as expected needs no logs. */
function keepOrForget(services: Services, { directories }: Try, isExpected: boolean): void {
  for (const directory of directories) {
    if (isExpected) rmSync(directory, { recursive: true, force: true });
    else services.progress.print(`logs: ${directory}`);
  }
}

/** Throws StormError for one that has no real members. */
export function backendOf(cluster: BackendChoice): BackendChoice {
  if (cluster === 'sim') {
    throw new StormError('--cluster sim: real members are needed; use process or docker');
  }
  return cluster === 'auto' ? 'process' : cluster;
}

export function isPossible({ needsFiles }: Scenario, choice: BackendChoice): boolean {
  return choice !== 'docker' || needsFiles !== true;
}
