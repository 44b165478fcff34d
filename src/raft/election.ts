/**
 * Standing for election and voting (thesis 3.4, 3.6.1), with pre-vote (9.6) and leases (6.2).
 *
 * A vote binds only when durable. So a granted vote, a candidate's vote for itself and its
 * requests to the others all wait for storage: a candidate that lost its term in a crash could
 * otherwise collect, with a shorter log, the votes that a longer one had earned. Pre-votes bind
 * nobody and leave at once.
 */
import { assert } from '../lib/assert.ts';
import type { Index, MemberId, Term } from '../lib/ids.ts';
import { allVoters } from './conf-state.ts';
import type { RaftCore } from './core.ts';
import type { MsgVote, MsgVoteResp } from './message.ts';
import { jointVoteResult } from './quorum.ts';
import { appendAsLeader } from './replication.ts';
import type { CandidateRole, PreCandidateRole } from './role.ts';
import {
  becomeCandidate,
  becomeFollower,
  becomeLeader,
  becomePreCandidate,
} from './transitions.ts';

const NOOP: Uint8Array = new Uint8Array(0);

/**
 * `timeout`: no leader was heard; `transfer`: the leader asked for it, so nobody's patience
 * with that leader counts; `preVoteWon`: the questions of a pre-candidate were answered yes.
 */
export type CampaignReason = 'timeout' | 'transfer' | 'preVoteWon';

/** Stands for election, unless this member must not; then it stays what it is. */
export function campaign(core: RaftCore, reason: CampaignReason): void {
  if (core.role.type === 'leader' || !isPromotable(core)) return;
  if (core.config.preVote && reason === 'timeout') {
    const role = becomePreCandidate(core);
    askForVotes(core, 'MsgPreVote', { term: core.term + 1, transfer: false });
    recordVote(core, role, core.id, true);
    return;
  }
  becomeCandidate(core);
  askForVotes(core, 'MsgVote', { term: core.term, transfer: reason === 'transfer' });
  core.sendWhenDurable({
    type: 'MsgVoteResp',
    from: core.id,
    to: core.id,
    term: core.term,
    reject: false,
    ...core.commitPoint(),
  });
}

/**
 * Only voters lead, and only with an intact log: none that lost entries, not while a snapshot is
 * being installed, and not under a membership that a committed but unapplied entry is about to replace.
 */
export function isPromotable(core: RaftCore): boolean {
  const { log } = core;
  if (!core.isVoter(core.id) || log.pendingSnapshot !== undefined) return false;
  if (core.hasLostEntries) return false;
  for (let index = log.applied + 1; index <= log.commit; index++) {
    if (log.entryAt(index)?.type !== 'normal') return false;
  }
  return true;
}

function askForVotes(
  core: RaftCore,
  type: MsgVote['type'],
  { term, transfer }: { term: Term; transfer: boolean },
): void {
  const { lastIndex: index, lastTerm: logTerm } = core.log;
  assert(term >= core.term, 'election: asked for a past term');
  for (const to of allVoters(core.conf)) {
    if (to === core.id) continue;
    const message: MsgVote = { type, from: core.id, to, term, index, logTerm, transfer };
    if (type === 'MsgVote') core.sendWhenDurable(message);
    else core.send(message);
  }
}

/** Counts a vote; the first answer of each member stands. Acts once the outcome is certain. */
export function recordVote(
  core: RaftCore,
  role: PreCandidateRole | CandidateRole,
  from: MemberId,
  granted: boolean,
): void {
  assert(core.role === role, 'election: a vote for a role that has ended');
  if (!role.votes.has(from)) role.votes.set(from, granted);
  const result = jointVoteResult(core.conf, role.votes);
  assert(core.conf.voters.length > 0, 'election: no voters');
  if (result === 'pending') return;
  if (result === 'lost') {
    becomeFollower(core, core.term, { leader: undefined, reason: 'election lost' });
  } else if (role.type === 'preCandidate') {
    campaign(core, 'preVoteWon');
  } else {
    startLeading(core);
  }
}

/**
 * A refused candidate learns what is committed, of whatever term the answer is: that is true for
 * ever. Should it be a membership change, then this member's candidacy was one of the membership
 * before, and ends. Leaders commit by counting only.
 */
export function learnCommit(core: RaftCore, { commit, commitTerm }: MsgVoteResp): void {
  const { log, role } = core;
  if (role.type === 'leader' || commit > log.lastIndex) return;
  if (log.termAt(commit) !== commitTerm || !log.commitTo(commit)) return;
  if (role.type === 'follower' || isPromotable(core)) return;
  becomeFollower(core, core.term, { leader: undefined, reason: 'the membership changed' });
}

/** The no-op lets the entries of earlier terms commit at once (thesis 6.4, 3.6.2). */
function startLeading(core: RaftCore): void {
  const leader = becomeLeader(core);
  appendAsLeader(core, leader, [{ type: 'normal', data: NOOP }]);
  assert(core.log.lastIndex === leader.firstIndexOfTerm, 'election: the no-op comes first');
}

/**
 * Answers MsgVote and MsgPreVote of this term or, for pre-votes, a later one. A learner votes
 * too: it may have been promoted by an entry that it has not seen.
 */
export function handleVoteRequest(core: RaftCore, message: MsgVote): void {
  const { type: kind, from: candidate, term } = message;
  assert(kind === 'MsgPreVote' || term === core.term, 'election: vote asked for another term');
  assert(term >= core.term, 'election: vote asked for a past term');
  const refusal = refusalReason(core, message);
  const granted = refusal === undefined;
  const reason = refusal ?? 'candidate is up to date';
  core.fact({ type: 'voteCast', kind, term, candidate, granted, reason });
  const answer = { from: core.id, to: candidate, reject: !granted, ...core.commitPoint() };
  if (kind === 'MsgPreVote') {
    // A grant names the term asked for, a refusal our own, for the candidate to catch up with.
    core.send({ ...answer, type: 'MsgPreVoteResp', term: granted ? term : core.term });
    return;
  }
  if (!granted) {
    core.send({ ...answer, type: 'MsgVoteResp', term });
    return;
  }
  core.vote = candidate;
  if (core.role.type !== 'leader') core.role.electionElapsedTicks = 0;
  core.sendWhenDurable({ ...answer, type: 'MsgVoteResp', term });
}

/** Undefined: vote for it. */
function refusalReason(core: RaftCore, message: MsgVote): string | undefined {
  const { log } = core;
  if (core.hasLostEntries) return 'this member has lost entries that it had acknowledged';
  const later = message.type === 'MsgPreVote' && message.term > core.term;
  if (!later && core.vote !== message.from) {
    if (core.vote !== undefined) return 'voted for another candidate in this term';
    if (core.leader() !== undefined) return 'this term has a leader';
  }
  if (log.isUpToDate(message.index, message.logTerm)) return undefined;
  return behind(message, { index: log.lastIndex, term: log.lastTerm });
}

function behind(message: MsgVote, own: { index: Index; term: Term }): string {
  const theirs = `${message.logTerm}/${message.index}`;
  return `its log ends at term/index ${theirs}, ours at ${own.term}/${own.index}`;
}
