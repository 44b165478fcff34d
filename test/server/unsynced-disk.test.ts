import { expect, test } from 'vitest';
import { unsyncedDisk } from '../../src/server/unsynced-disk.ts';
import { MemoryDisk } from '../support/memory-disk.ts';
import { smallRandom } from '../support/small-random.ts';

test('an unsynced disk is the disk, but waits for no sync', async () => {
  const inner = new MemoryDisk();
  const disk = unsyncedDisk(inner);
  await disk.makeDirectory('d');
  const file = await disk.open('d/a', 'create');
  for (const kind of ['datasync', 'syncDirectory'] as const) inner.failNth(kind, 1, 'EIO');
  await file.writeAt(0, Uint8Array.of(1, 2));
  await file.writeDurably(2, Uint8Array.of(3));
  await file.datasync();
  await disk.syncDirectory('d');
  expect([await file.size(), await file.readAt(1, 5)]).toEqual([3, Uint8Array.of(2, 3)]);
  await file.truncate(2);
  await file.close();
  await disk.rename('d/a', 'd/b');
  expect(await disk.list('d')).toEqual(['b']);
  expect(await disk.read('d/b')).toEqual(Uint8Array.of(1, 2));
  await disk.remove('d/b');
  expect(inner.names('d')).toEqual([]);
});

test('what it wrote may be gone after a power failure', async () => {
  const survives = async (isUnsynced: boolean, seed: number): Promise<boolean> => {
    const inner = new MemoryDisk();
    await inner.makeDirectory('d');
    await inner.syncDirectory('.');
    const disk = isUnsynced ? unsyncedDisk(inner) : inner;
    const file = await disk.open('d/a', 'create');
    await file.writeDurably(0, Uint8Array.of(1));
    await disk.syncDirectory('d');
    const survivor = inner.afterPowerLoss(smallRandom(seed));
    return survivor.names('d').includes('a') && survivor.peek('d/a')[0] === 1;
  };
  const seeds = Array.from({ length: 20 }, (_, seed) => seed + 1);
  const synced = await Promise.all(seeds.map((seed) => survives(false, seed)));
  expect(synced).not.toContain(false);
  const unsynced = await Promise.all(seeds.map((seed) => survives(true, seed)));
  expect(unsynced).toContain(false);
});
