/** Does the same operations in two directories and compares; see `fsx.ts`. */

import { lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { seededRandom } from '../../harness/seeded-random.ts';
import {
  closeAll,
  drawOperation,
  equalOutcomes,
  type Operation,
  outcomeOf,
  type Place,
  summary,
} from './fsx-operations.ts';
import { compareMapped } from './mapped.ts';

export interface FsxOptions {
  readonly operations: number;
  readonly seed: number;
  /** Operations between two comparisons of the whole trees. */
  readonly checkEvery: number;
  readonly onProgress: (line: string) => void;
}

export interface FsxResult {
  /** Undefined: there was none. */
  readonly difference: string | undefined;
  readonly operations: number;
  /** Of those, how many were not refused. */
  readonly succeeded: number;
  /** Comparisons of the whole trees, and of mapped files (0: no python3 to map them with). */
  readonly checks: number;
  readonly mappedChecks: number;
  readonly diskPerSecond: number;
  readonly plainPerSecond: number;
}

/** `disk` shows `backing`; `plain` has nothing to do with either. All are empty. */
export function compareDirectories(
  roots: { readonly disk: string; readonly plain: string; readonly backing: string },
  options: FsxOptions,
): FsxResult {
  const random = seededRandom(options.seed);
  const places = [roots.disk, roots.plain].map(
    (root): Place => ({ directory: join(root, 'fsx'), handles: new Map() }),
  );
  const [disk, plain] = places as [Place, Place];
  const spentMs = { disk: 0, plain: 0 };
  const counts = { operations: 0, succeeded: 0, checks: 0, mappedChecks: 0 };
  const result = (difference?: string): FsxResult => ({
    difference: difference && `seed ${options.seed}, operation ${counts.operations}: ${difference}`,
    ...counts,
    diskPerSecond: Math.round((1000 * counts.operations) / spentMs.disk),
    plainPerSecond: Math.round((1000 * counts.operations) / spentMs.plain),
  });
  for (const { directory } of places) mkdirSync(directory);
  while (counts.operations < options.operations) {
    const operation = drawOperation(random);
    counts.operations++;
    const difference = doBoth(operation, disk, plain, spentMs, counts);
    if (difference !== undefined) return result(difference);
    if (counts.operations % options.checkEvery > 0) continue;
    const seen = checkTrees(roots) ?? compareMapped(roots, random.below(2 ** 32));
    if (typeof seen === 'string') return result(seen);
    counts.checks++;
    if (seen) counts.mappedChecks++;
    if (counts.checks % 10 === 0) options.onProgress(describe(result()));
  }
  for (const place of places) closeAll(place);
  const difference = checkTrees(roots);
  for (const { directory } of places) rmSync(directory, { recursive: true });
  options.onProgress(`equal: ${describe(result(difference))}`);
  return result(difference);
}

function doBoth(
  operation: Operation,
  disk: Place,
  plain: Place,
  spentMs: { disk: number; plain: number },
  counts: { succeeded: number },
): string | undefined {
  const startMs = performance.now();
  const onDisk = outcomeOf(operation, disk);
  const betweenMs = performance.now();
  const onPlain = outcomeOf(operation, plain);
  spentMs.disk += betweenMs - startMs;
  spentMs.plain += performance.now() - betweenMs;
  if (!(typeof onPlain === 'string' && /^(refused|not open)/.test(onPlain))) counts.succeeded++;
  if (equalOutcomes(onDisk, onPlain)) return undefined;
  return `${operation.words}: ${show(onDisk)} on the disk, ${show(onPlain)} on the plain one`;
}

/** What differs between the disk, what lies behind it, and the plain directory. */
function checkTrees(roots: { disk: string; plain: string; backing: string }): string | undefined {
  const [disk, plain, backing] = [roots.disk, roots.plain, roots.backing].map((root) =>
    readTree(join(root, 'fsx')),
  );
  for (const [name, tree] of Object.entries({ disk, backing })) {
    const paths = new Set([...tree!.keys(), ...plain!.keys()]);
    for (const path of paths) {
      const [found, wanted] = [tree!.get(path), plain!.get(path)];
      if (found?.words !== wanted?.words) {
        // What lies behind has links of the disk's own, to what was removed and not synced.
        if (name === 'backing' && sameButLinks(found?.words, wanted?.words)) continue;
        return `${path} in the ${name} is ${found?.words}, plain ${wanted?.words}`;
      }
      if (found !== undefined && !found.content.equals(wanted!.content)) {
        return `${path} in the ${name} has another content than in the plain directory`;
      }
    }
  }
  return undefined;
}

function sameButLinks(found: string | undefined, wanted: string | undefined): boolean {
  const stripped = [found, wanted].map((words) => words?.replace(/links \d+/, ''));
  return stripped[0] !== undefined && stripped[0] === stripped[1];
}

function readTree(root: string): Map<string, { words: string; content: Buffer }> {
  const tree = new Map<string, { words: string; content: Buffer }>();
  for (const name of readdirSync(root, { recursive: true, encoding: 'utf8' })) {
    const path = join(root, name);
    const stats = lstatSync(path);
    const words = summary(stats);
    if (stats.isFile()) tree.set(name, { words, content: readFileSync(path) });
    else if (stats.isSymbolicLink())
      tree.set(name, { words, content: Buffer.from(readlinkSync(path)) });
    else tree.set(name, { words, content: Buffer.alloc(0) });
  }
  return tree;
}

function show(outcome: unknown): string {
  return (Buffer.isBuffer(outcome) ? outcome.toString('hex') : String(outcome)).slice(0, 120);
}

function describe(result: FsxResult): string {
  const { operations, succeeded, checks, mappedChecks, diskPerSecond, plainPerSecond } = result;
  return [
    `${operations} operations (${succeeded} not refused)`,
    `${checks} comparisons of the trees, ${mappedChecks} of mapped files`,
    `disk ${diskPerSecond}/s, native ${plainPerSecond}/s`,
    `ratio ${(diskPerSecond / plainPerSecond).toFixed(2)}`,
  ].join('; ');
}
