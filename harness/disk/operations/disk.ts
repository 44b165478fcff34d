/** What the operations share: the state of one mounted disk, and the shape of their answers. */

import { constants as osConstants } from 'node:os';
import { InodeTable } from '../inode-table.ts';
import type { DirectoryEntry } from '../protocol/reply.ts';
import { SyncGate } from '../sync-gate.ts';

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
}

export const ERRNO: typeof osConstants.errno = osConstants.errno;

export function openDisk(backing: string, fsyncDelayMs: number): Disk {
  return {
    inodes: new InodeTable(backing),
    directories: new Map(),
    gate: new SyncGate(fsyncDelayMs),
  };
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
