/**
 * Plants every bug of the checkers in a copy of them and runs their tests there: a test has to
 * fail, or nobody would notice the same mistake in the checkers themselves, and verdicts would
 * mean nothing.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { basename, join, relative } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { assert } from '../../src/lib/assert.ts';
import type { Clock } from '../../src/ports/clock.ts';
import { StormError } from '../exit-code.ts';
import type { CheckerMutant } from './checker-catalogue.ts';
import type { Edit } from './mutant.ts';

export interface CheckerHunt {
  readonly mutant: CheckerMutant;
  readonly result: CheckerHuntResult;
}

export type CheckerHuntResult =
  /** `by` is the first test that failed, as file and name; `seconds` of the whole run. */
  | { readonly type: 'killed'; readonly by: string; readonly seconds: number }
  | { readonly type: 'survived' }
  /** No test judged the mutant, e.g. because it cannot be loaded: neither found nor missed. */
  | { readonly type: 'broken'; readonly reason: string };

export interface CheckerHuntOptions {
  /** The repository. */
  readonly root: string;
  readonly mutants: readonly CheckerMutant[];
  /** Directory below which the copy is made; it is removed in the end. */
  readonly parent: string;
  readonly signal: AbortSignal;
  readonly clock: Clock;
  /** After each mutant. */
  readonly onProgress: (hunt: CheckerHunt) => void;
}

/** What the checkers and their tests are made of. */
const COPIED = ['checkers', 'src', 'workloads', 'test/checkers', 'test/support', 'package.json'];

const TESTS = 'test/checkers';

/** One run takes a few seconds; a mutant that searches without end is not waited for. */
const RUN_MS_MAX = 120_000;

const LAST_WORDS_CHARS = 500;

/**
 * One hunt per mutant, in their order. Rejects with {@link StormError} if the tests fail on the
 * checkers as they are, or an edit does not fit, and with the signal's reason when it is aborted.
 */
export async function huntCheckerMutants(
  options: CheckerHuntOptions,
): Promise<readonly CheckerHunt[]> {
  const copy = await copyOf(options.root, options.parent);
  try {
    const untouched = await runTests(copy, options);
    if (untouched.type !== 'survived') {
      const reason = untouched.type === 'killed' ? untouched.by : untouched.reason;
      throw new StormError(`the tests of the checkers fail without any mutant: ${reason}`);
    }
    const hunts: CheckerHunt[] = [];
    for (const mutant of options.mutants) {
      const hunt = { mutant, result: await huntOne(mutant, copy, options) };
      hunts.push(hunt);
      options.onProgress(hunt);
    }
    return hunts;
  } finally {
    await rm(copy, { recursive: true, force: true });
  }
}

async function huntOne(
  mutant: CheckerMutant,
  copy: string,
  options: CheckerHuntOptions,
): Promise<CheckerHuntResult> {
  const originals = new Map<string, string>();
  for (const { file } of mutant.edits) {
    const path = join(copy, file);
    originals.set(path, await readFile(path, 'utf8'));
  }
  try {
    for (const edit of mutant.edits) {
      const path = join(copy, edit.file);
      await writeFile(path, edited(await readFile(path, 'utf8'), edit, mutant.name));
    }
    return await runTests(copy, options);
  } finally {
    for (const [path, text] of originals) await writeFile(path, text);
  }
}

/** `text` with the edit made; throws {@link StormError} unless it fits exactly once. */
function edited(text: string, edit: Edit, name: string): string {
  const places = text.split(edit.find).length - 1;
  if (places !== 1) {
    throw new StormError(`mutant ${name}: its edit fits ${places} places in ${edit.file}, not 1`);
  }
  return text.replace(edit.find, () => edit.replace);
}

async function copyOf(root: string, parent: string): Promise<string> {
  const copy = await mkdtemp(join(parent, 'checkers-'));
  await mkdir(join(copy, 'test'));
  // The types are not checked there, and projects that are not copied must not be looked for.
  const filter = (path: string): boolean => !basename(path).startsWith('tsconfig');
  for (const name of COPIED) {
    await cp(join(root, name), join(copy, name), { recursive: true, filter });
  }
  await writeFile(join(copy, 'tsconfig.json'), '{}\n');
  await symlink(join(root, 'node_modules'), join(copy, 'node_modules'));
  return copy;
}

async function runTests(
  copy: string,
  { clock, signal }: CheckerHuntOptions,
): Promise<CheckerHuntResult> {
  signal.throwIfAborted();
  const report = join(copy, 'report.json');
  await rm(report, { force: true });
  const startNs = clock.nowNs();
  const parameters = [
    join(copy, 'node_modules/vitest/vitest.mjs'),
    'run',
    `--root=${copy}`,
    `--dir=${TESTS}`,
    '--reporter=json',
    `--outputFile=${report}`,
    '--bail=1',
    // No less than the whole run's: a slow machine must not pass for a test that failed.
    `--testTimeout=${RUN_MS_MAX}`,
    // Its caches would be those of the repository, whose packages these are.
    '--cache=false',
    '--fsModuleCache=false',
    // One process, so that killing it leaves nothing behind; one test file at a time, so that
    // the first test to fail is always the same.
    '--pool=threads',
    '--no-isolate',
    '--no-file-parallelism',
  ];
  const child = spawn(process.execPath, parameters, {
    cwd: copy,
    stdio: ['ignore', 'ignore', 'pipe'],
    signal,
    timeout: RUN_MS_MAX,
    killSignal: 'SIGKILL',
  });
  const end = await endOf(child);
  signal.throwIfAborted();
  if (end.killed) return broken(`not over within ${RUN_MS_MAX / 1_000} s`);
  const seconds = (clock.nowNs() - startNs) / 1e9;
  return resultOf(await readReport(report), { ...end, copy, seconds });
}

interface End {
  readonly code: number | null;
  /** By the time limit. */
  readonly killed: boolean;
  readonly lastWords: string;
}

async function endOf(child: ChildProcess): Promise<End> {
  let lastWords = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    lastWords = (lastWords + chunk.toString()).slice(-LAST_WORDS_CHARS);
  });
  const code = await new Promise<number | null>((resolve) => {
    // An abort is an `error`, too; `close` follows it, and one that cannot start has no other.
    child.on('error', (cause) => {
      lastWords = cause.message;
      if (child.pid === undefined) resolve(null);
    });
    child.on('close', resolve);
  });
  return { code, killed: child.killed, lastWords };
}

/** The part that is needed of the JSON reporter's file. */
interface Report {
  readonly success: boolean;
  readonly numPassedTests: number;
  readonly testResults: readonly {
    /** Path of the file. */
    readonly name: string;
    readonly status: string;
    readonly message?: string;
    readonly assertionResults: readonly { readonly status: string; readonly fullName: string }[];
  }[];
}

async function readReport(path: string): Promise<Report | undefined> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch {
    // Without a report the run itself failed, and its last words say why.
    return undefined;
  }
  const report: Report = JSON.parse(text);
  assert(Array.isArray(report.testResults), 'a report lists its test files');
  return report;
}

function resultOf(
  report: Report | undefined,
  run: End & { readonly copy: string; readonly seconds: number },
): CheckerHuntResult {
  const { code, lastWords, seconds } = run;
  if (report === undefined) return broken(lastWords || `vitest ended with ${code}`);
  const { testResults: files } = report;
  if (files.length === 0) return broken('no test was found');
  for (const file of files) {
    const failed = file.assertionResults.find((test) => test.status === 'failed');
    if (failed === undefined) continue;
    const by = `${relative(run.copy, file.name)}: ${failed.fullName}`;
    return { type: 'killed', by, seconds };
  }
  if (code === 0 && report.success && report.numPassedTests > 0) return { type: 'survived' };
  const unloaded = files.find((file) => file.status === 'failed')?.message;
  return broken(unloaded || lastWords || `vitest ended with ${code}`);
}

function broken(words: string): CheckerHuntResult {
  const line = stripVTControlCharacters(words).replaceAll(/\s+/g, ' ').trim();
  return { type: 'broken', reason: line.slice(0, LAST_WORDS_CHARS) };
}
