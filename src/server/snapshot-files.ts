import { join } from 'node:path';
import { type Disk, DiskError } from '../ports/disk.ts';
import { openCheckpoint } from '../snap/checkpoint-file.ts';
import { readDatabase } from '../snap/read-checkpoint.ts';
import { RECEIVED_SUFFIX, receivedName } from '../snap/received-name.ts';
import type {
  ReceivingSnapshot,
  SnapshotSink,
  SnapshotSource,
} from '../transport/snapshot-transfer.ts';

/** Snapshots between the network and the directory that holds the checkpoint. */

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

/** A file of its own until it is installed; at most one is kept, for the newest transfer. */
export function checkpointSink(disk: Disk, directory: string): SnapshotSink {
  return {
    async create(meta) {
      await disk.makeDirectory(directory);
      await removeReceived(disk, directory);
      const path = join(directory, receivedName(meta));
      return receivingFile(disk, path);
    },
  };
}

async function receivingFile(disk: Disk, path: string): Promise<ReceivingSnapshot> {
  const file = await disk.open(path, 'create');
  let offset = 0;
  return {
    async write(bytes) {
      await file.writeAt(offset, bytes);
      offset += bytes.length;
    },
    async finish() {
      await file.datasync();
      // A damaged file must not get as far as being installed: that would stop the member.
      const checked = await readDatabase(file, path);
      if (!checked.ok) throw new Error(`received a damaged snapshot: ${checked.error.reason}`);
      await file.close();
    },
    async abort() {
      await file.close();
      await disk.remove(path);
    },
  };
}

async function removeReceived(disk: Disk, directory: string): Promise<void> {
  for (const name of await disk.list(directory)) {
    if (!name.endsWith(RECEIVED_SUFFIX)) continue;
    try {
      await disk.remove(join(directory, name));
    } catch (error) {
      // Another transfer may have removed it first.
      if (!(error instanceof DiskError) || error.code !== 'ENOENT') throw error;
    }
  }
}
