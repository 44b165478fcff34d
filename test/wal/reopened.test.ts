import { expect, test } from 'vitest';
import { Wal } from '../../src/wal/wal.ts';
import { MemoryDisk } from '../support/memory-disk.ts';
import { entries, hardState, METADATA, openWal, walOptions } from './wal-fixture.ts';

/** Loses every write that was not synced. */
const LOSES_ALL = { below: (bound: number) => bound - 1 };

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
