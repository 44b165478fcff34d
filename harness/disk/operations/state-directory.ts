/**
 * What a disk keeps beside its files, on the same file system: `kept/`, what removals would
 * destroy, and `tally.json`, the faults met so far, which outlives the disk's process: a member
 * that stops at a refused write takes its disk along.
 */

import { mkdirSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { DiskFaultTally } from '../../cluster/cluster.ts';

/** The file is written in place: always as long as this, so that nothing of an old one is left. */
const TALLY_BYTES = 256;

/** JSON of a `DiskFault`. */
export const NEXT_FAULT = 'next-fault.json';

const NO_TALLY: DiskFaultTally = { stalled: 0, refused: 0, lied: 0, rotten: 0 };

export interface DiskState {
  readonly keepDirectory: string;
  readTally(): DiskFaultTally;
  readonly writeTally: (tally: DiskFaultTally) => void;
}

/** Makes the directory if need be. */
export function openState(directory: string): DiskState {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const before = readTallyOf(directory);
  const fd = openSync(join(directory, 'tally.json'), 'w', 0o600);
  const writeTally = (tally: DiskFaultTally): void => {
    writeSync(fd, JSON.stringify(tally).padEnd(TALLY_BYTES), 0);
  };
  writeTally(before);
  return { keepDirectory: join(directory, 'kept'), readTally: () => before, writeTally };
}

/**
 * A fault that somebody has left for the disk's next start, and for that one only; undefined where
 * there is none. A disk that has just started can be told of one too late.
 */
export function takeNextFault(directory: string): string | undefined {
  const file = join(directory, NEXT_FAULT);
  try {
    const fault = readFileSync(file, 'utf8');
    rmSync(file);
    return fault;
  } catch {
    return undefined;
  }
}

/** All zero where no disk has counted yet. */
export function readTallyOf(directory: string): DiskFaultTally {
  try {
    return parseTally(readFileSync(join(directory, 'tally.json'), 'utf8'));
  } catch {
    return NO_TALLY;
  }
}

/** All zero for anything but a tally. */
export function parseTally(text: string): DiskFaultTally {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return NO_TALLY;
  }
  if (typeof parsed !== 'object' || parsed === null) return NO_TALLY;
  const count = (field: keyof DiskFaultTally): number => {
    const value: unknown = Reflect.get(parsed, field);
    return typeof value === 'number' ? value : 0;
  };
  return {
    stalled: count('stalled'),
    refused: count('refused'),
    lied: count('lied'),
    rotten: count('rotten'),
  };
}
