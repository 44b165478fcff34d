import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { EntryType, Message } from '../../src/raft/message.ts';
import { decodePeerMessage, encodePeerMessage } from '../../src/wire/peer-message.ts';

type PeerMessage = Exclude<Message, { type: 'MsgStorageAppendResp' }>;

const id = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
const int = fc.maxSafeNat();
const flag = fc.boolean();
const data = fc.uint8Array({ maxLength: 40 });
const entryType = fc.constantFrom<EntryType[]>('normal', 'confChange', 'confChangeV2');
const envelope = { from: id, to: id, term: int };
const entry = fc.record({ type: entryType, term: int, index: int, data });
const confState = fc.record({
  voters: fc.array(id),
  learners: fc.array(id),
  votersOutgoing: fc.array(id),
  learnersNext: fc.array(id),
  autoLeave: fc.boolean(),
});

function of<Type extends string, Body extends Record<string, fc.Arbitrary<unknown>>>(
  type: Type,
  body: Body,
) {
  return fc.record({ type: fc.constant(type), ...envelope, ...body });
}

const message = fc.oneof(
  of('MsgProp', { entries: fc.array(fc.record({ type: entryType, data })) }),
  of('MsgApp', { index: int, logTerm: int, commit: int, entries: fc.array(entry) }),
  of('MsgAppResp', { index: int, reject: flag, rejectHint: int, logTerm: int }),
  of('MsgVote', { index: int, logTerm: int, transfer: flag }),
  of('MsgPreVote', { index: int, logTerm: int, transfer: flag }),
  of('MsgVoteResp', { reject: flag, commit: int, commitTerm: int }),
  of('MsgPreVoteResp', { reject: flag, commit: int, commitTerm: int }),
  of('MsgHeartbeat', { commit: int, context: int }),
  of('MsgHeartbeatResp', { context: int }),
  of('MsgSnap', { snapshot: fc.record({ index: int, term: int, confState }) }),
  of('MsgReadIndex', { context: int }),
  of('MsgReadIndexResp', { context: int, index: int }),
  of('MsgTimeoutNow', {}),
  of('MsgTransferLeader', { transferee: id }),
) as fc.Arbitrary<PeerMessage>;

describe('peer messages', () => {
  test('every message comes back as it was', () => {
    fc.assert(
      fc.property(message, (sent) => {
        const received = decodePeerMessage(encodePeerMessage(sent));
        expect(received).toEqual({ ok: true, value: sent });
      }),
      { seed: 1 },
    );
  });

  test('a message cut short or with bytes too many is refused, not misread', () => {
    fc.assert(
      fc.property(message, fc.nat(), (sent, cut) => {
        const bytes = encodePeerMessage(sent);
        expect(decodePeerMessage(bytes.subarray(0, cut % bytes.length)).ok).toBe(false);
        expect(decodePeerMessage(Uint8Array.of(...bytes, 0)).ok).toBe(false);
      }),
      { seed: 2 },
    );
  });

  test('arbitrary bytes give a message or a reason', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        const received = decodePeerMessage(bytes);
        expect(received.ok || received.error.length > 0).toBe(true);
      }),
      { seed: 3, numRuns: 1000 },
    );
  });
});
