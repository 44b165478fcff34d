/** What the operations share: the state of one mounted disk, and the shape of their answers. */

import type { BigIntStats } from 'node:fs';
import { constants as osConstants } from 'node:os';
import { performance } from 'node:perf_hooks';
import type { PowerLoss, PowerLossReport } from '../../cluster/cluster.ts';
import { seededRandom } from '../../seeded-random.ts';
import { DiskFaults } from '../disk-faults.ts';
import { InodeTable } from '../inode-table.ts';
import type { DirectoryEntry } from '../protocol/reply.ts';
import { SyncGate, waitAtLeast } from '../sync-gate.ts';
import { UndoJournal } from '../undo/undo-journal.ts';
import type { DiskState } from './state-directory.ts';

/**
 * Operations answer with the bytes of a whole reply, or throw the error of the system call on
 * the backing directory, whose errno then is the reply.
 *
 * All but the syncs call the backing synchronously: they end in the page cache, take microseconds
 * and so stay in the order in which the kernel asked. A sync waits for the device and is async.
 */
export type Reply = Buffer;

export interface OpenDirectory {
  readonly fd: number;
  /** Read at offset 0, so that one listing stays consistent while entries come and go. */
  entries: readonly DirectoryEntry[];
}

export interface Disk {
  readonly inodes: InodeTable;
  /** By handle. File handles need no table: they are descriptors of the backing file. */
  readonly directories: Map<number, OpenDirectory>;
  readonly gate: SyncGate;
  readonly faults: DiskFaults;
  /** Undefined: nothing can be undone here, so the power cannot fail. */
  readonly journal: UndoJournal | undefined;
  /** From then on nothing is answered any more. */
  powerFailed: boolean;
}

export const ERRNO: typeof osConstants.errno = osConstants.errno;

/** `state`: what the disk keeps beside its files; without one it forgets with its process. */
export function openDisk(backing: string, fsyncDelayMs: number, state?: DiskState): Disk {
  const tally = state?.readTally() ?? { stalled: 0, refused: 0, lied: 0 };
  return {
    inodes: new InodeTable(backing),
    directories: new Map(),
    gate: new SyncGate(fsyncDelayMs),
    faults: new DiskFaults({ wait: waitAtLeast }, tally, state?.writeTally),
    journal: state && new UndoJournal(state.keepDirectory, () => performance.now()),
    powerFailed: false,
  };
}

/**
 * Takes what was not synced and answers nothing from then on: whoever uses the disk hangs until it
 * is killed. Undefined if this disk cannot.
 */
export function failPower(disk: Disk, loss: PowerLoss): PowerLossReport | undefined {
  if (disk.journal === undefined || disk.powerFailed) return undefined;
  disk.powerFailed = true;
  return disk.journal.powerLoss(loss, seededRandom(loss.seed));
}

/** `stats` without the links that are ours. */
export function ownLinks(disk: Disk, stats: BigIntStats): BigIntStats {
  const kept = disk.journal?.names.keptLinks(`${stats.dev}:${stats.ino}`) ?? 0;
  if (kept > 0) stats.nlink -= BigInt(kept);
  return stats;
}

/**
 * Runs `create` without a umask of our own: the kernel has applied the caller's to the mode. Put
 * back at once, since the server is spawned with it.
 */
export function withoutUmask<Value>(create: () => Value): Value {
  const umask = process.umask(0);
  try {
    return create();
  } finally {
    process.umask(umask);
  }
}
