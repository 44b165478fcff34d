/** `storm repro`: one failure mode by name, as many times as asked for. */
import { rmSync } from 'node:fs';
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
  const { scenario, target, count, runsDirectory } = request;
  const choice = backendOf(request);
  await sweepFirst(services);
  const { progress } = services;
  const expected = scenario.expected[target.kind];
  const random = seededRandom(request.seed);
  progress.print(`${scenario.name}: ${scenario.story}`);
  progress.print(`expected of ${target.kind}: ${expected.outcome}: ${expected.words}`);
  const tries: Try[] = [];
  for (let at = 1; at <= count; at++) {
    progress.live(`${scenario.name}: try ${at} of ${count}`);
    const one = await runTry(services, {
      ...{ scenario, target, choice, runsDirectory },
      random: random.fork(`try ${at}`),
    });
    tries.push(one);
    progress.print(describeTry(at, count, one));
    keepOrForget(services, one, verdictOf(one.outcome, expected) === 'as expected');
  }
  progress.print(describeTally(scenario.name, target.kind, expected, tries));
  return exitCodeOfTries(expected, tries);
}

/** What ended as expected needs no logs. */
function keepOrForget(services: Services, { directories }: Try, isExpected: boolean): void {
  for (const directory of directories) {
    if (isExpected) rmSync(directory, { recursive: true, force: true });
    else services.progress.print(`logs: ${directory}`);
  }
}

function backendOf({ scenario, cluster }: ReproRequest): BackendChoice {
  if (cluster === 'sim') {
    throw new StormError('--cluster sim: real members are needed; use process or docker');
  }
  if (cluster === 'docker' && scenario.needsFiles === true) {
    throw new ClusterError(
      `--cluster docker: ${scenario.name} needs the members' files; use --cluster process`,
    );
  }
  return cluster === 'auto' ? 'process' : cluster;
}
