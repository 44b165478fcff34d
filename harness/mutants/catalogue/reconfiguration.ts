/** Mistakes in changing who belongs to the cluster, in raft and in the table of members. */
import { edit, type Mutant } from '../mutant.ts';

const APPLY_MEMBERSHIP = 'src/member/apply-membership.ts';
const ELECTION = 'src/raft/election.ts';
const LEADER = 'src/raft/leader.ts';
const MEMBER = 'src/member/member.ts';
const PROMOTION = 'src/service/promotion.ts';
const REPLICATION = 'src/raft/replication.ts';
const STATE = 'src/member/replicated-state.ts';
const STORED_JSON = 'src/snap/stored-json.ts';

const APPLIED = `      this.#confState = this.#raft.applyConfChange(raftChange(change));
      this.#membersChanged();`;

/** What counts as a majority, and from when on. */
const DECIDING: readonly Mutant[] = [
  {
    name: 'learner-acknowledgement-counts',
    area: 'membership',
    story: 'what learners hold counts for the commit: voters that lack it may elect each other',
    expected: 'invariant: leader completeness, or committed twice',
    edits: [
      edit(
        REPLICATION,
        'const held = jointQuorumValue(core.conf, (id) => matchOf(core, leader, id));',
        `const { voters, learners } = core.conf;
  const all = [...voters, ...learners].map((id) => matchOf(core, leader, id));
  const held = all.sort((a, b) => b - a)[Math.floor(voters.length / 2)]!;`,
      ),
    ],
  },
  {
    name: 'learner-vote-counts',
    area: 'membership',
    story: 'candidates ask learners, too, and count their votes: two leaders in one term',
    expected: 'invariant: election safety',
    edits: [
      edit(
        ELECTION,
        'for (const to of allVoters(core.conf)) {',
        'for (const to of members(core.conf)) {',
      ),
      edit(
        ELECTION,
        `import { allVoters } from './conf-state.ts';`,
        `import { members } from './conf-state.ts';`,
      ),
      edit(
        ELECTION,
        '  const result = jointVoteResult(core.conf, role.votes);',
        `  const yes = [...role.votes.values()].filter((vote) => vote).length;
  const isWon = yes > core.conf.voters.length / 2;
  const result = isWon ? 'won' : jointVoteResult(core.conf, role.votes);`,
      ),
    ],
  },
  {
    name: 'two-changes-at-once',
    area: 'membership',
    story: 'a change is taken while another is not applied yet: majorities need not overlap',
    expected: 'invariant: a change while another is under way',
    edits: [
      edit(LEADER, `  if (leader.pendingConfIndex > core.log.applied) return 'unapplied';\n`, ''),
      edit(
        LEADER,
        `const reason = admitted > 0 ? 'unapplied' : confEntryRefusal(core, leader, { type, data });`,
        'const reason = confEntryRefusal(core, leader, { type, data });',
      ),
    ],
  },
  {
    name: 'leader-changes-before-commit',
    area: 'membership',
    story: 'a leader counts by a new membership as soon as it is logged, and if that is lost, too',
    expected: 'invariant: another membership than the log says',
    edits: [
      edit(
        MEMBER,
        'else this.#pending.markProposed([held], this.#raft.term);',
        `else {
      this.#pending.markProposed([held], this.#raft.term);
      if (proposed.value === 'appended') this.#confState = this.#raft.applyConfChange(change);
    }`,
      ),
    ],
  },
  {
    name: 'stands-under-the-old-membership',
    area: 'membership',
    story: 'a member stands for election though a committed change waits to be applied',
    expected: 'invariant: election safety',
    edits: [
      edit(
        ELECTION,
        `    if (log.entryAt(index)?.type !== 'normal') return false;`,
        '    if (log.entryAt(index) === undefined) return false;',
      ),
    ],
  },
  {
    name: 'removed-in-the-table-only',
    area: 'membership',
    story: 'a removed member leaves the table but not raft: it is fed, votes, and is counted on',
    expected: 'invariant: membership',
    edits: [
      edit(
        MEMBER,
        APPLIED,
        `      const isRemoval = change.type === 'remove';
      if (!isRemoval) this.#confState = this.#raft.applyConfChange(raftChange(change));
      this.#membersChanged();`,
      ),
    ],
  },
  {
    name: 'promoted-in-the-table-only',
    area: 'membership',
    story: 'a promoted learner is called a voter, but raft does not count it as one',
    expected: 'invariant: membership',
    edits: [
      edit(
        MEMBER,
        APPLIED,
        `      const isPromotion = change.type === 'promote';
      if (!isPromotion) this.#confState = this.#raft.applyConfChange(raftChange(change));
      this.#membersChanged();`,
      ),
    ],
  },
  {
    name: 'refused-change-reaches-raft',
    area: 'membership',
    story: 'a change that the table refuses is made in raft all the same: a voter nobody knows of',
    expected: 'invariant: membership',
    edits: [
      edit(
        MEMBER,
        `    if (result.ok) {
      this.#confState = this.#raft.applyConfChange(raftChange(change));
      this.#membersChanged();`,
        `    this.#confState = this.#raft.applyConfChange(raftChange(change));
    if (result.ok) {
      this.#membersChanged();`,
      ),
    ],
  },
];

/** The table, and what is kept of it. */
const TABLE: readonly Mutant[] = [
  {
    name: 'promoted-without-catching-up',
    area: 'membership',
    story: 'a learner is promoted however far it is behind: the cluster waits for it to commit',
    expected: 'membership: promoted while it had less than nine tenths of the log',
    edits: [edit(PROMOTION, `  if (share < READY_SHARE) return 'learnerNotReady';\n`, '')],
  },
  {
    name: 'removed-member-comes-back',
    area: 'membership',
    story: 'a removed id may be added again: whoever has its old directory votes a second time',
    expected: 'invariant: membership',
    edits: [
      edit(APPLY_MEMBERSHIP, `  if (table.isRemoved(id)) return 'memberNotFound';\n`, ''),
      edit(
        'src/member/membership.ts',
        `    assert(!this.#removed.has(member.id), 'a removed member id is never added again');\n`,
        '',
      ),
    ],
  },
  {
    name: 'peer-urls-may-clash',
    area: 'membership',
    story: 'a member is added with the peer URL of another: nobody can tell them apart',
    expected: 'oracle: state',
    edits: [
      edit(
        APPLY_MEMBERSHIP,
        `    if (clashes(table, change.member.peerUrls, undefined)) return 'peerUrlExists';\n`,
        '',
      ),
    ],
  },
  {
    name: 'removed-members-left-out-of-checkpoint',
    area: 'membership',
    story: 'checkpoints leave out who was removed: after a restart such an id may be added again',
    expected: 'oracle: state',
    edits: [edit(STATE, 'removedMembers: state.membership.removed(),', 'removedMembers: [],')],
  },
  {
    name: 'checkpoint-forgets-learners',
    area: 'membership',
    story: 'checkpoints do not say who is a learner: after a restart it cannot be promoted',
    expected: 'invariant: membership',
    edits: [edit(STORED_JSON, `  if (member.isLearner) fields.push('"isLearner":true');\n`, '')],
  },
  {
    name: 'install-keeps-the-old-voters',
    area: 'membership',
    story:
      'an installed snapshot moves the table but not the voters that checkpoints are written with',
    expected: 'invariant: membership, after a restart',
    edits: [edit(MEMBER, '    this.#confState = checkpoint.confState;\n', '')],
  },
];

export const RECONFIGURATION_MUTANTS: readonly Mutant[] = [...DECIDING, ...TABLE];
