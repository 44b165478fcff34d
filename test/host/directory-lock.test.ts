import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { lockDirectory } from '../../src/host/directory-lock.ts';

test.skipIf(process.platform !== 'linux')('a directory has one owner at a time', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'stormraft-lock-'));
  try {
    const first = await lockDirectory(directory);
    expect(await lockDirectory(directory)).toBe('taken');
    expect(await lockDirectory(join(directory, '.'))).toBe('taken');
    if (typeof first === 'string') throw new Error(first);
    await first.release();
    const second = await lockDirectory(directory);
    expect(second).toHaveProperty('release');
    if (typeof second !== 'string') await second.release();
  } finally {
    rmSync(directory, { recursive: true });
  }
});
