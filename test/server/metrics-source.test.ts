import { expect, test } from 'vitest';
import { DefragmentMeter } from '../../src/server/metrics-source.ts';
import { timedDisk } from '../../src/server/timed-disk.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { MemoryDisk } from '../support/memory-disk.ts';

test('a defragmentation runs until the last of them has ended', async () => {
  const clock = new ManualClock();
  const tookMs: number[] = [];
  const meter = new DefragmentMeter(clock, (latencyNs) => tookMs.push(latencyNs / 1e6));
  expect(meter.isRunning).toBe(false);
  const first = meter.begin();
  await clock.pass(5);
  const second = meter.begin();
  first();
  expect(meter.isRunning).toBe(true);
  await clock.pass(2);
  second();
  expect(meter.isRunning).toBe(false);
  expect(tookMs).toEqual([5, 2]);
});

test('a timed disk is the disk, and tells of each sync that succeeded', async () => {
  const clock = new ManualClock();
  const inner = new MemoryDisk();
  let syncs = 0;
  const disk = timedDisk(inner, clock, () => {
    syncs += 1;
  });
  await disk.makeDirectory('d');
  const file = await disk.open('d/a', 'create');
  await file.writeAt(0, Uint8Array.of(1, 2, 3));
  await file.datasync();
  inner.failNth('datasync', 1, 'EIO');
  await expect(file.datasync()).rejects.toThrow('EIO');
  expect([await file.size(), await file.readAt(1, 5)]).toEqual([3, Uint8Array.of(2, 3)]);
  await file.truncate(2);
  await file.close();
  await disk.rename('d/a', 'd/b');
  await disk.syncDirectory('d');
  expect(await disk.list('d')).toEqual(['b']);
  expect(await disk.read('d/b')).toEqual(Uint8Array.of(1, 2));
  await disk.remove('d/b');
  expect(inner.names('d')).toEqual([]);
  expect(syncs).toBe(1);
});
