/** `storm merge`: the results of several campaigns' directories as those of one. */
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { StormError } from '../exit-code.ts';
import type { Services } from '../services.ts';
import { CODE_FIELD } from '../sim/code-version.ts';
import { type Cell, expandMatrix } from './cell.ts';
import { saveJunit } from './junit.ts';
import {
  CAMPAIGN_FILE,
  type CampaignHead,
  type CellResult,
  readCampaign,
  type SavedCampaign,
} from './results.ts';
import { printTable, tally } from './table.ts';
import { describeCounts, exitCodeOfMerge, worseVerdict } from './worst.ts';

export interface MergeRequest {
  readonly directories: readonly string[];
  /** Where the merged file goes. */
  readonly into: string;
  readonly junitFile: string | undefined;
}

/** Two results of one cell that do not agree. */
export interface Conflict {
  readonly id: string;
  /** In one line, with both directories. */
  readonly words: string;
}

export interface Merged {
  readonly head: CampaignHead;
  readonly cells: readonly Cell[];
  /** The worse one where two do not agree. */
  readonly results: ReadonlyMap<string, CellResult>;
  readonly conflicts: readonly Conflict[];
  /** Results of cells that are not in the matrix (any more). */
  readonly strays: number;
}

/**
 * {@link exitCodeOfMerge}, and not 0 when results of a cell do not agree. Rejects with
 * {@link StormError}: no campaign there, campaigns of different matrices, or `into` is in use.
 */
export async function mergeCommand(
  { progress }: Pick<Services, 'progress'>,
  request: MergeRequest,
): Promise<number> {
  const { directories, into } = request;
  const sources = directories.map((directory) => ({ directory, saved: openCampaign(directory) }));
  refuseToOverwrite(into, directories);
  const merged = mergeCampaigns(sources, into);
  saveMerged(into, merged);
  for (const { words } of merged.conflicts) progress.print(`merge: conflict: ${words}`);
  if (merged.strays > 0) {
    progress.print(`merge: ${merged.strays} results of cells not in the matrix are left out`);
  }
  const counts = printTable(progress, tally(merged.cells, merged.results));
  progress.print(`merge: ${describeCounts(counts)}, in ${join(into, CAMPAIGN_FILE)}`);
  if (request.junitFile !== undefined) saveJunit(request.junitFile, merged.cells, merged.results);
  const status = exitCodeOfMerge(counts);
  if (status !== 0 || merged.conflicts.length === 0) return status;
  return exitCodeOfMerge({ ...counts, unknown: merged.conflicts.length });
}

/** `sources` is not empty. Throws {@link StormError} if the matrices differ. */
export function mergeCampaigns(
  sources: readonly { readonly directory: string; readonly saved: SavedCampaign }[],
  into: string,
): Merged {
  const [first] = sources;
  if (first === undefined) throw new StormError('merge: no directories; give at least one');
  const { head } = first.saved;
  const wanted = JSON.stringify(head.matrix);
  const other = sources.find(({ saved }) => JSON.stringify(saved.head.matrix) !== wanted);
  if (other !== undefined) {
    throw new StormError(
      `merge: ${first.directory} and ${other.directory} are of different matrices;` +
        ' give shards of one',
    );
  }
  const cells = expandMatrix(head.matrix);
  const known = new Set(cells.map(({ id }) => id));
  const results = new Map<string, CellResult>();
  const origins = new Map<string, string>();
  const conflicts: Conflict[] = [];
  let strays = 0;
  for (const { directory, saved } of sources) {
    for (const found of saved.results.values()) {
      if (!known.has(found.id)) {
        strays += 1;
        continue;
      }
      const result = { ...found, runDirectory: movedTo(into, directory, found.runDirectory) };
      const before = results.get(result.id);
      const words = before === undefined ? undefined : disagreement(before, result);
      if (words !== undefined) {
        const both = `${origins.get(result.id)} and ${directory}`;
        conflicts.push({ id: result.id, words: `${result.id}: ${words} in ${both}` });
      }
      if (before !== undefined && !isWorse(before, result)) continue;
      results.set(result.id, result);
      origins.set(result.id, directory);
    }
  }
  return { head: { ...head, part: 'merged' }, cells, results, conflicts, strays };
}

function isWorse(before: CellResult, after: CellResult): boolean {
  return worseVerdict(before.verdict, after.verdict) !== before.verdict;
}

/** A run without a verdict disagrees with none. */
function disagreement(before: CellResult, after: CellResult): string | undefined {
  if (before.verdict === 'none' || after.verdict === 'none') return undefined;
  if (before.verdict !== after.verdict) return `${before.verdict} and ${after.verdict}`;
  const [some, other] = [versionOf(before), versionOf(after)];
  return some === other ? undefined : `of ${some ?? 'no version'} and ${other ?? 'no version'}`;
}

/** What ran as the members: of ours the code, of etcd what it says of itself. */
function versionOf({ target, versions }: CellResult): string | undefined {
  return target === 'stormraft' ? versions[CODE_FIELD] : versions.target;
}

function movedTo(into: string, from: string, path: string | null): string | null {
  return path === null ? null : relative(resolve(into), resolve(from, path));
}

function openCampaign(directory: string): SavedCampaign {
  const saved = readCampaign(directory);
  if (saved !== undefined) return saved;
  throw new StormError(
    `merge ${directory}: no ${CAMPAIGN_FILE} there; give --runs-dir of storm run --matrix`,
  );
}

/** What a merge made may be made again; what a campaign made must stay. */
function refuseToOverwrite(into: string, directories: readonly string[]): void {
  const saved = readCampaign(into);
  if (saved === undefined || saved.head.part === 'merged') return;
  const words = directories.some((each) => resolve(each) === resolve(into))
    ? 'is one of the directories to merge'
    : 'has the results of a campaign';
  throw new StormError(`--into ${into}: ${words}; give another directory`);
}

/** As a whole: a reader never sees half of it. */
function saveMerged(into: string, { head, cells, results }: Merged): void {
  const found = cells.map(({ id }) => results.get(id)).filter((each) => each !== undefined);
  const text = [head, ...found].map((record) => `${JSON.stringify(record)}\n`).join('');
  const path = join(into, CAMPAIGN_FILE);
  try {
    mkdirSync(into, { recursive: true });
    writeFileSync(`${path}.new`, text);
    renameSync(`${path}.new`, path);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new StormError(`--into ${into}: ${reason}; give another directory`, { cause });
  }
}
