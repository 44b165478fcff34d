import { type Disk, DiskError, type DiskFile } from '../ports/disk.ts';

/**
 * Gives `name` a new content: all of it, durably, or none. `write` fills an empty file and
 * makes it durable before it resolves. Rejects with what `write` does, or with DiskError.
 */
export async function replaceFile<Value>(
  disk: Disk,
  directory: string,
  name: string,
  write: (file: DiskFile) => Promise<Value>,
): Promise<Value> {
  const temporary = `${directory}/${name}.tmp`;
  await removeIfThere(disk, temporary);
  const file = await disk.open(temporary, 'create');
  let value: Value;
  try {
    value = await write(file);
  } finally {
    await file.close();
  }
  await disk.rename(temporary, `${directory}/${name}`);
  await disk.syncDirectory(directory);
  return value;
}

/** Also what an earlier attempt left when the disk was full. Rejects with DiskError. */
async function removeIfThere(disk: Disk, path: string): Promise<void> {
  try {
    await disk.remove(path);
  } catch (error) {
    if (!(error instanceof DiskError) || error.code !== 'ENOENT') throw error;
  }
}
