/** The search for leftovers finds them: it would be worth nothing otherwise. */
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { killGroup } from '../../harness/cluster/process/process-table.ts';
import { countOf, describe, lookFor, type Trail } from './leftovers.ts';

let trail: Trail;
beforeEach(() => {
  const base = mkdtempSync(join(tmpdir(), 'leftovers-'));
  mkdirSync(join(base, 'tmp'));
  trail = { pid: 2 ** 22 + 1, base, containers: new Set(), networks: new Set() };
});
afterEach(() => rmSync(trail.base, { recursive: true }));

test('nothing', async () => {
  mkdirSync(join(trail.base, 'tmp', 'stormraft-compile-cache-0'));
  mkdirSync(join(trail.base, 'tmp', 'stormraft-processes-0'));
  const leftovers = await lookFor(trail, undefined);
  expect(describe(leftovers)).toBe('nothing');
  expect(countOf(leftovers)).toBe(0);
});

test('a process by its environment or its command line, and files', async () => {
  const { base } = trail;
  const env = { ...process.env, TMPDIR: join(base, 'tmp') };
  const handed = spawn('sleep', ['600'], { detached: true, stdio: 'ignore', env });
  const named = spawn('sh', ['-c', 'sleep 600; true', base], { detached: true, stdio: 'ignore' });
  mkdirSync(join(base, 'tmp', 'storm-image-1-x'));
  mkdirSync(join(base, 'tmp', 'stormraft-processes-0'));
  writeFileSync(join(base, 'tmp', 'stormraft-processes-0', 'run.json'), '');
  try {
    const leftovers = await lookFor(trail, undefined);
    expect(describe(leftovers)).toBe('2 processes, 2 temporaries');
    expect(countOf(leftovers)).toBe(4);
  } finally {
    await Promise.all([handed, named].map(({ pid }) => killGroup(pid!)));
  }
});

const mayMount = process.getuid?.() === 0 && process.platform === 'linux';
test.skipIf(!mayMount)('a mount', async (context) => {
  const mountPoint = join(trail.base, 'mnt');
  mkdirSync(mountPoint);
  const mounted = spawnSync('mount', ['-t', 'tmpfs', 'leftovers-test', mountPoint]);
  if (mounted.status !== 0) return context.skip(String(mounted.stderr));
  try {
    expect(describe(await lookFor(trail, undefined))).toBe('1 mounts');
  } finally {
    spawnSync('umount', [mountPoint]);
  }
});
