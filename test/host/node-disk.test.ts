import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { NodeDisk } from '../../src/host/node-disk.ts';
import { DiskError } from '../../src/ports/disk.ts';

const disk = new NodeDisk();
let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'node-disk-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

describe('a file', () => {
  test('is written at any place, read back, cut and extended with zeros', async () => {
    const name = path.join(directory, 'file');
    const file = await disk.open(name, 'create');
    await file.writeAt(4, Uint8Array.of(1, 2, 3));
    expect(await file.size()).toBe(7);
    expect(await file.readAt(0, 100)).toEqual(Uint8Array.of(0, 0, 0, 0, 1, 2, 3));
    expect(await file.readAt(5, 1)).toEqual(Uint8Array.of(2));
    expect((await file.readAt(7, 10)).length).toBe(0);
    expect((await file.readAt(100, 10)).length).toBe(0);
    await file.truncate(5);
    await file.truncate(8);
    await file.datasync();
    expect(await disk.read(name)).toEqual(Uint8Array.of(0, 0, 0, 0, 1, 0, 0, 0));
    await file.close();
  });

  test('of more than one transfer is whole', async () => {
    const name = path.join(directory, 'file');
    const file = await disk.open(name, 'create');
    const bytes = new Uint8Array(40 * 1024 * 1024).fill(3);
    bytes[bytes.length - 1] = 9;
    bytes[20_000_000] = 8;
    await file.writeAt(1, bytes);
    await file.close();
    const read = await disk.read(name);
    expect(read.length).toBe(bytes.length + 1);
    expect(Buffer.compare(read.subarray(1), bytes)).toBe(0);
  });

  test('is written durably: by itself, and behind what was not synced yet', async () => {
    const name = path.join(directory, 'file');
    const file = await disk.open(name, 'create');
    await file.writeDurably(0, Uint8Array.of(1, 2, 3));
    await file.writeDurably(3, Uint8Array.of(4, 5));
    await file.writeAt(5, Uint8Array.of(6));
    await file.writeDurably(1, Uint8Array.of(9));
    expect(await disk.read(name)).toEqual(Uint8Array.of(1, 9, 3, 4, 5, 6));
    await file.close();
    await expectCode(file.writeDurably(0, Uint8Array.of(1)), 'EBADF');
  });

  test('is created once, and opened only if it is there', async () => {
    const name = path.join(directory, 'file');
    await expectCode(disk.open(name, 'existing'), 'ENOENT');
    await (await disk.open(name, 'create')).close();
    await expectCode(disk.open(name, 'create'), 'EEXIST');
    await (await disk.open(name, 'existing')).close();
  });

  test('rejects after close, and closing again harms no other file', async () => {
    const first = await disk.open(path.join(directory, 'first'), 'create');
    await first.close();
    const second = await disk.open(path.join(directory, 'second'), 'create');
    await first.close();
    await expectCode(first.datasync(), 'EBADF');
    await expectCode(first.truncate(1), 'EBADF');
    await expectCode(first.writeAt(0, Uint8Array.of(1)), 'EBADF');
    await second.writeAt(0, Uint8Array.of(1));
    await second.close();
  });

  test('does not hold up the event loop', async () => {
    const file = await disk.open(path.join(directory, 'file'), 'create');
    let isDone = false;
    const written = file.writeAt(0, new Uint8Array(1024)).then(() => {
      isDone = true;
    });
    expect(isDone).toBe(false);
    await new Promise<void>((resolve) => queueMicrotask(resolve));
    expect(isDone).toBe(false);
    await written;
    await file.close();
  });
});

describe('a directory', () => {
  test('is made with its parents, also when it is there already', async () => {
    const deep = path.join(directory, 'a/b/c');
    await disk.makeDirectory(deep);
    await disk.makeDirectory(deep);
    await disk.syncDirectory(deep);
    expect(existsSync(deep)).toBe(true);
  });

  test('lists, renames over and removes files', async () => {
    for (const name of ['x', 'y']) {
      const file = await disk.open(path.join(directory, name), 'create');
      await file.writeAt(0, Buffer.from(name));
      await file.close();
    }
    await disk.rename(path.join(directory, 'x'), path.join(directory, 'y'));
    expect(await disk.list(directory)).toEqual(['y']);
    expect(Buffer.from(await disk.read(path.join(directory, 'y'))).toString()).toBe('x');
    await disk.remove(path.join(directory, 'y'));
    expect(await disk.list(directory)).toEqual([]);
  });

  test('that is not there rejects with its code and path', async () => {
    const missing = path.join(directory, 'missing');
    await expectCode(disk.list(missing), 'ENOENT');
    await expectCode(disk.read(missing), 'ENOENT');
    await expectCode(disk.remove(missing), 'ENOENT');
    await expectCode(disk.rename(missing, path.join(directory, 'x')), 'ENOENT');
    await expectCode(disk.syncDirectory(missing), 'ENOENT');
    await expect(disk.list(missing)).rejects.toMatchObject({ path: missing });
  });
});

async function expectCode(call: Promise<unknown>, code: string): Promise<void> {
  await expect(call).rejects.toBeInstanceOf(DiskError);
  await expect(call).rejects.toMatchObject({ code });
}
