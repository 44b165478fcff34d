/** Nothing that the network can bring, in any order, stops a member or breaks its state. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AssertionError } from '../../src/lib/assert.ts';
import type { Entry, EntryType, Message } from '../../src/raft/message.ts';
import { PEER_MESSAGE_TYPES } from '../support/peer-message-types.ts';
import { TestCluster } from './test-cluster.ts';

const SEED = { seed: 20_26, numRuns: 300 };

const id = fc.bigInt({ min: 0n, max: 5n });
const ids = fc.array(id, { maxLength: 3 });
const small = fc.nat(8);
const data = fc.constant(new Uint8Array(2));
const entryType = fc.constantFrom<EntryType[]>('normal', 'confChange', 'confChangeV2');
const entry: fc.Arbitrary<Entry> = fc.record({ type: entryType, term: small, index: small, data });
const snapshot = fc.record({
  index: small,
  term: small,
  confState: fc.record({
    voters: ids,
    learners: ids,
    votersOutgoing: ids,
    learnersNext: ids,
    autoLeave: fc.boolean(),
  }),
});

/** Every field of every message; those that a type does not have do no harm. */
const message = fc
  .record({
    type: fc.constantFrom<Message['type'][]>(...PEER_MESSAGE_TYPES),
    from: id.filter((from) => from !== 1n),
    to: fc.constantFrom(1n, 1n, 1n, 2n),
    term: small,
    index: small,
    logTerm: small,
    commit: small,
    commitTerm: small,
    reject: fc.boolean(),
    rejectHint: small,
    transfer: fc.boolean(),
    context: small,
    snapshot,
    transferee: id,
    entries: fc.array(entry, { maxLength: 3 }),
  })
  .map((fields) => fields as Message);

/** Replacing what is committed breaks safety itself: there a member must stop. */
function isBrokenSafety(error: unknown): boolean {
  return error instanceof AssertionError && error.message.includes('replaces committed entry');
}

describe('malformed messages', () => {
  test.each([1, 3])('stop no member of %i', (voters) => {
    const config = { preVote: voters === 3, checkQuorum: true };
    const schedule = fc.array(fc.tuple(message, fc.nat(5)), { maxLength: 60 });
    fc.assert(
      fc.property(schedule, (messages) => {
        const raft = new TestCluster({ voters: [1, 2, 3].slice(0, voters), config });
        // Only member 1 is looked at: the invariants of a cluster assume honest members.
        for (const other of [2, 3].slice(0, voters - 1)) raft.crash(other, { writesKept: 0 });
        if (voters === 1) raft.elect(1);
        try {
          for (const [next, ticks] of messages) {
            raft.tick(1, ticks);
            raft.step(1, next);
            if (ticks > 2) raft.node(1).takeOutputs();
          }
        } catch (error) {
          if (!isBrokenSafety(error)) throw error;
        }
        expect(raft.node(1).status().commit).toBeGreaterThanOrEqual(1);
      }),
      SEED,
    );
  });
});
