/** How long synced appends take, in a directory, or in two of them in turns. */

import { closeSync, fdatasyncSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';

const APPENDED_BYTES = 2048;

/** In ms, each. */
export function timeSyncs(directory: string, count: number): number[] {
  const fd = openSync(join(directory, 'measured'), 'a');
  const bytes = Buffer.alloc(APPENDED_BYTES, 'x');
  const took = Array.from({ length: count }, () => {
    const startMs = performance.now();
    writeSync(fd, bytes);
    fdatasyncSync(fd);
    return performance.now() - startMs;
  });
  closeSync(fd);
  return took;
}

export interface Compared {
  readonly nativeP50Ms: number;
  readonly mountedP50Ms: number;
  /** Throughput on the mounted directory, of what the native one has. */
  readonly ratio: number;
}

/**
 * One append here, one there, the first one in turns, `count` of each: whatever else the disk does
 * meets both. The ratio is of medians: a mean is made by the few syncs that wait for a write-back
 * of somebody else's, and they fall on either side.
 */
export function compareSyncs(native: string, mounted: string, count: number): Compared {
  // The first append of a file also makes the file.
  for (const directory of [native, mounted]) timeSyncs(directory, 1);
  const took: [number[], number[]] = [[], []];
  const directories = [native, mounted] as const;
  for (let round = 0; round < count; round++) {
    for (const turn of [round % 2, 1 - (round % 2)] as const) {
      took[turn as 0 | 1].push(...timeSyncs(directories[turn as 0 | 1], 1));
    }
  }
  const [nativeP50Ms, mountedP50Ms] = took.map(medianOf) as [number, number];
  return { nativeP50Ms, mountedP50Ms, ratio: nativeP50Ms / mountedP50Ms };
}

export function medianOf(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? Number.NaN;
}
