import { expect, test } from 'vitest';
import { Wal } from '../../src/wal/wal.ts';
import { MemoryDisk } from '../support/memory-disk.ts';
import { DIRECTORY, entries, hardState, METADATA, openWal, walOptions } from './wal-fixture.ts';

/** Loses every change of a directory that was not synced, and no write. */
const LOSES_ALL_NAMES = { below: () => 0 };

/** Loses every write that was not synced. */
const LOSES_ALL = { below: (bound: number) => bound - 1 };

test('a segment that a dead process had just begun keeps its name', async () => {
  const disk = new MemoryDisk();
  const small = { segmentBytesMax: 512 };
  const wal = await Wal.create(walOptions(disk, small), METADATA);
  const vote = hardState(1, 0, METADATA.memberId);
  await wal.append({ entries: entries(1, 9), hardState: vote });
  const before = disk.names(DIRECTORY);
  disk.failNth('syncDirectory', 1, 'EIO');
  await expect(wal.append({ entries: entries(10, 12), hardState: vote })).rejects.toMatchObject({
    code: 'EIO',
  });
  expect(disk.names(DIRECTORY).length).toBe(before.length + 1);
  const reopened = await openWal(disk, small);
  await reopened.wal.append({ entries: entries(10, 10), hardState: vote });
  const { recovered } = await openWal(disk.afterPowerLoss(LOSES_ALL_NAMES), small);
  expect(recovered.entries.at(-1)?.index).toBe(10);
});

test('what a dead process left unsynced is durable once the log was opened again', async () => {
  const disk = new MemoryDisk();
  const wal = await Wal.create(walOptions(disk), METADATA);
  disk.failNth('datasync', 1, 'EIO');
  const batch = { entries: entries(1, 3), hardState: hardState(1, 0, METADATA.memberId) };
  await expect(wal.append(batch)).rejects.toMatchObject({ code: 'EIO' });
  // The process dies over it; the machine does not, so the next one reads the page cache.
  const { recovered } = await openWal(disk);
  expect(recovered.entries).toHaveLength(3);
  const survivor = await openWal(disk.afterPowerLoss(LOSES_ALL));
  expect(survivor.recovered).toEqual(recovered);
});
