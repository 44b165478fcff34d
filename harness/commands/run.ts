/**
 * `storm run`: sweep → cluster → plan → storm → heal → final reads → check → report.
 * What follows the storm works on the run directory alone, so `check` and `report` can redo it.
 */
import { copyFileSync } from 'node:fs';
import { assert } from '../../src/lib/assert.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { checkAgainCommand, runAgainCommand } from '../command-line.ts';
import { describeEnvironment } from '../environment.ts';
import { exitCodeOf, StormError } from '../exit-code.ts';
import { wanProfile } from '../network/wan.ts';
import { openCluster } from '../open-cluster.ts';
import type { RunRequest } from '../options.ts';
import { describePlan, makePlan, nodeNames, type Plan } from '../plan.ts';
import { saveLogs } from '../save-logs.ts';
import type { Services } from '../services.ts';
import { checkRun } from '../stages/check.ts';
import { writeReport } from '../stages/report.ts';
import { runStorm } from '../stages/storm.ts';
import { JUNIT_FILE, type RunDirectory } from '../store.ts';
import { sweepFirst } from './sweep.ts';

/**
 * Exit status by verdict. Rejects with StormError or ClusterError when there is none, or when
 * a file that shows it cannot be written: it is printed by then, with how to get the file again.
 */
export async function runCommand(services: Services, request: RunRequest): Promise<number> {
  await sweepFirst(services);
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
  return exitCodeOf(verdict.validity);
}

/** The part that needs a cluster; it is gone when this resolves or rejects. */
async function stormOnCluster(
  services: Services,
  request: RunRequest,
): Promise<{ readonly directory: RunDirectory; readonly plan: Plan }> {
  const { clock, progress, signal } = services;
  const { options } = request;
  const { memberCount, heartbeatMs, electionMs, target } = options;
  const opened = await openCluster(services, {
    choice: request.cluster,
    runsDirectory: request.runsDirectory,
    label: String(options.seed),
    config: { memberCount, heartbeatMs, electionMs, target, serverFlags: [] },
  });
  await using cluster = opened.cluster;
  const { directory } = opened;
  const plan = makePlan(options, cluster.backend, cluster.capabilities);
  directory.savePlan(plan);
  directory.saveEnvironment(describeEnvironment(cluster, opened.why));
  progress.print(`plan: ${describePlan(plan)}`);
  if (plan.wan !== undefined) await moveApart(cluster, plan.wan);
  if (signal.aborted) throw new StormError('interrupted before the storm');
  const probe = services.openProbe();
  try {
    progress.print(`storm: ${plan.timeLimitMs / 1000} s, history in ${directory.path}`);
    const workload = services.workload(plan);
    directory.saveOutcome(
      await runStorm({ plan, cluster, probe, workload, directory, clock, progress, signal }),
    );
  } finally {
    probe.close();
    await saveLogs(services, cluster, directory);
  }
  return { directory, plan };
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
