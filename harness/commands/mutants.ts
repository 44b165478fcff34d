/**
 * `storm mutants`: how many planted bugs does the harness find? Those of the server are hunted
 * in simulation, those of the checkers by the checkers' own tests. A harness that finds none of
 * them proves nothing when it says `valid`.
 */
import { rmSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { StormError } from '../exit-code.ts';
import type { CheckerMutant } from '../mutants/checker-catalogue.ts';
import { type Hunt, hunt } from '../mutants/hunt.ts';
import { type CheckerHunt, huntCheckerMutants } from '../mutants/hunt-checkers.ts';
import type { Mutant } from '../mutants/mutant.ts';
import { checkerTable, describeHunts, describeShrinking, serverTable } from '../mutants/table.ts';
import { RUN_DEFAULTS } from '../options.ts';
import type { Services } from '../services.ts';
import { SHRINK_RUNS_MAX } from '../sim/shrink.ts';

export interface MutantsRequest {
  readonly mutants: readonly Mutant[];
  readonly checkerMutants: readonly CheckerMutant[];
  readonly seedFrom: number;
  readonly seedsMax: number;
  readonly cpuMinutesMax: number;
  readonly jobs: number;
  /** Failing simulations are made smaller. */
  readonly shrinks: boolean;
  /** Where the table goes; undefined: nowhere. */
  readonly tableFile: string | undefined;
}

/** Of the bugs, at least this share must be found. */
const SERVER_SHARE_LEAST = 0.95;
const CHECKER_SHARE_LEAST = 0.9;

/** 0: enough of them were found; 1: not. */
export async function mutantsCommand(services: Services, request: MutantsRequest): Promise<number> {
  const parent = await mkdtemp(join(tmpdir(), 'storm-mutants-'));
  // Also when the process is told twice to stop, and does so at once.
  process.once('exit', () => rmSync(parent, { recursive: true, force: true }));
  try {
    const hunts = await huntServers(services, request, parent);
    const checkerHunts = await huntCheckers(services, request, parent);
    tell(services, hunts, checkerHunts);
    if (request.tableFile !== undefined) {
      await saveTable(request.tableFile, tables(hunts, checkerHunts));
      services.progress.print(`table: ${request.tableFile}`);
    }
    const isEnough =
      isShareFound(hunts, SERVER_SHARE_LEAST) && isShareFound(checkerHunts, CHECKER_SHARE_LEAST);
    return isEnough ? 0 : 1;
  } finally {
    await rm(parent, { recursive: true, force: true });
  }
}

async function huntServers(
  services: Services,
  request: MutantsRequest,
  parent: string,
): Promise<Hunt[]> {
  const { progress, clock, signal } = services;
  const hunts: (Hunt | undefined)[] = request.mutants.map(() => undefined);
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < request.mutants.length && !signal.aborted) {
      const at = next++;
      const shrinkRunsMax = request.shrinks ? SHRINK_RUNS_MAX : 0;
      const { root } = RUN_DEFAULTS;
      const options = { ...request, shrinkRunsMax, root, parent, signal, clock };
      const found = await hunt(request.mutants[at]!, options);
      hunts[at] = found;
      if (!signal.aborted) progress.print(describeHunt(found));
    }
  };
  await Promise.all(Array.from({ length: request.jobs }, work));
  if (signal.aborted) throw new StormError('interrupted before all mutants were hunted');
  return hunts.filter((each) => each !== undefined);
}

function describeHunt({ mutant, result, seeds, cpuS }: Hunt): string {
  const effort = `${seeds} seeds, ${cpuS.toFixed(1)} CPU s`;
  switch (result.type) {
    case 'killed': {
      const { shrunk } = result;
      const small =
        shrunk === undefined ? '' : `; shrunk to ${shrunk.operations} ops, ${shrunk.faults} faults`;
      return `mutant ${mutant.name}: found by ${result.by} after ${effort}${small}`;
    }
    case 'survived':
      return `mutant ${mutant.name}: survived ${effort}: ${mutant.story}`;
    case 'broken':
      return `mutant ${mutant.name}: not planted: ${result.detail}`;
    default:
      return result satisfies never;
  }
}

async function huntCheckers(
  { progress, signal, clock }: Services,
  { checkerMutants: mutants }: MutantsRequest,
  parent: string,
): Promise<readonly CheckerHunt[]> {
  if (mutants.length === 0) return [];
  return huntCheckerMutants({
    root: RUN_DEFAULTS.root,
    mutants,
    parent,
    signal,
    clock,
    onProgress: ({ mutant, result }) => {
      const outcome = result.type === 'killed' ? `found by ${result.by}` : result.type;
      progress.print(`checker mutant ${mutant.name}: ${outcome}`);
    },
  });
}

function tell(
  { progress }: Services,
  hunts: readonly Hunt[],
  checkerHunts: readonly CheckerHunt[],
): void {
  if (hunts.length > 0) progress.print(`server mutants: ${describeHunts(hunts)}`);
  const shrinking = describeShrinking(hunts);
  if (shrinking !== undefined) progress.print(`shrinking: ${shrinking}`);
  if (checkerHunts.length === 0) return;
  const killed = checkerHunts.filter(({ result }) => result.type === 'killed').length;
  progress.print(`checker mutants: ${killed} of ${checkerHunts.length} found`);
}

function tables(hunts: readonly Hunt[], checkerHunts: readonly CheckerHunt[]): string {
  const parts: string[] = [];
  if (hunts.length > 0) parts.push(`${describeHunts(hunts)}.`, serverTable(hunts));
  if (checkerHunts.length > 0) parts.push('## Of the checkers', checkerTable(checkerHunts));
  return `${parts.join('\n\n')}\n`;
}

async function saveTable(path: string, text: string): Promise<void> {
  try {
    await writeFile(path, text);
  } catch (error) {
    throw new StormError(`--table ${path}: ${String(error)}; give a writable file`, {
      cause: error,
    });
  }
}

function isShareFound(
  hunts: readonly { readonly result: { readonly type: string } }[],
  least: number,
): boolean {
  const killed = hunts.filter(({ result }) => result.type === 'killed').length;
  return killed >= least * hunts.length;
}
