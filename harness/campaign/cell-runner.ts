/**
 * A cell in a process of its own: its memory is gone when it ends, its bugs end nothing else, and
 * it may have a Docker daemon of its own. The process ends, and tears down, when this one does.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { closeSync, mkdirSync, openSync, rmSync } from 'node:fs';
import { join, relative } from 'node:path';
import { runAgainCommand } from '../command-line.ts';
import { EXIT_ENVIRONMENT } from '../exit-code.ts';
import { readLines } from '../line-file.ts';
import { CODE_FIELD, codeVersion } from '../sim/code-version.ts';
import { RunDirectory } from '../store.ts';
import type { Cell } from './cell.ts';
import type { CellOrder } from './cell-main.ts';
import { type DockerHost, hostEnvironment } from './docker-hosts.ts';

export interface CellJob {
  readonly cell: Cell;
  /** Of the campaign. */
  readonly directory: string;
  readonly host: DockerHost | undefined;
}

/** How a cell ended; `undefined` members: the run did not get as far. */
export interface CellEnd {
  readonly exitCode: number;
  readonly runDirectory: string | undefined;
  readonly versions: { readonly [name: string]: string };
  readonly again: string | undefined;
  readonly why: string;
}

export interface CellRunner {
  /** Never rejects for what happens to the run. An abort tears the cell down, then resolves. */
  run(job: CellJob, signal: AbortSignal): Promise<CellEnd>;
}

/** Where a cell's run directories and its output go. */
export function cellDirectory(campaign: string, { id }: Cell): string {
  return join(campaign, 'cells', id);
}

/** What the run would print, were it not for the campaign. */
const OUTPUT_FILE = 'output.log';
const ERRORS_FILE = 'errors.log';
/** The link that every runs directory has. */
const LATEST = 'latest';
/** Start, healing, final reads and checks, on a busy machine. */
const OVERHEAD_MS_MAX = 30 * 60_000;
/** After that long a tear-down is not waited for; sweeping is left to the next run. */
const TEAR_DOWN_MS_MAX = 60_000;
const WHY_CHARACTERS_MAX = 500;

/** Runs `storm run` in a process. */
export function forkedCells(): CellRunner {
  return { run: runForked };
}

async function runForked(job: CellJob, signal: AbortSignal): Promise<CellEnd> {
  const { cell, directory, host } = job;
  const here = cellDirectory(directory, cell);
  mkdirSync(here, { recursive: true });
  // An earlier try's run is not this one's.
  rmSync(join(here, LATEST), { force: true });
  const order: CellOrder = { options: { ...cell.options, runsDir: here }, host };
  // Files, not pipes: those would break with this process, in the middle of the tear-down.
  const files = [OUTPUT_FILE, ERRORS_FILE].map((name) => openSync(join(here, name), 'w'));
  let child: ChildProcess;
  try {
    // A group of its own: an interrupt from the terminal is for the campaign, which passes it on.
    child = fork(programPath(), [JSON.stringify(order)], {
      detached: true,
      env: { ...process.env, ...(host !== undefined && hostEnvironment(host)) },
      stdio: ['ignore', ...files, 'ipc'],
    });
  } finally {
    for (const file of files) closeSync(file);
  }
  const limitMs = Number(cell.options.timeLimit) * 1000 + OVERHEAD_MS_MAX;
  const ended = await endOf(child, limitMs, signal);
  return describeEnd(job, here, ended);
}

interface Ended {
  readonly exitCode: number;
  /** Why it was ended from here, or how it died. */
  readonly how: string;
}

function endOf(child: ChildProcess, limitMs: number, signal: AbortSignal): Promise<Ended> {
  return new Promise((resolve) => {
    let how = '';
    let lastResort: NodeJS.Timeout | undefined;
    const stop = (why: string): void => {
      if (how !== '') return;
      how = why;
      if (child.connected) child.disconnect();
      lastResort = setTimeout(() => child.kill('SIGKILL'), TEAR_DOWN_MS_MAX);
    };
    const onAbort = (): void => stop('interrupted');
    const timer = setTimeout(() => stop(`no end after ${limitMs / 1000} s`), limitMs);
    const finish = (ended: Ended): void => {
      clearTimeout(timer);
      clearTimeout(lastResort);
      signal.removeEventListener('abort', onAbort);
      resolve(ended);
    };
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort);
    child.on('error', ({ message }) => finish({ exitCode: EXIT_ENVIRONMENT, how: message }));
    child.on('close', (code, killedBy) => {
      // What was ended from here has no verdict, and nobody may take a crash for one.
      const isVerdict = how === '' && code !== null && code < EXIT_ENVIRONMENT;
      const exitCode = isVerdict ? code : EXIT_ENVIRONMENT;
      finish({ exitCode, how: how !== '' ? how : killedBy === null ? '' : `killed: ${killedBy}` });
    });
  });
}

function describeEnd(job: CellJob, here: string, { exitCode, how }: Ended): CellEnd {
  const run = tryTo(() => RunDirectory.open(join(here, LATEST)));
  const said = tryTo(() => lastLineOf(join(here, ERRORS_FILE))) ?? '';
  const complaint = [how, said.replace(/^storm: /, '')].filter((each) => each !== '');
  const found = run === undefined ? '' : (tryTo(() => findingsOf(run)) ?? '');
  const why = exitCode === EXIT_ENVIRONMENT ? complaint.join(': ') : exitCode === 0 ? '' : found;
  return {
    exitCode,
    runDirectory: run === undefined ? undefined : relative(job.directory, run.path),
    versions: run === undefined ? {} : versionsOf(run),
    again: run === undefined ? undefined : tryTo(() => runAgainCommand(run.readPlan())),
    why: why.replaceAll(/\s+/g, ' ').slice(0, WHY_CHARACTERS_MAX),
  };
}

const VERSIONS: readonly string[] = [
  'target',
  'target version',
  'backend',
  'node',
  'docker',
  'image',
  CODE_FIELD,
];

/** A path says little about an edited copy of this repository: the code does. */
function versionsOf(run: RunDirectory): { readonly [name: string]: string } {
  const known = (tryTo(() => run.readEnvironment()) ?? []).filter(({ name }) =>
    VERSIONS.includes(name),
  );
  const target = tryTo(() => run.readPlan())?.target;
  const code = target?.kind === 'stormraft' ? tryTo(() => codeVersion(target.root)) : undefined;
  return {
    ...(code !== undefined && { [CODE_FIELD]: code }),
    ...Object.fromEntries(known.map(({ name, value }) => [name, value])),
  };
}

/** Checks that found something, and why the run proves too little. */
function findingsOf(run: RunDirectory): string {
  const { checks, reasons } = run.readVerdict();
  const found = checks
    .filter(({ validity }) => validity !== 'valid')
    .map(({ name, evidence, summary }) => `${name}: ${evidence?.sentence ?? summary}`);
  return [...found, ...reasons].join('; ');
}

function lastLineOf(path: string): string {
  let last = '';
  for (const line of readLines(path)) last = line.trim() === '' ? last : line;
  return last;
}

/** Runs that were cut off lack files. */
function tryTo<Value>(read: () => Value): Value | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

/** `.ts` in the repository, `.js` in the package. */
function programPath(): string {
  return join(import.meta.dirname, `cell-main${import.meta.filename.slice(-3)}`);
}
