/** The disk as its users see it: against a plain directory, slow, killed, and misused. */

import { existsSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, test } from 'vitest';
import { killGroup } from '../../harness/cluster/process/process-table.ts';
import { type Launched, launchDisk, noDisk } from './launch.ts';

const launched: Launched[] = [];

function launch(command: readonly string[], options: readonly string[] = []): Launched {
  const disk = launchDisk(command, options);
  launched.push(disk);
  return disk;
}

const script = (source: string): string[] => [
  process.execPath,
  '--input-type=module',
  '-e',
  `import * as fs from 'node:fs'; import { open, stat } from 'node:fs/promises';${source}`,
];

afterEach(async () => {
  for (const { child, directory } of launched.splice(0)) {
    await killGroup(child.pid!);
    rmSync(directory, { recursive: true });
  }
});

describe.skipIf(noDisk !== undefined)(`a mounted disk ${noDisk ?? ''}`, () => {
  test('behaves like the plain file system under random operations', async () => {
    const compare = join(import.meta.dirname, 'compare.ts');
    const { ended } = launch([process.execPath, compare, 'MOUNT', 'OTHER']);
    const { code, output } = await ended;
    expect(output).toMatch(/^\{"compared"/);
    expect(code).toBe(0);
    const { compared, succeeded } = JSON.parse(output);
    expect(compared).toBeGreaterThan(5000);
    expect(succeeded).toBeGreaterThan(compared / 3);
  });

  test('writes through to the backing directory, modes and large files included', async () => {
    const { ended, backing } = launch(
      script(`
        process.umask(0o027);
        fs.writeFileSync('MOUNT/big', Buffer.alloc(5_000_000, 'stormdisk '));
        fs.mkdirSync('MOUNT/private', { mode: 0o777 });
        fs.writeFileSync('MOUNT/private/log', 'x', { mode: 0o666 });
        fs.utimesSync('MOUNT/private/log', 1000.5, 2000.25);
        const bytes = fs.readFileSync('MOUNT/big');
        if (!bytes.equals(Buffer.alloc(5_000_000, 'stormdisk '))) process.exit(1);
      `),
    );
    expect(await ended).toEqual({ code: 0, output: '' });
    const big = readFileSync(join(backing, 'big'));
    expect(big.equals(Buffer.alloc(5_000_000, 'stormdisk '))).toBe(true);
    expect(statSync(join(backing, 'private')).mode & 0o777).toBe(0o750);
    const log = statSync(join(backing, 'private/log'));
    expect([log.mode & 0o777, log.atimeMs, log.mtimeMs]).toEqual([0o640, 1_000_500, 2_000_250]);
  });

  test('delays every fsync and counts it, while other requests go on', async () => {
    const control = '127.0.0.1:21913';
    const { ended } = launch(
      script(`
        const ask = (path, body) => fetch('http://${control}' + path,
          { method: body ? 'PUT' : 'GET', body, headers: { connection: 'close' } });
        const counters = async () => (await ask('/counters')).json();
        for (let i = 0; ; i++) {
          try { await ask('/counters'); break; } catch (error) { if (i > 500) throw error; }
        }
        const file = await open('MOUNT/wal', 'w');
        await file.write('entry'); await file.sync();
        const undelayed = await counters();
        const changed = (await ask('/fsync-delay', '{"delayMs":150}')).status;
        const refused = (await ask('/fsync-delay', '{"delayMs":-1}')).status;
        const start = performance.now(), order = [];
        const syncs = [1, 2, 3].map(() => file.datasync().then(() => order.push('synced')));
        fs.writeFileSync('MOUNT/other', 'written meanwhile');
        order.push((await stat('MOUNT/other')).size);
        await Promise.all(syncs);
        const elapsedMs = performance.now() - start;
        const delayed = await counters();
        await ask('/fsync-delay', '{"delayMs":0}');
        await file.sync();
        console.log(JSON.stringify(
          { undelayed, changed, refused, order, elapsedMs, delayed, healed: await counters() }));
      `),
      [`--control=${control}`],
    );
    const { code, output } = await ended;
    expect([code, output]).toEqual([0, expect.stringMatching(/^\{/)]);
    const seen = JSON.parse(output);
    expect(seen.undelayed).toMatchObject({ syncs: 1, delayedSyncs: 0, delayedMeanMs: 0 });
    expect([seen.changed, seen.refused]).toEqual([204, 400]);
    expect(seen.order).toEqual([17, 'synced', 'synced', 'synced']);
    expect(seen.elapsedMs).toBeGreaterThanOrEqual(150);
    expect(seen.delayed).toMatchObject({ syncs: 4, delayedSyncs: 3 });
    expect(seen.delayed.delayedMeanMs).toBeGreaterThanOrEqual(150);
    expect(seen.healed).toMatchObject({ syncs: 5, delayedSyncs: 3 });
  });

  test('a write to an O_DSYNC file counts as a sync', async () => {
    const { ended } = launch(
      script(`
        const { O_DSYNC, O_CREAT, O_WRONLY } = fs.constants;
        const fd = fs.openSync('MOUNT/wal', O_DSYNC | O_CREAT | O_WRONLY);
        const start = performance.now();
        fs.writeSync(fd, 'entry');
        console.log(performance.now() - start >= 100);
      `),
      ['--fsync-delay-ms=100'],
    );
    expect(await ended).toEqual({ code: 0, output: 'true\n' });
  });

  test('dies with its group in the middle of an fsync, and leaves no mount', async () => {
    const disk = launch(
      script(`
        fs.writeFileSync('MOUNT/wal', 'entry');
        const fd = fs.openSync('MOUNT/wal', 'r+');
        fs.writeFileSync('OTHER/ready', '');
        fs.fsyncSync(fd);
      `),
      ['--fsync-delay-ms=600000'],
    );
    while (!existsSync(join(disk.directory, 'other/ready'))) await sleep(5);
    await killGroup(disk.child.pid!);
    expect((await disk.ended).code).toBe(null);
    expect(readFileSync('/proc/self/mounts', 'utf8')).not.toContain(disk.directory);
    expect(readFileSync(join(disk.backing, 'wal'), 'utf8')).toBe('entry');
  });

  test('ends as its command ends, and passes SIGTERM on to it', async () => {
    expect((await launch(['sh', '-c', 'exit 7']).ended).code).toBe(7);
    const waiting = launch(['sh', '-c', 'touch OTHER/ready; exec sleep 600']);
    while (!existsSync(join(waiting.directory, 'other/ready'))) await sleep(5);
    waiting.child.kill('SIGTERM');
    expect((await waiting.ended).code).toBe(128 + 15);
    expect((await launch(['/no/such/program']).ended).code).toBe(127);
  });

  test('ends with its command though another process still uses it', async () => {
    const { ended, backing } = launch([
      'sh',
      '-c',
      'echo kept > MOUNT/log; sleep 600 >> MOUNT/log 2> /dev/null & sleep 0.1; exit 3',
    ]);
    expect((await ended).code).toBe(3);
    expect(readFileSync(join(backing, 'log'), 'utf8')).toBe('kept\n');
  });

  test('says why it cannot mount', async () => {
    const { code, output } = await launch(['true'], ['--mount=/proc/self/nowhere']).ended;
    expect(code).toBe(4);
    expect(output).toMatch(/^stormdisk: mount: .*does not exist/);
  });

  test('refuses a backing that is not there, or that it would reach through itself', async () => {
    for (const backing of ['MOUNT', 'MOUNT/inside', '/proc/self/nowhere']) {
      const { code, output } = await launch(['true'], [`--backing=${backing}`]).ended;
      expect([code, output]).toEqual([2, expect.stringMatching(/^stormdisk: --backing/)]);
    }
  });
});
