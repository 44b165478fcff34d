/**
 * Runs etcd's own end-to-end suite against this server: `node test/conformance/run.ts`. Ends
 * with 0 if nothing failed but what expected-failures.json gives a reason for.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import type { TestResult, Verdict } from './go-test-output.ts';
import { missingPackages } from './requirements.ts';
import { runSuite } from './run-suite.ts';
import { groupsOf, openWorkshop } from './workshop.ts';

const USAGE = `node test/conformance/run.ts [--run REGEX] [--folder FOLDER]
  --run REGEX      only the tests whose name matches
  --folder FOLDER  keep the compiled suite there for the next time
`;

type Reasons = Readonly<Record<string, string>>;

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      run: { type: 'string', default: '.' },
      folder: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(USAGE);
    return 0;
  }
  const missing = missingPackages();
  if (missing.length > 0) {
    process.stderr.write(`missing: apt-get install -y ${missing.join(' ')}\n`);
    return 2;
  }
  const folder = resolve(values.folder ?? mkdtempSync(join(tmpdir(), 'stormraft-conformance-')));
  mkdirSync(folder, { recursive: true });
  try {
    return await runIn(folder, new RegExp(values.run));
  } finally {
    if (values.folder === undefined) rmSync(folder, { recursive: true, force: true });
  }
}

async function runIn(folder: string, pattern: RegExp): Promise<number> {
  const workshop = openWorkshop(folder);
  const groups = groupsOf(workshop);
  const names = [...groups.keys()].filter((name) => pattern.test(name));
  const reasons: Reasons = JSON.parse(
    readFileSync(join(import.meta.dirname, 'expected-failures.json'), 'utf8'),
  );
  const results: TestResult[] = [];
  await runSuite(workshop, names, {
    onResult: (result) => {
      results.push(result);
      print(result, results.length, names.length);
    },
    isKnownToFail: (name) => reasons[name] !== undefined,
  });
  return summarize(results, groups, reasons);
}

function print({ name, verdict, seconds, output }: TestResult, nth: number, of: number): void {
  process.stdout.write(`${nth}/${of} ${verdict} ${name} (${seconds.toFixed(1)} s)\n`);
  if (verdict !== 'failed') return;
  for (const line of output.slice(-LINES_SHOWN_MAX)) {
    process.stdout.write(`    ${line.slice(0, LINE_CHARS_MAX)}\n`);
  }
}

/** Enough to see what was expected and what came. */
const LINES_SHOWN_MAX = 20;
const LINE_CHARS_MAX = 2_000;

/** The exit code: 1 if something failed without a known reason. */
function summarize(
  results: readonly TestResult[],
  groups: ReadonlyMap<string, string>,
  reasons: Reasons,
): number {
  const rows = new Map<string, TestResult[]>();
  for (const result of results) {
    const group = groups.get(result.name) ?? 'other';
    rows.set(group, [...(rows.get(group) ?? []), result]);
  }
  process.stdout.write(`\n${row('group', ['passed', 'failed', 'skipped', 'total'])}\n`);
  for (const [group, members] of [...rows].sort(([a], [b]) => (a < b ? -1 : 1))) {
    process.stdout.write(`${row(group, countsOf(members))}\n`);
  }
  process.stdout.write(`${row('all', countsOf(results))}\n`);
  const failed = results.filter(({ verdict }) => verdict === 'failed');
  const surprises = failed.filter(({ name }) => reasons[name] === undefined);
  if (failed.length > 0) process.stdout.write('\nfailed:\n');
  for (const { name } of failed) {
    process.stdout.write(`  ${name}: ${reasons[name] ?? 'NOT EXPECTED'}\n`);
  }
  const better = results.filter(
    ({ name, verdict }) => verdict === 'passed' && reasons[name] !== undefined,
  );
  for (const { name } of better) process.stdout.write(`  ${name} passed: its reason is outdated\n`);
  const seconds = results.reduce((sum, result) => sum + result.seconds, 0);
  process.stdout.write(`\n${seconds.toFixed(0)} s; ${surprises.length} unexpected failures\n`);
  return surprises.length > 0 ? 1 : 0;
}

function countsOf(results: readonly TestResult[]): string[] {
  const count = (wanted: Verdict) => results.filter(({ verdict }) => verdict === wanted).length;
  return [count('passed'), count('failed'), count('skipped'), results.length].map(String);
}

function row(name: string, cells: readonly string[]): string {
  return name.padEnd(24) + cells.map((cell) => cell.padStart(8)).join('');
}

process.exitCode = await main();
