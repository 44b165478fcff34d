/** `storm check DIR` and `storm report DIR`: a saved run, judged or shown again. */
import { exitCodeOf } from '../exit-code.ts';
import type { Services } from '../services.ts';
import { checkSideBySide, reportSideBySide } from '../side-by-side/run-side-by-side.ts';
import { isSideBySide } from '../side-by-side/side-by-side.ts';
import { checkRun } from '../stages/check.ts';
import { writeReport } from '../stages/report.ts';
import { RunDirectory } from '../store.ts';

/** Rewrites verdict, JUnit file and report; exit status by verdict. */
export async function checkCommand(services: Services, path: string): Promise<number> {
  if (isSideBySide(path)) return checkSideBySide(services, path);
  const directory = RunDirectory.open(path);
  const verdict = checkRun(directory, services.workload, services.progress);
  services.progress.print(`report: ${await writeReport(services, directory)}`);
  return exitCodeOf(verdict.validity);
}

/** Rewrites the report only; exit status by the saved verdict. */
export async function reportCommand(services: Services, path: string): Promise<number> {
  if (isSideBySide(path)) return reportSideBySide(services, path);
  const directory = RunDirectory.open(path);
  services.progress.print(`report: ${await writeReport(services, directory)}`);
  return exitCodeOf(directory.readVerdict().validity);
}
