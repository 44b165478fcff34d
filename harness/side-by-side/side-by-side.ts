/**
 * The directory of one plan on several targets: a run directory for each, and
 *
 * side-by-side.json  which is which (format storm-side-by-side/1)
 * report.html        the comparison; made again by `check` and `report`
 * junit.xml          a suite for each run; made again by `check`
 */
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import type { Validity } from '../../checkers/checker.ts';
import type { Target } from '../cluster/cluster.ts';
import { checkAgainCommand } from '../command-line.ts';
import { StormError } from '../exit-code.ts';
import { junitXmlOf } from '../junit.ts';
import { loadRunRecord } from '../run-record.ts';
import { JUNIT_FILE, REPORT_FILE, RunDirectory } from '../store.ts';

export const SIDE_BY_SIDE_FORMAT = 'storm-side-by-side/1';
export const SIDE_BY_SIDE_FILE = 'side-by-side.json';

/** One of the runs. */
export interface SideRun {
  readonly name: string;
  readonly directory: RunDirectory;
}

export function isSideBySide(path: string): boolean {
  return existsSync(join(path, SIDE_BY_SIDE_FILE));
}

export function saveSides(path: string, runs: readonly SideRun[]): void {
  const listed = runs.map(({ name, directory }) => ({
    name,
    directory: relative(path, directory.path),
  }));
  saveText(path, SIDE_BY_SIDE_FILE, JSON.stringify({ format: SIDE_BY_SIDE_FORMAT, runs: listed }));
}

/** Throws {@link StormError} when the file is garbled or a run is missing. */
export function readSides(path: string): SideRun[] {
  const file = join(path, SIDE_BY_SIDE_FILE);
  let runs: unknown;
  try {
    const saved = JSON.parse(readFileSync(file, 'utf8')) as { format?: unknown; runs?: unknown };
    if (saved.format !== SIDE_BY_SIDE_FORMAT) {
      throw new Error(`field format: not ${SIDE_BY_SIDE_FORMAT}`);
    }
    ({ runs } = saved);
    if (!Array.isArray(runs) || runs.length === 0) throw new Error('field runs: no list');
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new StormError(`${file}: ${reason}; restore the file or run again`, { cause });
  }
  return (runs as readonly { readonly name: string; readonly directory: string }[]).map(
    ({ name, directory }) => ({
      name: String(name),
      directory: RunDirectory.open(resolve(path, String(directory))),
    }),
  );
}

/** Of judged runs. Its path. */
export async function writeComparison(path: string, sides: readonly SideRun[]): Promise<string> {
  const { renderComparison } = await import('../../reports/comparison/report.ts');
  const plan = sides[0]!.directory.readPlan();
  const runs = sides.map(({ name, directory }) => ({
    name,
    record: loadRunRecord(directory),
    href: `${relative(path, directory.path)}/${REPORT_FILE}`,
  }));
  const names = sides.map(({ name }) => name).join(' and ');
  const html = await renderComparison({
    title: `storm seed ${plan.seed}, ${plan.memberCount} members on ${plan.backend}: ${names}`,
    validity: worstOf(runs.map(({ record }) => record.validity)),
    commands: [{ what: 'check again', command: checkAgainCommand(path) }],
    runs,
  });
  saveText(path, REPORT_FILE, html);
  return join(path, REPORT_FILE);
}

/** Of judged runs. Its path. */
export function writeJunit(path: string, sides: readonly SideRun[]): string {
  const runs = sides.map(({ name, directory }) => ({
    target: name,
    plan: directory.readPlan(),
    outcome: directory.readOutcome(),
    verdict: directory.readVerdict(),
  }));
  saveText(path, JUNIT_FILE, junitXmlOf(runs));
  return join(path, JUNIT_FILE);
}

/** Wrong in one is wrong; proven is only what is proven in all. */
export function worstOf(validities: readonly Validity[]): Validity {
  if (validities.includes('invalid')) return 'invalid';
  return validities.includes('unknown') ? 'unknown' : 'valid';
}

/** Short names, no two the same: `stormraft`, `etcd`; several etcds by their paths or images. */
export function nameTargets(targets: readonly Target[]): string[] {
  return targets.map((target) => {
    const { kind } = target;
    const isOnly = targets.filter((other) => other.kind === kind).length === 1;
    if (target.kind !== 'etcd' || isOnly) return kind;
    return `etcd ${target.image ?? target.path}`;
  });
}

function saveText(path: string, name: string, text: string): void {
  const temporary = join(path, `${name}.new`);
  try {
    writeFileSync(temporary, text);
    renameSync(temporary, join(path, name));
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new StormError(`${join(path, name)}: ${reason}`, { cause });
  }
}
