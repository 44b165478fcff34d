import { expect, test } from 'vitest';
import { seededRandom } from '../../harness/seeded-random.ts';
import { putRequest } from '../../src/client/requests.ts';
import type { MemberConfig } from '../../src/member/config.ts';
import { DEFAULT_LIMITS } from '../../src/member/limits.ts';
import { Member } from '../../src/member/member.ts';
import { timingOf } from '../../src/member/timing.ts';
import { DEFAULT_WATCH_LIMITS } from '../../src/mvcc/watch-hub.ts';
import { simpleConf } from '../../src/raft/conf-state.ts';
import { RAFT_DEFAULTS } from '../../src/raft/config.ts';
import type { Entry } from '../../src/raft/message.ts';
import { encodeLoggedRequest } from '../../src/wire/logged-request.ts';

const CONF = simpleConf([1n, 2n, 3n]);
const ENTRIES = 30;

const CONFIG: MemberConfig = {
  memberId: 1n,
  clusterId: 9n,
  name: 'n1',
  clientUrls: [],
  timing: timingOf(100, 1000),
  limits: DEFAULT_LIMITS,
  raft: RAFT_DEFAULTS,
  leaseCheckpointS: 300,
  watch: DEFAULT_WATCH_LIMITS,
  compaction: { mode: 'off' },
  snapshotCount: 10,
  catchupEntries: 5,
};

/** Its log holds entries up to 30, all of them committed and durable. */
function restarted(): Member {
  const entries = Array.from({ length: ENTRIES }, (_, at): Entry => {
    const request = putRequest({ key: `k${at}`, value: 'v' });
    const data = encodeLoggedRequest({ id: 0n, request: { type: 'put', request } });
    return { type: 'normal', term: 1, index: at + 1, data };
  });
  const hardState = { term: 1, vote: undefined, commit: ENTRIES };
  const snapshot = { index: 0, term: 0, confState: CONF };
  const raft = { hardState, snapshot, entries, applied: 0 };
  return new Member(CONFIG, { checkpoint: undefined, raft }, seededRandom(1));
}

test('a checkpoint that a snapshot on its way to the disk has overtaken is only noted', () => {
  const member = restarted();
  let due: number | undefined;
  for (let turn = 0; turn < 10 && due === undefined; turn++) {
    const image = member.takeOutputs()?.checkpoint;
    image?.release();
    due = image?.index;
  }
  expect(due).toBe(ENTRIES);
  const snapshot = { index: 100, term: 2, confState: CONF };
  member.step({
    type: 'message',
    message: { type: 'MsgSnap', from: 2n, to: 1n, term: 2, snapshot },
  });
  const append = member.takeOutputs()?.append;
  expect(append?.snapshot?.index).toBe(100);
  // Seed 230: the log, emptied up to the snapshot, was to be compacted beyond the checkpoint.
  member.step({ type: 'checkpointSaved', meta: { index: ENTRIES, term: 1, confState: CONF } });
  expect(member.core.log.lastIndex).toBe(100);
});
