/** Mistakes in elections: who may vote for whom, when, and how often. */
import { edit, type Mutant } from '../mutant.ts';

const CANDIDATE = 'src/raft/candidate.ts';
const CORE = 'src/raft/core.ts';
const ELECTION = 'src/raft/election.ts';
const LEADER = 'src/raft/leader.ts';
const LOG = 'src/raft/log.ts';
const OUTPUTS = 'src/raft/outputs.ts';
const QUORUM = 'src/raft/quorum.ts';
const TRANSITIONS = 'src/raft/transitions.ts';

/** Would notice a second vote before anybody else could. */
const NO_VOTE_ASSERTION = edit(
  OUTPUTS,
  `  assert(term > handed.term || handed.vote === undefined || vote === handed.vote, 'vote changed');\n`,
  '',
);

export const RAFT_ELECTION_MUTANTS: readonly Mutant[] = [
  {
    name: 'vote-twice-in-a-term',
    area: 'raft',
    story: 'a member does not look whether it has voted already: two may lead one term',
    edits: [
      edit(
        ELECTION,
        `    if (core.vote !== undefined) return 'voted for another candidate in this term';\n`,
        '',
      ),
      NO_VOTE_ASSERTION,
    ],
  },
  {
    name: 'vote-kept-in-new-term',
    area: 'raft',
    story: 'a new term does not clear the vote: once its favourite is dead, nobody is elected',
    edits: [
      edit(
        TRANSITIONS,
        `    core.term = term;
    core.vote = undefined;`,
        '    core.term = term;',
      ),
    ],
  },
  {
    name: 'vote-cleared-when-stepping-down',
    area: 'raft',
    story: 'whoever steps down forgets its vote, also within the term: it may vote once more',
    edits: [
      edit(
        TRANSITIONS,
        `    core.term = term;
    core.vote = undefined;
  }`,
        `    core.term = term;
  }
  core.vote = undefined;`,
      ),
      NO_VOTE_ASSERTION,
    ],
  },
  {
    name: 'vote-by-log-length',
    area: 'raft',
    story: 'the longer log wins the vote, whatever its last term: committed entries get lost',
    edits: [
      edit(
        LOG,
        'return term > this.lastTerm || (term === this.lastTerm && index >= this.lastIndex);',
        'return index >= this.lastIndex;',
      ),
    ],
  },
  {
    name: 'vote-by-last-term',
    area: 'raft',
    story: 'only last terms are compared: a member behind is elected, committed entries are lost',
    edits: [
      edit(
        LOG,
        'return term > this.lastTerm || (term === this.lastTerm && index >= this.lastIndex);',
        'return term >= this.lastTerm;',
      ),
    ],
  },
  {
    name: 'vote-sent-before-durable',
    area: 'raft',
    story: 'a granted vote leaves before it is on disk: after a crash the member votes again',
    edits: [
      edit(
        ELECTION,
        `core.sendWhenDurable({ ...answer, type: 'MsgVoteResp', term });`,
        `core.send({ ...answer, type: 'MsgVoteResp', term });`,
      ),
    ],
  },
  {
    name: 'stands-before-own-vote-is-durable',
    area: 'raft',
    story: 'a candidate asks, and counts itself, before its term is on disk: one term, two leaders',
    edits: [
      edit(
        ELECTION,
        `    if (type === 'MsgVote') core.sendWhenDurable(message);
    else core.send(message);`,
        '    core.send(message);',
      ),
      edit(
        ELECTION,
        `  core.sendWhenDurable({
    type: 'MsgVoteResp',
    from: core.id,
    to: core.id,
    term: core.term,
    reject: false,
    ...core.commitPoint(),
  });`,
        '  recordVote(core, core.role as CandidateRole, core.id, true);',
      ),
    ],
  },
  {
    name: 'vote-forgotten-at-restart',
    area: 'raft',
    story: 'a restart takes over the term but not the vote: the member may vote twice',
    edits: [
      edit(CORE, 'this.vote = hardState.vote;', 'this.vote = undefined;'),
      edit(
        CORE,
        'this.handedHardState = hardState;',
        'this.handedHardState = { ...hardState, vote: undefined };',
      ),
    ],
  },
  {
    name: 'term-change-not-written',
    area: 'raft',
    story: 'a new term is only written with a vote: a restart may fall back to an old term',
    edits: [
      edit(
        OUTPUTS,
        'const binding = term !== handed.term || vote !== handed.vote;',
        'const binding = vote !== handed.vote;',
      ),
    ],
  },
  {
    name: 'pre-vote-counts-as-vote',
    area: 'raft',
    story: 'late answers to the pre-vote are counted as votes: a leader that no quorum chose',
    edits: [
      edit(
        CANDIDATE,
        `      const answersThisTerm = message.reject || message.term === core.term + 1;
      if (role.type !== 'preCandidate' || !answersThisTerm) return;`,
        '      if (!message.reject && message.term < core.term) return;',
      ),
    ],
  },
  {
    name: 'duplicate-vote-counts',
    area: 'raft',
    story: 'granted votes are counted, not voters: an answer that arrives twice counts twice',
    edits: [
      edit(
        ELECTION,
        `import { jointVoteResult } from './quorum.ts';`,
        `import { jointVoteResult, majority } from './quorum.ts';`,
      ),
      edit(
        ELECTION,
        '  const result = jointVoteResult(core.conf, role.votes);',
        `  const counter = role as typeof role & { granted?: number };
  if (granted) counter.granted = (counter.granted ?? 0) + 1;
  const isWon = (counter.granted ?? 0) >= majority(core.conf.voters.length);
  const result = isWon ? 'won' : jointVoteResult(core.conf, role.votes);`,
      ),
    ],
  },
  {
    name: 'most-answers-win',
    area: 'raft',
    story: 'an election is won by more yes than no so far: a minority may elect a leader',
    edits: [
      edit(QUORUM, `if (granted >= needed) return 'won';`, `if (granted > refused) return 'won';`),
    ],
  },
  {
    name: 'half-is-a-majority',
    area: 'raft',
    story: 'a majority is half, rounded up: an even cluster cut in halves has two leaders',
    edits: [
      edit(QUORUM, 'return Math.floor(voterCount / 2) + 1;', 'return Math.ceil(voterCount / 2);'),
    ],
  },
  {
    name: 'candidacy-waits-for-ever',
    area: 'raft',
    story: 'a candidacy that times out asks nobody again: when all have stood once, no leader',
    edits: [
      edit(
        CANDIDATE,
        `if (isPromotable(core)) campaign(core, 'timeout');`,
        'if (isPromotable(core)) role.electionElapsedTicks = 0;',
      ),
    ],
  },
  {
    name: 'leader-never-steps-down',
    area: 'raft',
    story: 'contact, once had, is never forgotten: a leader without a quorum goes on leading',
    edits: [edit(LEADER, '    progress.recentActive = false;\n', '')],
  },
];
