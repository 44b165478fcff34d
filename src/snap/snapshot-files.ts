import { type Disk, DiskError } from '../ports/disk.ts';
import type { SnapshotMeta } from '../raft/message.ts';
import { type OpenCheckpoint, openCheckpoint } from './checkpoint-file.ts';
import { readDatabase } from './read-checkpoint.ts';
import { RECEIVED_SUFFIX, receivedName } from './received-name.ts';

/** Snapshots between the network and the directory that holds the checkpoint. */

/** The newest checkpoint on disk; what it is, is said by the file and not by who asks. */
export interface SnapshotSource {
  open(): Promise<OpenCheckpoint>;
}

/** Where received snapshots go; `finish` resolves once the file is durable and sound. */
export interface SnapshotSink {
  create(meta: SnapshotMeta): Promise<ReceivingSnapshot>;
}

export interface ReceivingSnapshot {
  write(bytes: Uint8Array): Promise<void>;
  finish(): Promise<void>;
  abort(): Promise<void>;
}

/** Sends whatever checkpoint is the newest when the transfer begins. */
export function checkpointSource(disk: Disk, directory: string): SnapshotSource {
  return {
    async open() {
      const opened = await openCheckpoint(disk, directory);
      if (!opened.ok) throw new Error(`the checkpoint is damaged: ${opened.error.reason}`);
      if (opened.value === undefined) throw new Error('there is no checkpoint yet');
      return opened.value;
    },
  };
}

/**
 * Each transfer writes a file of its own, which gets the name that is installed only when it
 * is whole and sound: transfers that overlap or fail late cannot touch each other's files.
 */
export function checkpointSink(disk: Disk, directory: string): SnapshotSink {
  let transfers = 0;
  return {
    async create(meta) {
      await disk.makeDirectory(directory);
      transfers += 1;
      const part = `${directory}/${receivedName(meta)}.${transfers}${PART_SUFFIX}`;
      await removeIfThere(disk, part);
      return receivingFile(disk, { part, whole: `${directory}/${receivedName(meta)}` });
    },
  };
}

/** What transfers of an earlier life left behind; before any transfer of this one. */
export async function removeReceived(disk: Disk, directory: string): Promise<void> {
  await disk.makeDirectory(directory);
  for (const name of await disk.list(directory)) {
    const isPart = name.endsWith(PART_SUFFIX) || name.endsWith(`${PART_SUFFIX}.tmp`);
    if (!name.endsWith(RECEIVED_SUFFIX) && !isPart) continue;
    await removeIfThere(disk, `${directory}/${name}`);
  }
}

const PART_SUFFIX = '.part';

async function receivingFile(
  disk: Disk,
  { part, whole }: { readonly part: string; readonly whole: string },
): Promise<ReceivingSnapshot> {
  const file = await disk.open(part, 'create');
  let offset = 0;
  return {
    async write(bytes) {
      await file.writeAt(offset, bytes);
      offset += bytes.length;
    },
    async finish() {
      await file.datasync();
      // A damaged file must not get as far as being installed: that would stop the member.
      const checked = await readDatabase(file, part);
      if (!checked.ok) throw new Error(`received a damaged snapshot: ${checked.error.reason}`);
      await file.close();
      await disk.rename(part, whole);
    },
    async abort() {
      await file.close();
      await removeIfThere(disk, part);
    },
  };
}

async function removeIfThere(disk: Disk, path: string): Promise<void> {
  try {
    await disk.remove(path);
  } catch (error) {
    if (!(error instanceof DiskError) || error.code !== 'ENOENT') throw error;
  }
}
