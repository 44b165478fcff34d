/** `storm run --target both`: one plan on several targets, one after the other, and one report. */
import { copyFileSync } from 'node:fs';
import { checkAgainCommand } from '../command-line.ts';
import type { DoneRun, OneRun } from '../commands/run.ts';
import { exitCodeOf, StormError } from '../exit-code.ts';
import { stampOf } from '../open-cluster.ts';
import type { RunRequest } from '../options.ts';
import type { Plan } from '../plan.ts';
import type { Services } from '../services.ts';
import { checkRun } from '../stages/check.ts';
import { writeReport } from '../stages/report.ts';
import { makeDirectory } from '../store.ts';
import { refuseNoEtcd } from '../targets/etcd-version.ts';
import {
  nameTargets,
  readSides,
  type SideRun,
  saveSides,
  worstOf,
  writeComparison,
  writeJunit,
} from './side-by-side.ts';

/**
 * The first target draws the plan, the others take it; what one of them cannot do, it leaves out
 * and shows as skipped. Status of the worst verdict; rejects as soon as one has none.
 */
export async function runSideBySide(
  services: Services,
  request: RunRequest,
  runOnce: (services: Services, request: OneRun) => Promise<DoneRun>,
): Promise<number> {
  const { progress } = services;
  const { options, targets = [options.target] } = request;
  // Before the first has taken its time: none that cannot be run at all.
  if (request.cluster !== 'auto') for (const target of targets) await refuseNoEtcd(target);
  const names = nameTargets(targets);
  const stamp = stampOf(services.clock.wallMs());
  const path = makeDirectory(request.runsDirectory, `${stamp}-${options.seed}-side-by-side`);
  const sides: SideRun[] = [];
  let first: Plan | undefined;
  for (const [at, target] of targets.entries()) {
    progress.print(`side by side: ${at + 1} of ${targets.length}: ${names[at]}`);
    const done = await runOnce(services, {
      ...request,
      options: { ...options, target },
      cluster: first?.backend ?? request.cluster,
      runsDirectory: path,
      junitFile: undefined,
      label: `${options.seed}-${target.kind}`,
      ...(first !== undefined && { after: first }),
    });
    first ??= done.plan;
    sides.push({ name: names[at]!, directory: done.directory });
    saveSides(path, sides);
  }
  return concluded(services, path, sides, request.junitFile);
}

/** `storm check` of such a directory: all of its runs again. Status of the worst verdict. */
export async function checkSideBySide(services: Services, path: string): Promise<number> {
  const sides = readSides(path);
  for (const { name, directory } of sides) {
    services.progress.print(`side by side: ${name}`);
    checkRun(directory, services.workload, services.progress);
    await writeReport(services, directory);
  }
  return concluded(services, path, sides);
}

/** `storm report` of such a directory. */
export async function reportSideBySide(services: Services, path: string): Promise<number> {
  const sides = readSides(path);
  for (const { directory } of sides) await writeReport(services, directory);
  services.progress.print(`report: ${await writeComparison(path, sides)}`);
  return exitCodeOf(worstOf(sides.map(({ directory }) => directory.readVerdict().validity)));
}

async function concluded(
  { progress }: Services,
  path: string,
  sides: readonly SideRun[],
  junitFile?: string,
): Promise<number> {
  const verdicts = sides.map(({ directory }) => directory.readVerdict().validity);
  const words = sides.map(({ name }, at) => `${name} ${verdicts[at]}`).join(', ');
  progress.print(`side by side: ${words}`);
  const junit = writeJunit(path, sides);
  progress.print(`report: ${await writeComparison(path, sides)}`);
  progress.print(`check again: ${checkAgainCommand(path)}`);
  if (junitFile !== undefined) copyJunit(junit, junitFile);
  return exitCodeOf(worstOf(verdicts));
}

function copyJunit(from: string, to: string): void {
  try {
    copyFileSync(from, to);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new StormError(`--junit ${to}: ${reason}; give a writable file`, { cause });
  }
}
