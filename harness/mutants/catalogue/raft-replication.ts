/** Mistakes in log replication: what is sent, accepted, acknowledged and committed. */
import { edit, type Mutant } from '../mutant.ts';

const FOLLOWER = 'src/raft/follower.ts';
const LEADER = 'src/raft/leader.ts';
const LOG = 'src/raft/log.ts';
const PROGRESS = 'src/raft/progress.ts';
const QUORUM = 'src/raft/quorum.ts';
const REPLICATION = 'src/raft/replication.ts';
const STEP = 'src/raft/step.ts';

const COMMITTING: readonly Mutant[] = [
  {
    name: 'commit-without-majority',
    area: 'raft',
    story: 'the leader counts an entry as committed once it has it itself: a new leader may not',
    edits: [
      edit(
        QUORUM,
        '  return descending[majority(voters.length) - 1]!;',
        '  return descending[0]!;',
      ),
    ],
  },
  {
    name: 'own-log-counted-before-durable',
    area: 'raft',
    story: 'the leader counts its own entries before they are on disk: a power failure loses them',
    edits: [
      edit(
        REPLICATION,
        'if (id === core.id) return core.log.stable;',
        'if (id === core.id) return core.log.lastIndex;',
      ),
    ],
  },
  {
    name: 'older-term-committed-by-counting',
    area: 'raft',
    story:
      'entries of earlier terms are committed by counting (thesis 3.6.2): they may yet be lost',
    edits: [
      edit(
        REPLICATION,
        'if (index < leader.firstIndexOfTerm || !log.commitTo(index)) return false;',
        'if (!log.commitTo(index)) return false;',
      ),
      edit(
        LEADER,
        `  assert(core.log.commit >= leader.firstIndexOfTerm, 'leader: committed another term by counting');\n`,
        '',
      ),
    ],
  },
  {
    name: 'heartbeat-commits-beyond-match',
    area: 'raft',
    story: 'heartbeats carry the full commit index: a follower commits what nobody compared',
    edits: [edit(LEADER, 'const commit = Math.min(match, log.commit);', 'const { commit } = log;')],
  },
  {
    name: 'commits-beyond-what-was-sent',
    area: 'raft',
    story: 'a follower commits to the end of its log, not of the message: a stale tail is applied',
    edits: [
      edit(
        FOLLOWER,
        'log.commitTo(Math.min(message.commit, result.last));',
        'log.commitTo(Math.min(message.commit, log.lastIndex));',
      ),
    ],
  },
  {
    name: 'commit-goes-back',
    area: 'raft',
    story: 'an older commit index replaces a newer one: messages out of order take commits back',
    edits: [
      edit(
        LOG,
        'if (index <= this.#commit) return false;',
        'if (index === this.#commit) return false;',
      ),
    ],
  },
];

const ACCEPTING: readonly Mutant[] = [
  {
    name: 'whole-log-acknowledged',
    area: 'raft',
    story: 'a follower acknowledges its whole log: a stale tail counts towards the majority',
    edits: [
      edit(
        FOLLOWER,
        'acknowledge(core, to, result.last);',
        'acknowledge(core, to, log.lastIndex);',
      ),
    ],
  },
  {
    name: 'repeated-append-truncates',
    area: 'raft',
    story: 'an append that arrives again cuts off what follows it, though acknowledged before',
    edits: [
      edit(
        LOG,
        'while (at < entries.length && this.termAt(entries[at]!.index) === entries[at]!.term) at++;',
        'while (at < entries.length && entries[at]!.index <= this.#commit) at++;',
      ),
    ],
  },
  {
    name: 'entry-before-not-compared',
    area: 'raft',
    story: 'it is enough that a follower has the entry before, of any term: logs no longer match',
    edits: [
      edit(
        LOG,
        `if (this.termAt(index) !== logTerm) return { type: 'mismatch' };`,
        `if (this.termAt(index) === undefined) return { type: 'mismatch' };`,
      ),
    ],
  },
  {
    name: 'replaced-entries-not-written',
    area: 'raft',
    story: 'entries that replace others are not given to the disk: a restart brings the old ones',
    edits: [edit(LOG, '    this.#handed = Math.min(this.#handed, index - 1);\n', '')],
  },
  {
    name: 'append-of-a-past-term-accepted',
    area: 'raft',
    story: 'appends of a past term are accepted, and acknowledged in it: a deposed leader commits',
    edits: [
      edit(
        STEP,
        `  answerLowerTerm(core, message);
  return false;`,
        `  if (message.type === 'MsgApp') return true;
  answerLowerTerm(core, message);
  return false;`,
      ),
      edit(
        FOLLOWER,
        'if (hearLeader(core, follower, message.from)) handleAppend(core, follower, message);',
        `follower.electionElapsedTicks = 0;
      handleAppend(core, follower, message);`,
      ),
      edit(
        FOLLOWER,
        `acknowledge(core, to, log.commit);
    return;`,
        `acknowledge(core, to, log.commit, message.term);
    return;`,
      ),
      edit(
        FOLLOWER,
        'acknowledge(core, to, result.last);',
        'acknowledge(core, to, result.last, message.term);',
      ),
      edit(
        FOLLOWER,
        `function acknowledge(core: RaftCore, to: MemberId, index: Index): void {
  const { id: from, term, responses } = core;`,
        `function acknowledge(core: RaftCore, to: MemberId, index: Index, term = core.term): void {
  const { id: from, responses } = core;`,
      ),
    ],
  },
];

const SENDING: readonly Mutant[] = [
  {
    name: 'rejection-does-not-step-back',
    area: 'raft',
    story: 'the leader probes again where it was refused: a diverged follower never catches up',
    edits: [
      edit(
        PROGRESS,
        'next: Math.max(1, Math.min(rejected, hint + 1)) });',
        'next: Math.max(1, hint + 1) });',
      ),
      edit(
        REPLICATION,
        '  return log.findConflictByTerm(message.rejectHint, message.logTerm, log.base);',
        '  return message.rejectHint;',
      ),
    ],
  },
  {
    name: 'lost-append-never-repeated',
    area: 'raft',
    story: 'nobody checks whether appends got lost: with all in flight lost, a follower starves',
    edits: [
      edit(
        REPLICATION,
        '  if (match < core.log.lastIndex && match === state.matchAtHeartbeat) state.recheck = true;\n',
        '',
      ),
    ],
  },
  {
    name: 'lost-probe-never-repeated',
    area: 'raft',
    story: 'a probe without answer is not sent again: a follower that was away stays behind',
    edits: [edit(REPLICATION, `  if (state.type === 'probe') state.paused = false;\n`, '')],
  },
  {
    name: 'failed-transfer-never-repeated',
    area: 'raft',
    story: 'a snapshot transfer that fails is waited for: the follower stays behind for good',
    edits: [
      edit(
        REPLICATION,
        `if (state.type !== 'snapshot') return;`,
        `if (state.type !== 'snapshot' || !delivered) return;`,
      ),
    ],
  },
];

export const RAFT_REPLICATION_MUTANTS: readonly Mutant[] = [
  ...COMMITTING,
  ...ACCEPTING,
  ...SENDING,
];
