import type { SnapshotMeta } from '../../src/raft/message.ts';
import { openCheckpoint } from '../../src/snap/checkpoint-file.ts';
import { receivedName } from '../../src/snap/received-name.ts';
import type { MemoryDisk } from '../support/memory-disk.ts';

export const SNAP = '/member/snap';

/** What the network does for a MsgSnap: the sender's checkpoint, as a file at the receiver. */
export async function copySnapshot(from: MemoryDisk, to: MemoryDisk): Promise<SnapshotMeta> {
  const opened = await openCheckpoint(from, SNAP);
  if (!opened.ok || opened.value === undefined) throw new Error('nothing to send');
  const { meta, sizeBytes } = opened.value;
  const bytes = await opened.value.readAt(0, sizeBytes);
  await opened.value.close();
  const file = await to.open(`${SNAP}/${receivedName(meta)}`, 'create');
  await file.writeAt(0, bytes);
  await file.datasync();
  await file.close();
  return meta;
}
