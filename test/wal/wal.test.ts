import { describe, expect, test } from 'vitest';
import { simpleConf } from '../../src/raft/conf-state.ts';
import { Wal } from '../../src/wal/wal.ts';
import { MemoryDisk } from '../support/memory-disk.ts';
import { smallRandom } from '../support/small-random.ts';
import {
  DIRECTORY,
  entries,
  entry,
  hardState,
  METADATA,
  openWal,
  walOptions,
} from './wal-fixture.ts';

const CONF_STATE = simpleConf([METADATA.memberId]);
const SMALL = { segmentBytesMax: 1024 };

describe('create', () => {
  test('begins a log that opens empty', async () => {
    const disk = new MemoryDisk();
    await (await Wal.create(walOptions(disk), METADATA)).close();
    expect(disk.names(DIRECTORY)).toEqual(['0000000000000000-0000000000000000.wal']);
    const { recovered } = await openWal(disk);
    expect(recovered).toEqual({
      metadata: METADATA,
      hardState: hardState(0),
      entries: [],
      snapshots: [],
      repairedTornTailBytes: 0,
    });
  });

  test('refuses a directory that holds a log', async () => {
    const disk = new MemoryDisk();
    await Wal.create(walOptions(disk), METADATA);
    await expect(Wal.create(walOptions(disk), METADATA)).rejects.toMatchObject({ code: 'EEXIST' });
  });

  test('interrupted anywhere leaves no log or a whole one, and can be repeated', async () => {
    let hasFailed = true;
    for (let count = 0; hasFailed; count++) {
      const disk = new MemoryDisk();
      disk.powerOffAfter(count);
      hasFailed = await Wal.create(walOptions(disk), METADATA).then(
        () => false,
        () => true,
      );
      for (let seed = 0; seed < 8; seed++) {
        const survivor = disk.afterPowerLoss(smallRandom(seed));
        const opened = await Wal.open(walOptions(survivor));
        if (opened.ok) continue;
        expect(hasFailed).toBe(true);
        expect(opened.error).toEqual({ kind: 'missing', directory: DIRECTORY });
        await Wal.create(walOptions(survivor), METADATA);
        await openWal(survivor);
      }
    }
  });
});

describe('append', () => {
  test('gives back entries and the last hard state after a restart', async () => {
    const disk = new MemoryDisk();
    const wal = await Wal.create(walOptions(disk), METADATA);
    const change = { ...entry(3), type: 'confChange' as const };
    await wal.append({ entries: entries(1, 2), hardState: hardState(1, 0, METADATA.memberId) });
    await wal.append({ entries: [change], hardState: hardState(1, 2, METADATA.memberId) });
    await wal.append({ entries: [{ ...entry(4), data: new Uint8Array(0) }], hardState: undefined });
    const { recovered } = await openWal(disk);
    expect(recovered.hardState).toEqual(hardState(1, 2, METADATA.memberId));
    const noOp = { ...entry(4), data: new Uint8Array(0) };
    expect(recovered.entries).toEqual([...entries(1, 2), change, noOp]);
  });

  test('writes what came during a write together, and answers in order', async () => {
    const disk = new MemoryDisk();
    const wal = await Wal.create(walOptions(disk), METADATA);
    const answered: number[] = [];
    const operationsBefore = disk.operations;
    const appends = entries(1, 20).map((each) =>
      wal.append({ entries: [each], hardState: undefined }).then(() => answered.push(each.index)),
    );
    await Promise.all(appends);
    expect(answered).toEqual(entries(1, 20).map((each) => each.index));
    // The first alone, then nineteen together: a write and a sync each.
    expect(disk.operations - operationsBefore).toBe(4);
    expect((await openWal(disk)).recovered.entries).toEqual(entries(1, 20));
  });

  test('splits what waits into writes of bounded size', async () => {
    const disk = new MemoryDisk();
    const wal = await Wal.create(walOptions(disk, { segmentBytesMax: 64_000_000 }), METADATA);
    const operationsBefore = disk.operations;
    const large = entries(1, 4).map((each) => ({ ...each, data: new Uint8Array(5_000_000) }));
    await Promise.all(large.map((each) => wal.append({ entries: [each], hardState: undefined })));
    expect(disk.operations - operationsBefore).toBe(8);
  });

  test('reports the time of each sync; a new commit index alone needs none', async () => {
    const disk = new MemoryDisk();
    const latencies: number[] = [];
    const onSync = (latencyNs: number): number => latencies.push(latencyNs);
    const wal = await Wal.create(walOptions(disk, { onSync }), METADATA);
    await wal.append({ entries: entries(1, 3), hardState: hardState(1, 0) });
    expect(latencies).toEqual([1_000_000]);
    const operationsBefore = disk.operations;
    await wal.append({ entries: [], hardState: hardState(1, 0) });
    await wal.append({ entries: [], hardState: undefined });
    expect(disk.operations).toBe(operationsBefore);
    await wal.append({ entries: [], hardState: hardState(1, 3) });
    expect(disk.operations).toBe(operationsBefore + 1);
    expect(latencies.length).toBe(1);
    await wal.append({ entries: [], hardState: hardState(2, 3) });
    expect(latencies.length).toBe(2);
    expect((await openWal(disk)).recovered.hardState).toEqual(hardState(2, 3));
  });

  test('a gap is a bug of the caller, and ends the log', async () => {
    const wal = await Wal.create(walOptions(new MemoryDisk()), METADATA);
    await expect(wal.append({ entries: [entry(2)], hardState: undefined })).rejects.toThrow('gap');
    await expect(wal.append({ entries: [entry(1)], hardState: undefined })).rejects.toThrow('gap');
  });
});

describe('a failed disk', () => {
  test.each(['writeAt', 'datasync'] as const)(
    'in %s fails this and every later call',
    async (kind) => {
      const disk = new MemoryDisk();
      const wal = await Wal.create(walOptions(disk), METADATA);
      await wal.append({ entries: [entry(1)], hardState: undefined });
      disk.failNth(kind, 2, 'EIO');
      const appends = [2, 3, 4].map((i) =>
        wal.append({ entries: [entry(i)], hardState: undefined }),
      );
      const outcomes = await Promise.allSettled(appends);
      expect(outcomes.map((outcome) => outcome.status)).toEqual([
        'fulfilled',
        'rejected',
        'rejected',
      ]);
      await expect(wal.append({ entries: [entry(5)], hardState: undefined })).rejects.toMatchObject(
        {
          code: 'EIO',
        },
      );
      const meta = { index: 2, term: 1, confState: CONF_STATE };
      await expect(wal.saveSnapshot(meta)).rejects.toMatchObject({ code: 'EIO' });
      await wal.close();
      const { recovered } = await openWal(disk.afterPowerLoss(smallRandom(1)));
      expect(recovered.entries.slice(0, 2)).toEqual(entries(1, 2));
    },
  );

  test.each([
    ['truncate', 1],
    ['open', 1],
    ['rename', 1],
    ['syncDirectory', 1],
    ['open', 2],
  ] as const)(
    'in %s (%i) while a segment is begun loses nothing acknowledged',
    async (kind, nth) => {
      const disk = new MemoryDisk();
      const wal = await Wal.create(walOptions(disk, SMALL), METADATA);
      disk.failNth(kind, nth, 'ENOSPC');
      let acknowledged = 0;
      let failure: unknown;
      for (const each of entries(1, 40)) {
        try {
          await wal.append({ entries: [each], hardState: undefined });
          acknowledged = each.index;
        } catch (error) {
          failure ??= error;
        }
      }
      expect(failure).toMatchObject({ code: 'ENOSPC' });
      expect(acknowledged).toBeGreaterThan(5);
      await wal.close();
      const { recovered } = await openWal(disk.afterPowerLoss(smallRandom(2)), SMALL);
      expect(recovered.entries).toEqual(entries(1, acknowledged));
    },
  );

  test('a closed log rejects', async () => {
    const wal = await Wal.create(walOptions(new MemoryDisk()), METADATA);
    const pending = wal.append({ entries: [entry(1)], hardState: undefined });
    await wal.close();
    await pending;
    await expect(wal.append({ entries: [entry(2)], hardState: undefined })).rejects.toMatchObject({
      code: 'EBADF',
    });
  });
});

describe('segments', () => {
  test('are cut at their size, and each repeats who writes and the hard state', async () => {
    const disk = new MemoryDisk();
    const wal = await Wal.create(walOptions(disk, SMALL), METADATA);
    await wal.append({ entries: [], hardState: hardState(3, 0, METADATA.memberId) });
    for (const each of entries(1, 60, 3))
      await wal.append({ entries: [each], hardState: undefined });
    const names = disk.names(DIRECTORY);
    expect(names.length).toBeGreaterThan(3);
    for (const name of names.slice(0, -1)) {
      expect(disk.peek(`${DIRECTORY}/${name}`).length).toBeLessThanOrEqual(1024);
    }
    await wal.release(60);
    expect(disk.names(DIRECTORY)).toEqual(names.slice(-1));
    const { recovered } = await openWal(disk, SMALL);
    expect(recovered.metadata).toEqual(METADATA);
    expect(recovered.hardState).toEqual(hardState(3, 0, METADATA.memberId));
    expect(recovered.entries.at(-1)).toEqual(entry(60, 3));
  });

  test('are released when all their entries are, never the one being written', async () => {
    const disk = new MemoryDisk();
    const wal = await Wal.create(walOptions(disk, SMALL), METADATA);
    for (const each of entries(1, 60)) await wal.append({ entries: [each], hardState: undefined });
    for (const index of [0, 7, 20, 41, 60, 1000]) {
      await wal.release(index);
      const { recovered } = await openWal(disk, SMALL);
      const first = recovered.entries[0]!.index;
      expect(first).toBeLessThanOrEqual(index + 1);
      expect(recovered.entries).toEqual(entries(first, 60));
    }
    expect(disk.names(DIRECTORY).length).toBe(1);
    await wal.append({ entries: [entry(61)], hardState: undefined });
  });

  test('a checkpoint at the end of a segment keeps what ties the log to it', async () => {
    const disk = new MemoryDisk();
    const wal = await Wal.create(walOptions(disk, SMALL), METADATA);
    for (const each of entries(1, 60)) await wal.append({ entries: [each], hardState: undefined });
    const firsts = disk.names(DIRECTORY).map((name) => Number.parseInt(name.slice(17, 33), 16));
    const last = firsts[1]! - 1;
    await wal.saveSnapshot({ index: last, term: 1, confState: CONF_STATE });
    await wal.release(last);
    const { recovered } = await openWal(disk, SMALL);
    expect(recovered.entries[0]!.index).toBeLessThanOrEqual(last);
  });

  test('a release that failed can be repeated, and a crash in it leaves no hole', async () => {
    for (const kind of ['remove', 'syncDirectory'] as const) {
      const disk = new MemoryDisk();
      const wal = await Wal.create(walOptions(disk, SMALL), METADATA);
      for (const each of entries(1, 60))
        await wal.append({ entries: [each], hardState: undefined });
      disk.failNth(kind, 2, 'EIO');
      await expect(wal.release(60)).rejects.toMatchObject({ code: 'EIO' });
      await wal.release(60);
      await wal.append({ entries: [entry(61)], hardState: undefined });
      const survivor = disk.afterPowerLoss(smallRandom(3));
      expect((await openWal(survivor, SMALL)).recovered.entries.at(-1)).toEqual(entry(61));
    }
  });

  test('a missing one is a gap, named', async () => {
    const disk = new MemoryDisk();
    const wal = await Wal.create(walOptions(disk, SMALL), METADATA);
    for (const each of entries(1, 60)) await wal.append({ entries: [each], hardState: undefined });
    const [, second, third] = disk.names(DIRECTORY);
    await disk.remove(`${DIRECTORY}/${second}`);
    expect(await Wal.open(walOptions(disk, SMALL))).toMatchObject({
      ok: false,
      error: { kind: 'gap', file: third },
    });
  });

  test('an entry larger than a segment gets one of its own', async () => {
    const disk = new MemoryDisk();
    const wal = await Wal.create(walOptions(disk, SMALL), METADATA);
    const large = { ...entry(6), data: new Uint8Array(5000).fill(7) };
    await wal.append({ entries: entries(1, 5), hardState: undefined });
    await wal.append({ entries: [large], hardState: undefined });
    await wal.append({ entries: [entry(7)], hardState: undefined });
    expect(disk.names(DIRECTORY).length).toBe(3);
    const { recovered } = await openWal(disk, SMALL);
    expect(recovered.entries).toEqual([...entries(1, 5), large, entry(7)]);
  });
});

describe('saveSnapshot', () => {
  test('is in order with the appends around it', async () => {
    const disk = new MemoryDisk();
    const wal = await Wal.create(walOptions(disk), METADATA);
    const meta = { index: 9, term: 2, confState: CONF_STATE };
    await Promise.all([
      wal.append({ entries: entries(1, 5), hardState: undefined }),
      wal.saveSnapshot(meta),
      wal.append({ entries: entries(10, 11, 2), hardState: hardState(2, 9) }),
    ]);
    const { wal: reopened, recovered } = await openWal(disk);
    expect(recovered.snapshots).toEqual([meta]);
    expect(recovered.entries).toEqual(entries(10, 11, 2));
    await reopened.append({ entries: [entry(12, 2)], hardState: undefined });
    expect((await openWal(disk)).recovered.entries).toEqual(entries(10, 12, 2));
  });
});
