import { expect, test } from 'vitest';
import { Storage } from '../../src/member/storage.ts';
import type { StorageAppend } from '../../src/raft/message.ts';
import { SEGMENT_BYTES_MAX, Wal } from '../../src/wal/wal.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { MemoryDisk } from '../support/memory-disk.ts';

const EMPTY: StorageAppend = {
  entries: [],
  hardState: undefined,
  snapshot: undefined,
  responses: [],
};

async function openStorage(disk: MemoryDisk): Promise<Storage> {
  const clock = new ManualClock();
  const options = { disk, clock, directory: '/wal', segmentBytesMax: SEGMENT_BYTES_MAX };
  const wal = await Wal.create(options, { memberId: 1n, clusterId: 2n });
  return new Storage({ disk, clock, snapDirectory: '/snap', wal });
}

function entry(index: number): StorageAppend {
  const data = new Uint8Array(8);
  return { ...EMPTY, entries: [{ type: 'normal', term: 1, index, data }] };
}

// A follower that hears of a new commit index answers with an append of no content; that
// answer must not overtake the write it vouches for.
test('an append without content waits for the writes before it', async () => {
  const storage = await openStorage(new MemoryDisk());
  const order: string[] = [];
  const note = (what: string) => () => void order.push(what);
  const ignore = (): void => undefined;
  await Promise.all([
    storage.append(entry(1), ignore).then(note('written')),
    storage.append(EMPTY, ignore).then(note('empty')),
    storage.append(entry(2), ignore).then(note('written too')),
    storage.append(EMPTY, ignore).then(note('empty too')),
  ]);
  expect(order).toEqual(['written', 'empty', 'written too', 'empty too']);
});

test('after a failed write nothing resolves any more, not even appends without content', async () => {
  const disk = new MemoryDisk();
  const storage = await openStorage(disk);
  const ignore = (): void => undefined;
  disk.failNth('datasync', 1, 'EIO');
  const outcomes = await Promise.allSettled([
    storage.append(entry(1), ignore),
    storage.append(EMPTY, ignore),
  ]);
  expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
});
