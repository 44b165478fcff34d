/** Mistakes on the way of a linearizable read: each lets some reads be stale. */
import { edit, type Mutant } from '../mutant.ts';

const KV = 'src/service/kv.ts';
const LEADER = 'src/raft/leader.ts';
const RAW_NODE = 'src/raft/raw-node.ts';
const READ_ONLY = 'src/raft/read-only.ts';
const READS = 'src/member/reads.ts';

export const READ_PATH_MUTANTS: readonly Mutant[] = [
  {
    name: 'read-without-read-index',
    area: 'read-path',
    story: 'linearizable reads are answered from local state: a member behind returns old values',
    edits: [
      edit(
        KV,
        `await this.#beforeRead({ type: 'range', key, rangeEnd }, caller, serializable);`,
        `await this.#beforeRead({ type: 'range', key, rangeEnd }, caller, !serializable);`,
      ),
    ],
  },
  {
    name: 'read-txn-without-read-index',
    area: 'read-path',
    story: 'transactions that only read are answered from local state: they return old values',
    edits: [edit(KV, '= isSerializable(request);', '= !isSerializable(request);')],
  },
  {
    name: 'read-then-barrier',
    area: 'read-path',
    story: 'a read is evaluated first and then waits for the others: it shows what was before',
    edits: [
      edit(
        KV,
        `    if (mayBeLarge(request)) return this.#large.range(request);
    const read = this.#node.range(request);
    return read.ok`,
        '    return read.ok',
      ),
      edit(
        KV,
        `    const { key, rangeEnd, serializable } = request;`,
        `    const { key, rangeEnd, serializable } = request;
    const read = this.#node.range(request);`,
      ),
    ],
  },
  {
    name: 'read-index-without-quorum',
    area: 'read-path',
    story: 'the leader answers reads without asking whether it still leads: a deposed one is stale',
    edits: [
      edit(
        READ_ONLY,
        `    const confirmed = jointQuorumValue(voters, (voter) =>
      voter === self ? this.#newestRound : (this.#acknowledged.get(voter) ?? 0),
    );`,
        '    const confirmed = this.#newestRound;',
      ),
    ],
  },
  {
    name: 'read-confirmed-by-older-heartbeat',
    area: 'read-path',
    story: 'an answer to any heartbeat confirms every read, also one that came after it was sent',
    edits: [
      edit(
        READ_ONLY,
        'if (round > (this.#acknowledged.get(from) ?? 0)) this.#acknowledged.set(from, round);',
        'this.#acknowledged.set(from, this.#newestRound);',
      ),
    ],
  },
  {
    name: 'read-before-commit-in-term',
    area: 'read-path',
    story:
      'a new leader answers reads before it knows what is committed: they miss the last writes',
    edits: [
      edit(
        LEADER,
        `  if (core.log.commit < leader.firstIndexOfTerm) {
    // What the leaders before committed is not known until the no-op is (thesis 6.4).
    reads.postpone(request);
    return true;
  }\n`,
        '',
      ),
      edit(
        LEADER,
        `    assert(index >= leader.firstIndexOfTerm, 'leader: read index from before its leadership');\n`,
        '',
      ),
    ],
  },
  {
    name: 'read-index-of-the-follower',
    area: 'read-path',
    story: 'a follower takes its own commit index for the leader’s: one that is behind is stale',
    edits: [
      edit(
        RAW_NODE,
        `    core.send({ type: 'MsgReadIndex', from: core.id, to: leader, term: 0, context });
    return 'forwarded';`,
        `    core.readStates.push({ context, index: core.log.commit });
    return 'accepted';`,
      ),
    ],
  },
  {
    name: 'read-before-applied',
    area: 'read-path',
    story: 'a confirmed read does not wait until its index is applied: a follower is stale',
    edits: [edit(READS, '      if (batch.index > applied) return true;\n', '')],
  },
  {
    name: 'read-confirmed-twice',
    area: 'read-path',
    story: 'an answered read is not forgotten: a second answer to it stops the member',
    edits: [
      edit(
        READS,
        `    if (batch === undefined) return;
    this.#asked.delete(context);`,
        '    if (batch === undefined) return;',
      ),
    ],
  },
];
