import { utf8Encode } from '../lib/utf8.ts';
import type { Disk, DiskFile } from '../ports/disk.ts';
import type { Failpoints } from '../ports/failpoints.ts';
import { BUCKET_NAMES, bucketItems } from './bucket-content.ts';
import { CHECKPOINT_NAME } from './checkpoint-error.ts';
import type { CheckpointImage } from './checkpoint-image.ts';
import { BUCKET_FLAG } from './page.ts';
import { PageSink } from './page-sink.ts';
import { replaceFile } from './replace-file.ts';
import { encodeBucketHeader, TreeBuilder } from './tree-builder.ts';

export interface WriteCheckpointOptions {
  /** Awaited every few dozen kilobytes, to let other work have its turn. */
  readonly yieldEvery?: (() => Promise<void>) | undefined;
  /** Written at a time, about, in place of those few dozen kilobytes. */
  readonly chunkBytes?: number | undefined;
  readonly failpoints?: Failpoints | undefined;
}

/**
 * Writes the image as the directory's checkpoint, in place of the one before, which a crash or
 * failure on the way leaves as it was. One call at a time per directory. Rejects with DiskError.
 */
export function writeCheckpoint(
  disk: Disk,
  directory: string,
  image: CheckpointImage,
  options: WriteCheckpointOptions = {},
): Promise<{ readonly sizeBytes: number }> {
  const name = CHECKPOINT_NAME;
  const writing = writeCheckpointAs(disk, directory, { ...options, name, image });
  const { failpoints } = options;
  if (failpoints === undefined) return writing;
  return writing.then((written) => {
    failpoints.hit('afterCommit');
    return written;
  });
}

/** As {@link writeCheckpoint}, as another file of the directory. */
export function writeCheckpointAs(
  disk: Disk,
  directory: string,
  options: WriteCheckpointOptions & { readonly name: string; readonly image: CheckpointImage },
): Promise<{ readonly sizeBytes: number }> {
  return replaceFile(disk, directory, options.name, async (file) => {
    const sizeBytes = await writeDatabase(file, options.image, options);
    options.failpoints?.hit('beforeCommit');
    return { sizeBytes };
  });
}

async function writeDatabase(
  file: DiskFile,
  image: CheckpointImage,
  options: WriteCheckpointOptions,
): Promise<number> {
  const sink = new PageSink(file, options.chunkBytes);
  const top = new TreeBuilder(sink);
  for (const name of BUCKET_NAMES) {
    const isMeta = options.failpoints !== undefined && name === 'meta';
    if (isMeta) options.failpoints?.hit('commitBeforePreCommitHook');
    const bucket = new TreeBuilder(sink);
    for (const [key, value] of bucketItems(name, image)) {
      bucket.add(key, value);
      if (!sink.isFull) continue;
      await sink.flush();
      await options.yieldEvery?.();
    }
    top.add(utf8Encode(name), encodeBucketHeader(bucket.finish()), BUCKET_FLAG);
    if (isMeta) options.failpoints?.hit('commitAfterPreCommitHook');
  }
  return sink.finish(top.finish());
}
