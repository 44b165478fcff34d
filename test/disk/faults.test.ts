/** The faults of a mounted disk as a program on it meets them. */

import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { choosePorts } from '../../harness/cluster/process/ports.ts';
import { killGroup } from '../../harness/cluster/process/process-table.ts';
import { type Launched, launchDisk, noDisk } from './launch.ts';

const launched: Launched[] = [];

afterEach(async () => {
  for (const { child, directory } of launched.splice(0)) {
    await killGroup(child.pid!);
    rmSync(directory, { recursive: true });
  }
});

/** Runs a script on a disk whose faults it can set; answers what it printed as JSON. */
async function onDisk(source: string): Promise<{ said: unknown; backing: string; state: string }> {
  const [port] = await choosePorts(1, `disk-faults ${launched.length} ${source.length}`);
  const script = `
    import * as fs from 'node:fs';
    import * as later from 'node:fs/promises';
    import { setTimeout as sleep } from 'node:timers/promises';
    process.chdir('MOUNT');
    const ask = async (method, path, body) => {
      const response = await fetch('http://127.0.0.1:${port}' + path,
        { method, body: body && JSON.stringify(body), headers: { connection: 'close' } });
      const text = await response.text();
      return text.startsWith('{') ? JSON.parse(text) : response.status;
    };
    const fault = (fault) => ask('PUT', '/fault', fault);
    const codeOf = (act) => { try { act(); return 'done'; } catch (error) { return error.code; } };
    const syncDirectory = (path) => {
      const fd = fs.openSync(path, 'r'); fs.fsyncSync(fd); fs.closeSync(fd);
    };
    for (let i = 0; ; i++) {
      try { await ask('GET', '/tally'); break; } catch (error) { if (i > 500) throw error; }
    }
    const print = (value) => console.log(JSON.stringify(value));
    ${source}`;
  const disk = launchDisk(
    [process.execPath, '--input-type=module', '-e', script],
    [`--control=127.0.0.1:${port}`, '--state=STATE'],
  );
  launched.push(disk);
  const { code, output } = await disk.ended;
  // A disk without power can only be killed.
  const expected = source.includes('/power-failure') && !source.includes("'all'") ? null : 0;
  expect([code, output]).toEqual([expected, expect.stringMatching(/^[{[]/)]);
  return {
    said: JSON.parse(output.split('\n')[0]!),
    backing: disk.backing,
    state: join(disk.directory, 'state'),
  };
}

const SOME_FILES = `
  fs.mkdirSync('d');
  syncDirectory('.');
  const log = fs.openSync('d/log', 'w+');
  fs.writeSync(log, 'synced ');
  fs.writeFileSync('d/old', 'old');
  fs.writeFileSync('d/gone', 'gone');
  for (const name of ['d/old', 'd/gone']) syncDirectory(name);
  fs.fsyncSync(log);
  syncDirectory('d');
  fs.writeSync(log, 'not synced');
  fs.writeFileSync('d/new', 'new');
  fs.renameSync('d/old', 'd/renamed');
  fs.unlinkSync('d/gone');`;

describe.skipIf(noDisk !== undefined)(`faults of a mounted disk ${noDisk ?? ''}`, () => {
  test('a power failure takes what was not synced, names included', async () => {
    const { said, backing, state } = await onDisk(`${SOME_FILES}
      print(await ask('POST', '/power-failure', { keeps: 'nothing', seed: 1 }));
      process.exit();`);
    expect(said).toEqual({ changes: 2, bytes: 13, torn: 0, names: 3 });
    expect(readdirSync(join(backing, 'd')).sort()).toEqual(['gone', 'log', 'old']);
    expect(readFileSync(join(backing, 'd/log'), 'utf8')).toBe('synced ');
    expect(readFileSync(join(backing, 'd/gone'), 'utf8')).toBe('gone');
    expect(readdirSync(join(state, 'kept'))).toEqual([]);
  });

  test('a power failure may tear the last write alone', async () => {
    const { said, backing } = await onDisk(`
      fs.writeFileSync('first', Buffer.alloc(3000, 'a'));
      const fd = fs.openSync('last', 'w');
      fs.writeSync(fd, Buffer.alloc(1000, 'b'));
      fs.writeSync(fd, Buffer.alloc(9000, 'c'));
      print(await ask('POST', '/power-failure', { keeps: 'torn', seed: 4 }));
      process.exit();`);
    const last = readFileSync(join(backing, 'last'));
    expect(said).toEqual({ changes: 1, bytes: 10_000 - last.length, torn: 1, names: 0 });
    expect(last.length % 512).toBe(0);
    expect(last.length).toBeGreaterThan(1000);
    expect(readFileSync(join(backing, 'first')).length).toBe(3000);
  });

  test('a sync that is under way when the power fails has kept nothing', async () => {
    const { said, backing } = await onDisk(`
      const fd = fs.openSync('log', 'w');
      syncDirectory('.');
      await ask('PUT', '/fsync-delay', { delayMs: 500 });
      fs.writeSync(fd, 'entry');
      let synced = false;
      later.open('log', 'r+').then((file) => file.sync()).then(() => { synced = true; });
      await sleep(100);
      const loss = await ask('POST', '/power-failure', { keeps: 'nothing', seed: 1 });
      await sleep(700);
      print({ synced, bytes: loss.bytes });
      // The thread that waits for its sync holds the process until the disk goes.
      process.kill(process.ppid, 'SIGKILL');`);
    expect(said).toEqual({ synced: false, bytes: 5 });
    expect(readFileSync(join(backing, 'log'), 'utf8')).toBe('');
  });

  test('a lying disk has kept nothing of what it said to have synced', async () => {
    const { said, backing } = await onDisk(`
      fs.writeFileSync('log', 'true');
      syncDirectory('log'); syncDirectory('.');
      await fault({ type: 'lie' });
      const fd = fs.openSync('log', 'a');
      for (let i = 0; i < 3; i++) { fs.writeSync(fd, ' lie'); fs.fsyncSync(fd); }
      const { lied } = await ask('GET', '/tally');
      const { bytes } = await ask('POST', '/power-failure', { keeps: 'nothing', seed: 1 });
      print({ lied, bytes });
      process.exit();`);
    expect(said).toEqual({ lied: 3, bytes: 12 });
    expect(readFileSync(join(backing, 'log'), 'utf8')).toBe('true');
  });

  test('refusals have the code ordered, and end with the fault', async () => {
    const { said, state } = await onDisk(`
      const fd = fs.openSync('log', 'w+');
      fs.writeSync(fd, 'entry');
      const outcomes = {};
      for (const order of [
        { type: 'error', operation: 'write', code: 'EIO' },
        { type: 'error', operation: 'write', code: 'ENOSPC' },
        { type: 'error', operation: 'sync', code: 'EIO' },
        { type: 'read-only' },
        { type: 'none' },
      ]) {
        await fault(order);
        outcomes[[order.type, order.operation, order.code].filter(Boolean).join(' ')] = [
          codeOf(() => fs.writeSync(fd, 'x')), codeOf(() => fs.fsyncSync(fd)),
          codeOf(() => fs.ftruncateSync(fd, 3)), codeOf(() => fs.openSync('log', 'r+')),
          codeOf(() => fs.mkdirSync(order.type + order.operation + order.code)),
          codeOf(() => fs.readFileSync('log')),
        ];
      }
      print({ outcomes, tally: await ask('GET', '/tally') });`);
    const done = 'done';
    expect(said).toEqual({
      outcomes: {
        'error write EIO': ['EIO', done, 'EIO', done, 'EIO', done],
        'error write ENOSPC': ['ENOSPC', done, done, done, 'ENOSPC', done],
        'error sync EIO': [done, 'EIO', done, done, done, done],
        'read-only': ['EROFS', done, 'EROFS', 'EROFS', 'EROFS', done],
        none: [done, done, done, done, done, done],
      },
      tally: { stalled: 0, refused: 10, lied: 0, rotten: 0 },
    });
    expect(JSON.parse(readFileSync(join(state, 'tally.json'), 'utf8')).refused).toBe(10);
  });

  test('a stall holds everything until it is healed', async () => {
    const { said } = await onDisk(`
      fs.writeFileSync('log', 'entry');
      await fault({ type: 'stall' });
      let isHeld = true;
      const going = later.readFile('log', 'utf8').finally(() => { isHeld = false; });
      await sleep(100);
      const wasHeld = isHeld;
      await fault({ type: 'none' });
      print({ wasHeld, read: await going, tally: await ask('GET', '/tally') });`);
    expect(said).toMatchObject({ wasHeld: true, read: 'entry' });
    expect(said).toMatchObject({ tally: { stalled: expect.any(Number) } });
  });

  test('latency is added to writes and syncs, each', async () => {
    const { said } = await onDisk(`
      const fd = fs.openSync('log', 'w');
      await fault({ type: 'latency', seed: 1, write: { type: 'constant', ms: 30 },
        sync: { type: 'uniform', leastMs: 20, mostMs: 40 } });
      const startMs = performance.now();
      fs.writeSync(fd, 'entry');
      const writeMs = performance.now() - startMs;
      fs.fsyncSync(fd);
      const syncMs = performance.now() - startMs - writeMs;
      print({ isLate: writeMs >= 30 && syncMs >= 20, counters: await ask('GET', '/counters') });`);
    expect(said).toMatchObject({
      isLate: true,
      counters: { delayedSyncs: 1, delayedWrites: 1 },
    });
  });

  test('rot shows in what is read, and not behind the disk', async () => {
    const { said, backing } = await onDisk(`
      fs.writeFileSync('log', Buffer.alloc(400_000));
      await fault({ type: 'rot', everyBytes: 4096, seed: 1 });
      const fd = fs.openSync('log', fs.constants.O_RDONLY | fs.constants.O_DIRECT);
      const read = () => {
        const bytes = Buffer.alloc(400_000);
        for (let at = 0; at < bytes.length; ) at += fs.readSync(fd, bytes, at, 100_000, at);
        return bytes;
      };
      const [one, other] = [read(), read()];
      print({ flipped: one.filter((byte) => byte !== 0).length, same: one.equals(other) });`);
    expect(said).toMatchObject({ same: true });
    const { flipped } = said as { flipped: number };
    expect(flipped).toBeGreaterThan(60);
    expect(readFileSync(join(backing, 'log')).every((byte) => byte === 0)).toBe(true);
  });

  test('orders that are none are refused', async () => {
    const { said } = await onDisk(`
      print([await fault({ type: 'fire' }), await ask('POST', '/power-failure', { keeps: 'all' }),
        await ask('PUT', '/fault'), await ask('GET', '/fire')]);`);
    expect(said).toEqual([400, 400, 400, 404]);
  });

  test('without a state directory the power cannot fail', async () => {
    const [port] = await choosePorts(1, 'disk-faults without state');
    const disk = launchDisk(
      [
        process.execPath,
        '--input-type=module',
        '-e',
        `
        for (let i = 0; i < 500; i++) {
          try {
            const options = { method: 'POST', body: '{"keeps":"some","seed":1}' };
            const asked = await fetch('http://127.0.0.1:${port}/power-failure', options);
            process.exit(asked.status === 409 ? 0 : 1);
          } catch {}
        }`,
      ],
      [`--control=127.0.0.1:${port}`],
    );
    launched.push(disk);
    expect((await disk.ended).code).toBe(0);
    expect(existsSync(join(disk.directory, 'state/tally.json'))).toBe(false);
  });

  test('a state directory inside the files is refused', async () => {
    for (const place of ['BACKING/state', 'MOUNT']) {
      const disk = launchDisk(['true'], [`--state=${place}`]);
      launched.push(disk);
      const { code, output } = await disk.ended;
      expect([code, output]).toEqual([2, expect.stringMatching(/^stormdisk: --state lies in/)]);
    }
  });
});
