import { describe, expect, test } from 'vitest';
import { recover } from '../../src/member/recover.ts';
import { Storage, StorageError } from '../../src/member/storage.ts';
import { simpleConf } from '../../src/raft/conf-state.ts';
import type { Entry, SnapshotMeta, StorageAppend } from '../../src/raft/message.ts';
import { readCheckpointMeta } from '../../src/snap/checkpoint-file.ts';
import { receivedName } from '../../src/snap/received-name.ts';
import { checkpointSink, removeReceived } from '../../src/snap/snapshot-files.ts';
import { writeCheckpoint } from '../../src/snap/write-checkpoint.ts';
import { image, put } from '../snap/checkpoint-fixture.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { MemoryDisk } from '../support/memory-disk.ts';
import { SNAP } from './copy-snapshot.ts';

/** Snapshots on their way from the network to the disk, and crashes and checkpoints in between. */

const CONF = simpleConf([1n, 2n, 3n]);
const MEMBERS = CONF.voters.map((id) => ({
  id,
  name: `n${id}`,
  peerUrls: [`http://p:${id}`],
  clientUrls: [],
  isLearner: false,
}));
const EMPTY: StorageAppend = {
  entries: [],
  hardState: undefined,
  snapshot: undefined,
  responses: [],
};
const WORST = { below: (bound: number) => bound - 1 };
/** Of what was not synced, every write survives and no change of a directory. */
const NAMES_LOST = { below: () => 0 };
const ignore = (): void => undefined;

function meta(index: number, term: number): SnapshotMeta {
  return { index, term, confState: CONF };
}

function append(from: number, to: number, term: number, commit: number): StorageAppend {
  const entries: Entry[] = [];
  for (let index = from; index <= to; index++) {
    entries.push({ type: 'normal', term, index, data: new Uint8Array(8) });
  }
  return { ...EMPTY, entries, hardState: { term, vote: undefined, commit } };
}

function imageAt(index: number, term: number) {
  const state = { index, term, confState: CONF, members: MEMBERS, removedMembers: [] };
  return { ...image([put(2, 'a', `${index}`)], state), release: ignore };
}

/** A member's storage, and a way to let work on it come to its end. */
async function boot(disk: MemoryDisk) {
  const clock = new ManualClock();
  const recovered = await recover({
    disk,
    clock,
    walDirectory: '/member/wal',
    snapDirectory: SNAP,
    segmentBytesMax: 64 * 1024,
    memberId: 1n,
    clusterId: 9n,
    initialMembers: MEMBERS,
    fresh: 'newCluster',
    onSync: ignore,
  });
  if (!recovered.ok) throw new Error(recovered.error);
  const { wal } = recovered.value;
  const storage = new Storage({ disk, clock, snapDirectory: SNAP, wal });
  const ended = async <Value>(work: Promise<Value>): Promise<Value> => {
    let done = false;
    const settled = work.finally(() => {
      done = true;
    });
    for (let turn = 0; turn < 100 && !done; turn++) await clock.settle();
    expect(done).toBe(true);
    return settled;
  };
  return { storage, ended, raft: recovered.value.recovered.raft };
}

async function fileOf(index: number, term: number): Promise<Uint8Array> {
  const disk = new MemoryDisk();
  await disk.makeDirectory(SNAP);
  await writeCheckpoint(disk, SNAP, imageAt(index, term));
  return disk.peek(`${SNAP}/db`);
}

async function receive(disk: MemoryDisk, index: number, term: number): Promise<void> {
  const receiving = await checkpointSink(disk, SNAP).create(meta(index, term));
  await receiving.write(await fileOf(index, term));
  await receiving.finish();
}

/** What a crash between the rename and the mark in the log leaves behind. */
async function crashAfterRename(disk: MemoryDisk, at: SnapshotMeta): Promise<MemoryDisk> {
  await receive(disk, at.index, at.term);
  await disk.rename(`${SNAP}/${receivedName(at)}`, `${SNAP}/db`);
  await disk.syncDirectory(SNAP);
  return disk.afterPowerLoss(WORST);
}

test('a checkpoint that the log cannot mark is no failure to be repeated', async () => {
  const disk = new MemoryDisk();
  const { storage, ended } = await boot(disk);
  await ended(storage.append(append(4, 20, 1, 20), ignore));
  // The checkpoint's own sync succeeds, that of its mark does not.
  disk.failNth('datasync', 2, 'EIO');
  const saved = storage.saveCheckpoint(imageAt(20, 1)).catch((error: unknown) => error);
  expect(await ended(saved)).toBeInstanceOf(StorageError);
});

describe('a crash between a snapshot and its mark in the log', () => {
  test('what only a process survived is durable once it was started from', async () => {
    const disk = new MemoryDisk();
    const first = await boot(disk);
    await first.ended(first.storage.append(append(4, 20, 1, 20), ignore));
    const at = meta(100, 3);
    await receive(disk, at.index, at.term);
    await disk.rename(`${SNAP}/${receivedName(at)}`, `${SNAP}/db`);
    // Only the process dies here, before the directory is synced; the power fails much later.
    const second = await boot(disk);
    await second.ended(second.storage.append(append(101, 102, 3, 102), ignore));
    const third = await boot(disk.afterPowerLoss(NAMES_LOST));
    expect(third.raft).toMatchObject({ snapshot: { index: 100 }, entries: [{ index: 101 }, {}] });
  });

  test('the log goes on from the snapshot', async () => {
    const disk = new MemoryDisk();
    const first = await boot(disk);
    await first.ended(first.storage.append(append(4, 20, 1, 20), ignore));
    const second = await boot(await crashAfterRename(disk, meta(100, 3)));
    expect(second.raft).toMatchObject({ snapshot: { index: 100, term: 3 }, entries: [] });
    await second.ended(second.storage.append(append(101, 102, 3, 102), ignore));
  });

  test('entries acknowledged after it survive the next crash, though the log held others', async () => {
    const disk = new MemoryDisk();
    const first = await boot(disk);
    await first.ended(first.storage.append(append(4, 150, 2, 20), ignore));
    const crashed = await crashAfterRename(disk, meta(100, 3));
    const second = await boot(crashed);
    await second.ended(second.storage.append(append(101, 103, 3, 100), ignore));
    const third = await boot(crashed.afterPowerLoss(WORST));
    expect(third.raft.entries.map(({ index, term }) => [index, term])).toEqual([
      [101, 3],
      [102, 3],
      [103, 3],
    ]);
  });
});

describe('a checkpoint of its own beside a snapshot from the leader', () => {
  test.each(['in the same turn', 'while it is being installed'])('%s', async (when) => {
    const disk = new MemoryDisk();
    const { storage, ended } = await boot(disk);
    await ended(storage.append(append(4, 90, 1, 90), ignore));
    await receive(disk, 200, 1);
    const hardState = { term: 1, vote: undefined, commit: 200 };
    const installed = storage.append({ ...EMPTY, snapshot: meta(200, 1), hardState }, ignore);
    if (when === 'while it is being installed') await Promise.resolve();
    const saved = storage.saveCheckpoint(imageAt(90, 1));
    await ended(Promise.all([installed, saved]));
    const onDisk = await readCheckpointMeta(disk, SNAP);
    expect(onDisk).toMatchObject({ ok: true, value: { index: 200 } });
    await ended(storage.append(append(201, 203, 1, 203), ignore));
    const restarted = await boot(disk.afterPowerLoss(WORST));
    expect(restarted.raft.entries.map(({ index }) => index)).toEqual([201, 202, 203]);
  });
});

describe('transfers that overlap', () => {
  test('one that fails late leaves its successor alone', async () => {
    const disk = new MemoryDisk();
    const { storage, ended } = await boot(disk);
    const sink = checkpointSink(disk, SNAP);
    const stalled = await sink.create(meta(200, 1));
    const second = await sink.create(meta(200, 1));
    await second.write(await fileOf(200, 1));
    await stalled.abort();
    await second.finish();
    await ended(storage.append({ ...EMPTY, snapshot: meta(200, 1) }, ignore));
    expect(disk.names(SNAP)).toEqual(['db']);
  });

  test('one that begins leaves alone what waits to be installed', async () => {
    const disk = new MemoryDisk();
    const { storage, ended } = await boot(disk);
    await receive(disk, 200, 1);
    const installed = storage.append({ ...EMPTY, snapshot: meta(200, 1) }, ignore);
    await checkpointSink(disk, SNAP).create(meta(300, 1));
    await ended(installed);
  });

  test('a damaged file is refused, and a start removes what is left over', async () => {
    const disk = new MemoryDisk();
    const receiving = await checkpointSink(disk, SNAP).create(meta(200, 1));
    await receiving.write((await fileOf(200, 1)).subarray(0, 5_000));
    await expect(receiving.finish()).rejects.toThrow('damaged');
    await removeReceived(disk, SNAP);
    expect(disk.names(SNAP)).toEqual([]);
  });
});
