import { err, ok, type Result } from '../lib/result.ts';
import { utf8Decode } from '../lib/utf8.ts';
import type { Disk, DiskFile } from '../ports/disk.ts';
import type { SnapshotMeta } from '../raft/message.ts';
import { CHECKPOINT_NAME, type CheckpointError } from './checkpoint-error.ts';
import { type CheckpointMetaBucket, decodeMetaBucket } from './meta-bucket.ts';
import { FetchedPages } from './page-source.ts';
import { type Checkpoint, openIfThere, readDatabase } from './read-checkpoint.ts';
import { Bucket, chooseMeta, META_HEAD_BYTES, readBuckets } from './tree-reader.ts';

/**
 * Checkpoints on their way between members: the file is sent as it is. It stays readable to
 * the end through its handle, also when a newer checkpoint takes its place meanwhile.
 */
export interface OpenCheckpoint {
  readonly meta: SnapshotMeta;
  readonly sizeBytes: number;
  /** Up to `lengthBytes` from `offset`; shorter only at the end. Rejects with DiskError. */
  readAt(offset: number, lengthBytes: number): Promise<Uint8Array>;
  close(): Promise<void>;
}

/**
 * Opens the directory's checkpoint for sending; only what says which one it is has been
 * checked. Undefined if there is none. Rejects with DiskError.
 */
export async function openCheckpoint(
  disk: Disk,
  directory: string,
): Promise<Result<OpenCheckpoint | undefined, CheckpointError>> {
  const path = `${directory}/${CHECKPOINT_NAME}`;
  const file = await openIfThere(disk, path);
  if (file === undefined) return ok(undefined);
  let isOpen = false;
  try {
    const meta = await readMeta(file);
    if (!meta.ok) return err({ kind: 'corrupt', file: path, reason: meta.error });
    const sizeBytes = await file.size();
    isOpen = true;
    return ok({
      meta: meta.value,
      sizeBytes,
      readAt: (offset, lengthBytes) => file.readAt(offset, lengthBytes),
      close: () => file.close(),
    });
  } finally {
    if (!isOpen) await file.close();
  }
}

/** Which state the directory's checkpoint holds, by reading a few pages of it. */
export async function readCheckpointMeta(
  disk: Disk,
  directory: string,
): Promise<Result<SnapshotMeta | undefined, CheckpointError>> {
  const opened = await openCheckpoint(disk, directory);
  if (!opened.ok) return opened;
  if (opened.value === undefined) return ok(undefined);
  await opened.value.close();
  return ok(opened.value.meta);
}

/**
 * Makes a file that was received whole, `receivedName` in the same directory, the checkpoint,
 * after checking all of it. If it is refused the old checkpoint stays, and so does the file.
 * Rejects with DiskError.
 */
export async function installReceived(
  disk: Disk,
  directory: string,
  receivedName: string,
): Promise<Result<Checkpoint, CheckpointError>> {
  const received = `${directory}/${receivedName}`;
  const file = await disk.open(received, 'existing');
  let checkpoint: Result<Checkpoint, CheckpointError>;
  try {
    checkpoint = await readDatabase(file, received);
    if (!checkpoint.ok) return checkpoint;
    await file.datasync();
  } finally {
    await file.close();
  }
  await disk.rename(received, `${directory}/${CHECKPOINT_NAME}`);
  await disk.syncDirectory(directory);
  return checkpoint;
}

async function readMeta(file: DiskFile): Promise<Result<CheckpointMetaBucket, string>> {
  const meta = chooseMeta(await file.readAt(0, META_HEAD_BYTES));
  if (meta === undefined) return err('neither meta page is intact');
  const pages = new FetchedPages(file, meta);
  for (;;) {
    const buckets = readBuckets(pages, meta.root, (name) => utf8Decode(name) === 'meta');
    if (buckets.ok) return decodeMetaBucket(buckets.value[0]?.bucket ?? new Bucket([]));
    if (!(await pages.fetchMissing())) return buckets;
  }
}
