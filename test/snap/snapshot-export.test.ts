import { expect, test } from 'vitest';
import type { CheckpointImage } from '../../src/snap/checkpoint-image.ts';
import { readCheckpoint } from '../../src/snap/read-checkpoint.ts';
import { SnapshotExport } from '../../src/snap/snapshot-export.ts';
import { removeReceived } from '../../src/snap/snapshot-files.ts';
import { MemoryDisk } from '../support/memory-disk.ts';
import { DIRECTORY, image, puts } from './checkpoint-fixture.ts';

function lab(state: CheckpointImage = image(puts(5_000))) {
  const disk = new MemoryDisk();
  const seen = { images: 0, released: 0, pauses: 0 };
  const release = (): void => {
    seen.released += 1;
  };
  const exporting = new SnapshotExport({
    disk,
    directory: DIRECTORY,
    image: () => {
      seen.images += 1;
      return { ...state, release };
    },
    pause: async () => {
      seen.pauses += 1;
    },
  });
  return { disk, seen, exporting };
}

test('the file is a checkpoint; closed, it is gone', async () => {
  const { disk, seen, exporting } = lab();
  await disk.makeDirectory(DIRECTORY);
  const file = await exporting.create();
  expect(seen).toMatchObject({ images: 1, released: 1 });
  const bytes = await file.readAt(0, file.sizeBytes);
  expect(bytes.length).toBe(file.sizeBytes);
  disk.poke('elsewhere/db', bytes);
  const read = await readCheckpoint(disk, 'elsewhere');
  if (!read.ok || read.value === undefined) throw new Error('not read');
  expect([...read.value.revisions()]).toHaveLength(5_000);
  expect(disk.names(DIRECTORY)).toHaveLength(1);
  await file.close();
  expect(disk.names(DIRECTORY)).toEqual([]);
});

test('two at a time do not meet, nor the checkpoint of the member', async () => {
  const { disk, exporting } = lab();
  await disk.makeDirectory(DIRECTORY);
  const [first, second] = await Promise.all([exporting.create(), exporting.create()]);
  await first.close();
  expect((await second.readAt(0, 16)).length).toBe(16);
  expect(disk.names(DIRECTORY)).not.toContain('db');
  await second.close();
});

test('what a crash leaves over is removed at the next start', async () => {
  const { disk, exporting } = lab();
  await disk.makeDirectory(DIRECTORY);
  await exporting.create();
  await removeReceived(disk, DIRECTORY);
  expect(disk.names(DIRECTORY)).toEqual([]);
});

test('a disk that takes nothing is an error, and the image is released', async () => {
  const { disk, seen, exporting } = lab();
  await disk.makeDirectory(DIRECTORY);
  disk.failNth('datasync', 1, 'ENOSPC');
  await expect(exporting.create()).rejects.toThrow();
  expect(seen).toMatchObject({ images: 1, released: 1 });
});

test('the hash is of the data, not of where the log stands', async () => {
  const hashOf = async (changes: Partial<CheckpointImage>): Promise<number> => {
    const { seen, exporting } = lab(image(puts(20_000), changes));
    const hash = await exporting.hash();
    expect(seen).toMatchObject({ images: 1, released: 1 });
    expect(seen.pauses).toBeGreaterThan(1);
    return hash;
  };
  const hash = await hashOf({});
  expect(await hashOf({ index: 1_000, term: 9 })).toBe(hash);
  expect(await hashOf({ compactRevision: 3 })).not.toBe(hash);
  expect(await hashOf({ leases: [{ id: 5n, ttlS: 60, remainingTtlS: 0 }] })).not.toBe(hash);
});
