import { describe, expect, test } from 'vitest';
import {
  installReceived,
  openCheckpoint,
  readCheckpointMeta,
} from '../../src/snap/checkpoint-file.ts';
import { readCheckpoint } from '../../src/snap/read-checkpoint.ts';
import { writeCheckpoint } from '../../src/snap/write-checkpoint.ts';
import { MemoryDisk } from '../support/memory-disk.ts';
import { smallRandom } from '../support/small-random.ts';
import { DIRECTORY, image, puts } from './checkpoint-fixture.ts';

const PATH = `${DIRECTORY}/db`;

describe('sending', () => {
  test('the meta is known from a few pages', async () => {
    const disk = await diskWith(5000, 42);
    const before = disk.operations;
    const { confState } = image([]);
    const meta = await readCheckpointMeta(disk, DIRECTORY);
    expect(meta).toMatchObject({ ok: true, value: { index: 42, term: 3, confState } });
    expect(disk.operations - before).toBeLessThan(10);
    expect(await readCheckpointMeta(new MemoryDisk(), DIRECTORY)).toEqual({
      ok: true,
      value: undefined,
    });
  });

  test('an open checkpoint reads to its end while a newer one replaces it', async () => {
    const disk = await diskWith(500, 42);
    const whole = disk.peek(PATH);
    const opened = await openCheckpoint(disk, DIRECTORY);
    if (!opened.ok || opened.value === undefined) throw new Error('no checkpoint');
    await writeCheckpoint(disk, DIRECTORY, image(puts(9), { index: 43 }));
    const chunks: Uint8Array[] = [];
    const { meta, sizeBytes, readAt, close } = opened.value;
    for (let at = 0; at < sizeBytes; at += 10_000) chunks.push(await readAt(at, 10_000));
    await close();
    expect(meta.index).toBe(42);
    expect(Buffer.concat(chunks).equals(whole)).toBe(true);
  });

  test('a file that is no checkpoint is refused before anything is sent', async () => {
    const disk = await diskWith(5000, 42);
    for (const length of [0, 100, 8192, 12_288]) {
      disk.poke(PATH, disk.peek(PATH).slice(0, length));
      expect(await openCheckpoint(disk, DIRECTORY)).toMatchObject({
        ok: false,
        error: { kind: 'corrupt', file: PATH },
      });
    }
  });
});

describe('receiving', () => {
  test('installs a whole file, over an older one or none', async () => {
    const received = (await diskWith(500, 90)).peek(PATH);
    for (const disk of [new MemoryDisk(), await diskWith(5, 10)]) {
      disk.poke(`${DIRECTORY}/received.tmp`, received);
      const installed = await installReceived(disk, DIRECTORY, 'received.tmp');
      expect(installed).toMatchObject({ ok: true, value: { index: 90 } });
      expect(disk.names(DIRECTORY)).toEqual(['db']);
      const survivor = disk.afterPowerLoss(smallRandom(1));
      expect(await readCheckpoint(survivor, DIRECTORY)).toMatchObject({ value: { index: 90 } });
    }
  });

  test('refuses a cut or mixed one and keeps the old', async () => {
    const received = (await diskWith(500, 90)).peek(PATH);
    const mixed = received.slice();
    mixed.copyWithin(3 * 4096, 4 * 4096, 5 * 4096);
    for (const file of [received.slice(0, -4096), mixed, new Uint8Array(0)]) {
      const disk = await diskWith(5, 10);
      disk.poke(`${DIRECTORY}/received.tmp`, file);
      const installed = await installReceived(disk, DIRECTORY, 'received.tmp');
      expect(installed).toMatchObject({ ok: false, error: { kind: 'corrupt' } });
      expect(await readCheckpoint(disk, DIRECTORY)).toMatchObject({ value: { index: 10 } });
    }
  });

  test('interrupted anywhere leaves one of the two', async () => {
    const received = (await diskWith(500, 90)).peek(PATH);
    let isDone = false;
    for (let count = 0; !isDone; count++) {
      const disk = await diskWith(5, 10);
      disk.poke(`${DIRECTORY}/received.tmp`, received);
      disk.powerOffAfter(count);
      const install = installReceived(disk, DIRECTORY, 'received.tmp');
      isDone = await install.then(
        () => true,
        () => false,
      );
      const result = await readCheckpoint(disk.afterPowerLoss(smallRandom(count)), DIRECTORY);
      if (!result.ok) throw new Error(result.error.reason);
      expect(isDone ? [90] : [10, 90]).toContain(result.value?.index);
    }
  });
});

async function diskWith(keys: number, index: number): Promise<MemoryDisk> {
  const disk = new MemoryDisk();
  await disk.makeDirectory(DIRECTORY);
  await writeCheckpoint(disk, DIRECTORY, image(puts(keys), { index }));
  return disk;
}
