import { expect, test } from 'vitest';
import { seededRandom } from '../../harness/seeded-random.ts';
import { putRequest } from '../../src/client/requests.ts';
import { Member } from '../../src/member/member.ts';
import { simpleConf } from '../../src/raft/conf-state.ts';
import type { Entry } from '../../src/raft/message.ts';
import { encodeLoggedRequest } from '../../src/wire/logged-request.ts';
import { MEMBER_CONFIG } from './member-config.ts';

const CONF = simpleConf([1n, 2n, 3n]);
const ENTRIES = 30;

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
  return new Member(MEMBER_CONFIG, { checkpoint: undefined, raft }, seededRandom(1));
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
