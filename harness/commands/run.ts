/**
 * `storm run`: sweep → cluster → plan → storm → heal → final reads → check → report.
 * What follows the storm works on the run directory alone, so `check` and `report` can redo it.
 */
import { copyFileSync } from 'node:fs';
import { assert } from '../../src/lib/assert.ts';
import type { Cluster, Target } from '../cluster/cluster.ts';
import { instrumentsFor } from '../cluster/resource-control.ts';
import { checkAgainCommand, runAgainCommand } from '../command-line.ts';
import { describeEnvironment, measureVersions } from '../environment.ts';
import { exitCodeOf, StormError } from '../exit-code.ts';
import { wanProfile } from '../network/wan.ts';
import { openCluster } from '../open-cluster.ts';
import type { RunRequest } from '../options.ts';
import { describePlan, makePlan, nodeNames, type Plan, planAs } from '../plan.ts';
import { saveLogs } from '../save-logs.ts';
import type { Services } from '../services.ts';
import { checkRun } from '../stages/check.ts';
import { writeReport } from '../stages/report.ts';
import { runStorm } from '../stages/storm.ts';
import { JUNIT_FILE, type RunDirectory } from '../store.ts';
import { surroundingsOf } from '../surroundings.ts';
import { withBinary } from '../targets/etcd-image.ts';
import type { Verdict } from '../verdict.ts';
import { sweepFirst } from './sweep.ts';

/**
 * Exit status by verdict, of several targets by the worst. Rejects with StormError or ClusterError
 * when there is none, or when a file that shows it cannot be written: it is printed by then, with
 * how to get the file again.
 */
export async function runCommand(services: Services, request: RunRequest): Promise<number> {
  await sweepFirst(services);
  if (request.targets !== undefined) {
    const targets: Target[] = [];
    for (const target of request.targets) targets.push(await withBinary(target));
    const { runSideBySide } = await import('../side-by-side/run-side-by-side.ts');
    return runSideBySide(services, { ...request, targets }, runOnce);
  }
  const { target } = request.options;
  const isSim = request.cluster === 'sim';
  const options = { ...request.options, target: isSim ? target : await withBinary(target) };
  const { verdict } = await runOnce(services, { ...request, options });
  return exitCodeOf(verdict.validity);
}

export interface DoneRun {
  readonly directory: RunDirectory;
  readonly plan: Plan;
  readonly verdict: Verdict;
}

export interface OneRun extends RunRequest {
  /** Middle of the run directory's name; by default the seed. */
  readonly label?: string;
  /** A run on another target, whose plan this one takes. */
  readonly after?: Plan;
}

/** One run on one target, `options.target`, with its verdict and its report. */
export async function runOnce(services: Services, request: OneRun): Promise<DoneRun> {
  const { directory, plan } = await stormOnCluster(services, request);
  const { progress } = services;
  const verdict = checkRun(directory, services.workload, progress);
  try {
    progress.print(`report: ${await writeReport(services, directory)}`);
  } finally {
    progress.print(`run again: ${runAgainCommand(plan)}`);
    progress.print(`check again: ${checkAgainCommand(directory.path)}`);
    if (request.junitFile !== undefined) copyJunit(directory, request.junitFile);
  }
  return { directory, plan, verdict };
}

/** The part that needs a cluster; it is gone when this resolves or rejects. */
async function stormOnCluster(
  services: Services,
  request: OneRun,
): Promise<{ readonly directory: RunDirectory; readonly plan: Plan }> {
  const { clock, progress, signal } = services;
  const { options } = request;
  const { memberCount, heartbeatMs, electionMs, target } = options;
  const opened = await openCluster(services, {
    choice: request.cluster,
    runsDirectory: request.runsDirectory,
    label: request.label ?? String(options.seed),
    config: {
      ...{
        memberCount,
        heartbeatMs,
        electionMs,
        target,
        serverFlags: [],
        ...surroundingsOf(options),
      },
      instruments: instrumentsFor(options.faults),
    },
  });
  const { directory } = opened;
  let isRefused = false;
  // After the cluster is gone, which writes to it.
  using _leftovers = {
    [Symbol.dispose]: () => {
      if (isRefused) directory.discardLogs();
    },
  };
  await using cluster = opened.cluster;
  const plan = planOf(request, cluster);
  const impossible = whyImpossible(plan);
  isRefused = impossible !== undefined;
  if (impossible !== undefined) throw new StormError(impossible);
  directory.savePlan(plan);
  const probe = services.openProbe();
  try {
    const versions = await measureVersions(cluster, probe, services);
    directory.saveEnvironment(describeEnvironment(cluster, opened.why, { target, versions }));
    progress.print(`plan: ${describePlan(plan)}`);
    if (plan.wan !== undefined) await moveApart(cluster, plan.wan);
    if (signal.aborted) throw new StormError('interrupted before the storm');
    progress.print(`storm: ${plan.timeLimitMs / 1000} s, history in ${directory.path}`);
    const workload = services.workload(plan, cluster.nodes);
    directory.saveOutcome(
      await runStorm({ plan, cluster, probe, workload, directory, clock, progress, signal }),
    );
  } finally {
    probe.close();
    await saveLogs(services, cluster, directory);
  }
  return { directory, plan };
}

function planOf({ options, schedule, planFile, after }: OneRun, cluster: Cluster): Plan {
  const { backend, capabilities } = cluster;
  if (after !== undefined) return planAs(after, options, { backend, capabilities });
  const written = schedule && { schedule, ...(planFile !== undefined && { planFile }) };
  return makePlan(options, backend, capabilities, written);
}

/** What was asked for as a must and cannot be done is no storm to begin. */
function whyImpossible(plan: Plan): string | undefined {
  const missing = plan.missingFaults.find(({ kind }) => plan.requiredFaults.includes(kind));
  if (missing === undefined) return undefined;
  const { kind, detail } = missing;
  const possible = plan.faults.filter((each) =>
    plan.missingFaults.every((other) => other.kind !== each),
  );
  const allowed = possible.length === 0 ? 'leave it out' : `use ${possible.join(', ')}`;
  const what = `not possible for ${plan.target.kind} on ${plan.backend}`;
  return `--require ${kind}: ${what}: ${detail}; ${allowed}`;
}

async function moveApart(cluster: Cluster, wan: string): Promise<void> {
  const distances = wanProfile(wan, nodeNames(cluster.nodes.length));
  assert(distances.ok, 'the options were checked');
  await cluster.setLinkDistances(distances.value);
}

function copyJunit(directory: RunDirectory, junitFile: string): void {
  try {
    copyFileSync(directory.file(JUNIT_FILE), junitFile);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new StormError(`--junit ${junitFile}: ${reason}; give a writable file`, { cause: error });
  }
}
