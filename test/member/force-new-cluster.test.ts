/** What a start makes of directories that tools restored, or that lost their cluster. */
import { describe, expect, test } from 'vitest';
import type { MemberId } from '../../src/lib/ids.ts';
import { adoptRestored, membersOf } from '../../src/member/adopt-restored.ts';
import { confChangeRecord, type MembershipChange } from '../../src/member/apply-membership.ts';
import { forceNewCluster } from '../../src/member/force-new-cluster.ts';
import { recover } from '../../src/member/recover.ts';
import { simpleConf } from '../../src/raft/conf-state.ts';
import type { Entry } from '../../src/raft/message.ts';
import type { RaftRestore } from '../../src/raft/raw-node.ts';
import { type Checkpoint, readCheckpoint } from '../../src/snap/read-checkpoint.ts';
import { writeCheckpoint } from '../../src/snap/write-checkpoint.ts';
import { SEGMENT_BYTES_MAX, Wal } from '../../src/wal/wal.ts';
import { encodeConfChange } from '../../src/wire/raft-records.ts';
import { image } from '../snap/checkpoint-fixture.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { MemoryDisk } from '../support/memory-disk.ts';

function info(id: MemberId) {
  return { id, name: `n${id}`, peerUrls: [`http://p:${id}`], clientUrls: [], isLearner: false };
}

function changeAt(index: number, change: MembershipChange): Entry {
  const data = encodeConfChange(confChangeRecord(0n, change));
  return { type: 'confChange', term: 1, index, data };
}

function normalAt(index: number, term = 2): Entry {
  return { type: 'normal', term, index, data: new Uint8Array(0) };
}

const ADD_THREE = [1n, 2n, 3n].map((id, at) => changeAt(at + 1, { type: 'add', member: info(id) }));
const NOBODY = { members: [], removed: [], confState: simpleConf([]) };

describe('a database that a tool restored', () => {
  const written = { ...image([]), index: 3, term: 7, sizeBytes: 0 };
  const checkpoint: Checkpoint = { ...written, takeRevisions: written.revisions };

  test('gets its members from the log that was made for it', () => {
    const adopted = adoptRestored(checkpoint, ADD_THREE);
    expect(adopted).toMatchObject({
      index: 3,
      term: 1,
      confState: simpleConf([1n, 2n, 3n]),
      members: [{ name: 'n1' }, { name: 'n2' }, { name: 'n3' }],
      removedMembers: [],
    });
  });

  test('names them in its file, too: another member may be sent it', async () => {
    const [disk, clock, onSync] = [new MemoryDisk(), new ManualClock(), () => undefined];
    const wal = { disk, clock, directory: '/wal', segmentBytesMax: SEGMENT_BYTES_MAX };
    const log = await Wal.create(wal, { memberId: 1n, clusterId: 9n });
    const hardState = { term: 1, vote: undefined, commit: 3 };
    await log.append({ entries: ADD_THREE, hardState });
    await log.saveSnapshot({ index: 3, term: 1, confState: simpleConf([1n, 2n, 3n]) });
    await log.close();
    await disk.makeDirectory('/snap');
    await writeCheckpoint(disk, '/snap', { ...image([]), index: 3, term: 0, members: [info(7n)] });
    const recovered = await recover({
      ...{ disk, clock, onSync, walDirectory: '/wal', snapDirectory: '/snap' },
      ...{ segmentBytesMax: SEGMENT_BYTES_MAX, memberId: 1n, clusterId: 9n },
      ...{ initialMembers: [], fresh: 'refuse' },
    });
    expect(recovered.ok).toBe(true);
    expect(await readCheckpoint(disk, '/snap')).toMatchObject({
      ok: true,
      value: { term: 1, confState: simpleConf([1n, 2n, 3n]), members: [{ id: 1n }, {}, {}] },
    });
  });

  test.each<[string, readonly Entry[]]>([
    ['the log begins later', ADD_THREE.slice(1)],
    ['the log holds requests, too', [...ADD_THREE.slice(0, 2), normalAt(3)]],
    ['there is no log', []],
  ])('is taken as it is where %s', (_, entries) => {
    expect(adoptRestored(checkpoint, entries)).toBe(checkpoint);
  });
});

test('members are what the entries make of them, up to the asked index', () => {
  const entries = [...ADD_THREE, normalAt(4), changeAt(5, { type: 'remove', id: 2n })];
  const all = membersOf(entries, NOBODY);
  expect(all.members.map(({ id }) => id)).toEqual([1n, 3n]);
  expect(all.removed).toEqual([2n]);
  expect(all.confState).toEqual(simpleConf([1n, 3n]));
  expect(membersOf(entries, NOBODY, 4).confState).toEqual(simpleConf([1n, 2n, 3n]));
});

describe('a forced new cluster', () => {
  const raft: RaftRestore = {
    hardState: { term: 5, vote: 2n, commit: 4 },
    snapshot: { index: 0, term: 0, confState: simpleConf([]) },
    entries: [...ADD_THREE, normalAt(4), normalAt(5), changeAt(6, { type: 'remove', id: 1n })],
    applied: 0,
  };

  test('keeps what was committed, and removes everybody else by committed entries', () => {
    const forced = forceNewCluster(raft, NOBODY, info(1n));
    expect(forced.entries.map(({ index, term }) => [index, term])).toEqual([
      [1, 1],
      [2, 1],
      [3, 1],
      [4, 2],
      [5, 5],
      [6, 5],
    ]);
    expect(forced.hardState).toEqual({ term: 5, vote: 2n, commit: 6 });
    const after = membersOf(forced.entries, NOBODY);
    expect(after.confState).toEqual(simpleConf([1n]));
    expect(after.removed).toEqual([2n, 3n]);
  });

  test('begins with a checkpoint that has all of the log', () => {
    const snapshot = { index: 9, term: 4, confState: simpleConf([1n, 2n]) };
    const hardState = { term: 5, vote: undefined, commit: 9 };
    const known = { members: [info(1n), info(2n)], removed: [] };
    const forced = forceNewCluster(
      { hardState, snapshot, entries: [], applied: 9 },
      known,
      info(1n),
    );
    expect(forced.entries.map(({ index }) => index)).toEqual([10]);
    const after = membersOf(forced.entries, { ...known, confState: snapshot.confState });
    expect(after.confState).toEqual(simpleConf([1n]));
  });

  test('adds a member that the checkpoint does not know, before the others go', () => {
    const known = { members: [info(2n)], removed: [] };
    const snapshot = { index: 9, term: 4, confState: simpleConf([2n]) };
    const hardState = { term: 5, vote: undefined, commit: 9 };
    const forced = forceNewCluster(
      { hardState, snapshot, entries: [], applied: 9 },
      known,
      info(7n),
    );
    const after = membersOf(forced.entries, { ...known, confState: snapshot.confState });
    expect(after.confState).toEqual(simpleConf([7n]));
    expect(after.members).toEqual([info(7n)]);
  });

  test('of a member that is alone changes nothing', () => {
    const snapshot = { index: 9, term: 4, confState: simpleConf([1n]) };
    const hardState = { term: 5, vote: undefined, commit: 9 };
    const alone = { hardState, snapshot, entries: [], applied: 9 };
    expect(forceNewCluster(alone, { members: [info(1n)], removed: [] }, info(1n))).toEqual(alone);
  });
});
