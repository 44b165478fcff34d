import { describe, expect, test } from 'vitest';
import { smallRandom } from '../../support/small-random.ts';
import { Machine, OPTIONS } from './sim-disk-fixture.ts';

const DIRECTORY = 'data/wal';
const PATH = `${DIRECTORY}/a`;
const KEEPS_ALL = { below: () => 0 };
const DROPS_ALL = { below: () => 1 };

/** A node with a file that holds `content` durably, opened by a process. */
async function nodeWith(content: string) {
  const node = new Machine();
  node.device.put(PATH, bytes(content));
  const disk = node.start();
  const file = await node.finished(disk.open(PATH, 'existing'));
  return { node, disk, file };
}

describe('an operation', () => {
  test('takes the time of a write or of a sync, from one draw', async () => {
    const node = new Machine();
    node.device.makeDirectory(DIRECTORY);
    const disk = node.start();
    const file = await node.finished(disk.open(PATH, 'create'));
    const writes: (() => Promise<unknown>)[] = [
      () => disk.list(DIRECTORY),
      () => disk.makeDirectory('other'),
      () => disk.open(PATH, 'existing'),
      () => disk.read(PATH),
      () => disk.rename(PATH, `${DIRECTORY}/b`),
      () => disk.remove(`${DIRECTORY}/b`),
      () => file.size(),
      () => file.readAt(0, 10),
      () => file.writeAt(0, bytes('x')),
      () => file.truncate(4),
    ];
    const syncs = [() => file.datasync(), () => disk.syncDirectory(DIRECTORY)];
    const durations = async (operations: (() => Promise<unknown>)[]) => {
      const found: number[] = [];
      for (const operation of operations) {
        const { nowNs, draws } = node;
        await node.finished(operation());
        found.push(node.nowNs - nowNs);
        expect(node.draws).toBe(draws + 1);
      }
      return found;
    };
    const [writeNs, syncNs] = [await durations(writes), await durations(syncs)];
    expect(Math.min(...writeNs)).toBeGreaterThanOrEqual(OPTIONS.writeUs[0] * 1000);
    expect(Math.max(...writeNs)).toBeLessThanOrEqual(OPTIONS.writeUs[1] * 1000);
    expect(new Set(writeNs).size).toBeGreaterThan(5);
    expect(Math.min(...syncNs)).toBeGreaterThanOrEqual(OPTIONS.syncUs[0] * 1000);
    expect(Math.max(...syncNs)).toBeLessThanOrEqual(OPTIONS.syncUs[1] * 1000);
  });

  test('that is refused draws and takes as much as one that is not', async () => {
    const { node, disk } = await nodeWith('old');
    const { nowNs, draws } = node;
    await expect(node.finished(disk.open(PATH, 'create'))).rejects.toThrow('EEXIST');
    await expect(node.finished(disk.read('nowhere/a'))).rejects.toThrow('ENOENT');
    expect(node.draws).toBe(draws + 2);
    expect(node.nowNs).toBeGreaterThan(nowNs);
  });

  test('happens at its end', async () => {
    const { node, file } = await nodeWith('old');
    const written = file.writeAt(0, bytes('new'));
    await node.pass(node.nowNs + OPTIONS.writeUs[0] * 1000 - 1);
    expect(text(node.device.file(PATH).read())).toBe('old');
    await node.finished(written);
    expect(text(node.device.file(PATH).read())).toBe('new');
  });

  test('is told in words', async () => {
    const { node, disk, file } = await nodeWith('old');
    await node.finished(file.writeAt(2, bytes('xyz')));
    await node.finished(file.datasync());
    await node.finished(disk.rename(PATH, `${DIRECTORY}/b`));
    await expect(node.finished(disk.remove(PATH))).rejects.toThrow('ENOENT');
    expect(node.told).toEqual([
      `open ${PATH}`,
      `write ${PATH} at 2, 3 bytes`,
      `sync ${PATH}`,
      `rename ${PATH} to ${DIRECTORY}/b`,
      `remove ${PATH}: ENOENT`,
    ]);
  });

  test('on a closed file is refused; closing again is not', async () => {
    const { node, file } = await nodeWith('old');
    await node.finished(file.close());
    await node.finished(file.close());
    await expect(file.size()).rejects.toThrow('EBADF');
  });
});

describe('a sync', () => {
  test('makes durable what was written before it was called, and nothing else', async () => {
    const { node, file } = await nodeWith('......');
    await node.finished(file.writeAt(0, bytes('aaa')));
    const synced = file.datasync();
    await node.pass(node.nowNs + 1);
    const written = file.writeAt(3, bytes('bbb'));
    await node.finished(Promise.all([synced, written]));
    expect(text(node.device.file(PATH).read())).toBe('aaabbb');
    expect(text(node.device.file(PATH).durable())).toBe('aaa...');
  });

  test('of a directory likewise', async () => {
    const { node, disk } = await nodeWith('old');
    await node.finished(disk.open(`${DIRECTORY}/b`, 'create'));
    const synced = disk.syncDirectory(DIRECTORY);
    await node.pass(node.nowNs + 1);
    await node.finished(Promise.all([synced, disk.open(`${DIRECTORY}/c`, 'create')]));
    expect(node.device.names(DIRECTORY)).toEqual(['a', 'b', 'c']);
    expect(durableNames(node)).toEqual(['a', 'b']);
  });

  test('in flight at a kill has kept nothing', async () => {
    const { node, disk, file } = await nodeWith('old');
    await node.finished(file.writeAt(0, bytes('new')));
    const synced = file.datasync();
    await node.pass(node.nowNs + 1000);
    node.kill();
    disk.abandon(KEEPS_ALL);
    await expectNothing(node, synced);
    expect(text(node.device.file(PATH).durable())).toBe('old');
  });
});

describe('a kill', () => {
  test.each([
    ['taken by', KEEPS_ALL, 'new', ['a', 'b']],
    ['lost to', DROPS_ALL, 'old', ['a']],
  ] as const)('leaves changes in flight %s the kernel', async (_, random, content, names) => {
    const { node, disk, file } = await nodeWith('old');
    const inFlight = Promise.all([
      file.writeAt(0, bytes('new')),
      disk.open(`${DIRECTORY}/b`, 'create'),
      disk.remove(`${DIRECTORY}/nowhere`),
      disk.read(PATH),
    ]);
    await node.pass(node.nowNs + 1000);
    node.kill();
    disk.abandon(random);
    node.device.processKill();
    await expectNothing(node, inFlight);
    expect(text(node.device.file(PATH).read())).toBe(content);
    expect(node.device.names(DIRECTORY)).toEqual(names);
    expect(text(node.device.file(PATH).durable())).toBe('old');
  });

  test('takes about half of the writes in flight, and never one that has completed', async () => {
    let taken = 0;
    for (let seed = 0; seed < 200; seed++) {
      const { node, disk, file } = await nodeWith('...');
      await node.finished(file.writeAt(0, bytes('old')));
      void file.writeAt(0, bytes('new'));
      node.kill();
      disk.abandon(smallRandom(seed));
      if (text(node.device.file(PATH).read()) === 'new') taken++;
    }
    expect(taken).toBeGreaterThan(60);
    expect(taken).toBeLessThan(140);
  });

  test('may tear a write in flight when the power goes with it', async () => {
    const seen = new Set<string>();
    for (let seed = 0; seed < 100; seed++) {
      const { node, disk, file } = await nodeWith('.'.repeat(1024));
      void file.writeAt(0, bytes('x'.repeat(1024)));
      node.kill();
      const random = smallRandom(seed);
      disk.abandon(random);
      node.device.powerLoss(random);
      const content = text(node.device.file(PATH).read());
      seen.add(`${content[0]}${content[1023]}`);
    }
    expect([...seen].sort()).toEqual(['..', '.x', 'x.', 'xx']);
  });
});

describe('a disk fault', () => {
  test('stall: operations hang until it is healed, then go on', async () => {
    const { node, disk, file } = await nodeWith('old');
    const written = file.writeAt(0, bytes('new'));
    node.faults.set({ type: 'stall' });
    const listed = disk.list(DIRECTORY);
    await node.pass(10_000_000_000);
    expect(text(node.device.file(PATH).read())).toBe('old');
    node.faults.set({ type: 'none' });
    await node.finished(Promise.all([written, listed]));
    expect(text(node.device.file(PATH).read())).toBe('new');
    expect(node.nowNs).toBe(10_000_000_000);
    expect(node.faults.tally()).toEqual({ stalled: 2, refused: 0, lied: 0 });
  });

  test('stall: a process that is killed meanwhile does not go on after healing', async () => {
    const { node, disk, file } = await nodeWith('old');
    node.faults.set({ type: 'stall' });
    const written = file.writeAt(0, bytes('new'));
    await node.pass(1_000_000_000);
    node.kill();
    disk.abandon(DROPS_ALL);
    const next = node.start();
    const read = next.read(PATH);
    await node.pass(2_000_000_000);
    node.faults.set({ type: 'none' });
    node.kill();
    await expectNothing(node, Promise.race([written, read]));
    expect(text(node.device.file(PATH).read())).toBe('old');
  });

  test('error on writes: changes are refused without effect, all else goes on', async () => {
    const { node, disk, file } = await nodeWith('old');
    await node.finished(file.writeAt(0, bytes('NEW')));
    node.faults.set({ type: 'error', operation: 'write', code: 'EIO' });
    const changes: (() => Promise<unknown>)[] = [
      () => file.writeAt(0, bytes('bad')),
      () => file.truncate(0),
      () => disk.open(`${DIRECTORY}/b`, 'create'),
      () => disk.rename(PATH, `${DIRECTORY}/c`),
      () => disk.remove(PATH),
    ];
    for (const change of changes) {
      await expect(node.finished(change())).rejects.toMatchObject({ code: 'EIO' });
    }
    expect(await node.finished(disk.list(DIRECTORY))).toEqual(['a']);
    await node.finished(file.datasync());
    expect(text(node.device.file(PATH).durable())).toBe('NEW');
    expect(node.faults.tally()).toEqual({ stalled: 0, refused: 5, lied: 0 });
    expect(node.told).toContain(`write ${PATH} at 0, 3 bytes: EIO`);
  });

  test('error on syncs: nothing becomes durable, and the syncs are not counted', async () => {
    const { node, disk, file } = await nodeWith('old');
    await node.finished(file.writeAt(0, bytes('new')));
    node.faults.set({ type: 'error', operation: 'sync', code: 'ENOSPC' });
    await expect(node.finished(file.datasync())).rejects.toMatchObject({ code: 'ENOSPC' });
    await expect(node.finished(disk.syncDirectory(DIRECTORY))).rejects.toThrow('ENOSPC');
    expect(text(node.device.file(PATH).durable())).toBe('old');
    expect(node.faults.counter().syncs).toBe(0);
    expect(node.faults.tally().refused).toBe(2);
  });

  test('a full disk refuses only what needs room', async () => {
    const { node, disk, file } = await nodeWith('old');
    node.faults.set({ type: 'error', operation: 'write', code: 'ENOSPC' });
    await node.finished(file.writeAt(0, bytes('new')));
    await node.finished(file.truncate(100));
    const growing: (() => Promise<unknown>)[] = [
      () => file.writeAt(2, bytes('xy')),
      () => file.writeAt(50, bytes('in the hole')),
      () => disk.open(`${DIRECTORY}/b`, 'create'),
    ];
    for (const each of growing) await expect(node.finished(each())).rejects.toThrow('ENOSPC');
    await node.finished(disk.rename(PATH, `${DIRECTORY}/c`));
    expect(text(node.device.file(`${DIRECTORY}/c`).read(0, 5))).toBe('new\0\0');
  });

  test('error: a write in flight at the kill is not taken', async () => {
    const { node, disk, file } = await nodeWith('old');
    node.faults.set({ type: 'error', operation: 'write', code: 'EIO' });
    void file.writeAt(0, bytes('new'));
    node.kill();
    disk.abandon(KEEPS_ALL);
    expect(text(node.device.file(PATH).read())).toBe('old');
  });

  test('lie: syncs succeed and keep nothing, until an honest one', async () => {
    const { node, disk, file } = await nodeWith('old');
    node.faults.set({ type: 'lie' });
    await node.finished(file.writeAt(0, bytes('new')));
    await node.finished(file.datasync());
    await node.finished(disk.open(`${DIRECTORY}/b`, 'create'));
    await node.finished(disk.syncDirectory(DIRECTORY));
    expect(text(node.device.file(PATH).durable())).toBe('old');
    expect(durableNames(node)).toEqual(['a']);
    expect(node.faults.tally()).toEqual({ stalled: 0, refused: 0, lied: 2 });
    expect(node.faults.counter().syncs).toBe(2);
    expect(node.told).toContain(`sync ${PATH}: lied`);
    node.faults.set({ type: 'none' });
    await node.finished(file.datasync());
    expect(text(node.device.file(PATH).durable())).toBe('new');
  });
});

describe('a slow sync', () => {
  test('takes longer by the delay asked for, and is counted', async () => {
    const { node, disk, file } = await nodeWith('old');
    await node.finished(file.datasync());
    node.faults.setSyncDelay(200);
    const startNs = node.nowNs;
    for (let i = 0; i < 2; i++) await node.finished(file.datasync());
    const elapsedMs = (node.nowNs - startNs) / 1e6;
    expect(elapsedMs).toBeGreaterThanOrEqual(400 + (2 * OPTIONS.syncUs[0]) / 1000);
    const counter = node.faults.counter();
    expect(counter).toMatchObject({ syncs: 3, delayedSyncs: 2 });
    expect(counter.delayedMeanMs).toBeCloseTo(elapsedMs / 2);
    const writeFromNs = node.nowNs;
    await node.finished(disk.list(DIRECTORY));
    expect(node.nowNs - writeFromNs).toBeLessThanOrEqual(OPTIONS.writeUs[1] * 1000);
  });

  test('under way when the delay is healed keeps it', async () => {
    const { node, file } = await nodeWith('old');
    node.faults.setSyncDelay(50);
    const startNs = node.nowNs;
    const synced = file.datasync();
    node.faults.setSyncDelay(0);
    await node.finished(synced);
    expect(node.nowNs - startNs).toBeGreaterThan(50e6);
    await node.finished(file.datasync());
    expect(node.faults.counter()).toMatchObject({ syncs: 2, delayedSyncs: 1 });
  });

  test('is counted from the restart on; the delay and the tally outlive it', async () => {
    const { node, file } = await nodeWith('old');
    node.faults.setSyncDelay(50);
    node.faults.set({ type: 'lie' });
    await node.finished(file.datasync());
    node.kill();
    const next = await node.finished(node.start().open(PATH, 'existing'));
    expect(node.faults.counter()).toEqual({ syncs: 0, delayedSyncs: 0, delayedMeanMs: 0 });
    await node.finished(next.datasync());
    expect(node.faults.counter()).toMatchObject({ syncs: 1, delayedSyncs: 1 });
    expect(node.faults.tally().lied).toBe(2);
  });
});

/** What is in flight never settles: whoever waits for it is dead. */
async function expectNothing(node: Machine, inFlight: Promise<unknown>): Promise<void> {
  let isSettled = false;
  const note = () => {
    isSettled = true;
  };
  inFlight.then(note, note);
  await node.pass();
  expect(isSettled).toBe(false);
}

function durableNames(node: Machine): string[] {
  return node.device.durableFiles(DIRECTORY).map(({ name }) => name);
}

function bytes(content: string): Uint8Array {
  return Buffer.from(content);
}

function text(content: Uint8Array): string {
  return Buffer.from(content).toString();
}
