/** Changes of role. Each starts with fresh timers and fresh role data; none sends anything. */
import { assert } from '../lib/assert.ts';
import type { MemberId, Term } from '../lib/ids.ts';
import { members } from './conf-state.ts';
import type { RaftCore } from './core.ts';
import { entriesSizeBytes } from './log.ts';
import { newProgress } from './progress.ts';
import { ReadOnly } from './read-only.ts';
import type { FollowerRole, LeaderRole, PreCandidateRole } from './role.ts';

/**
 * Follows `leader` (undefined: not known yet) in `term`, which is never below the current one.
 * `reason` is for the operator, where a leader steps down.
 */
export function becomeFollower(
  core: RaftCore,
  term: Term,
  options: { leader: MemberId | undefined; reason: string },
): FollowerRole {
  assert(term >= core.term, 'transitions: the term went back');
  assert(options.leader !== core.id, 'transitions: a member that follows itself');
  const before = core.role;
  const leaderBefore = core.leader();
  if (before.type === 'leader') {
    core.fact({ type: 'steppedDown', term: core.term, reason: options.reason });
  }
  const changed = before.type !== 'follower' || term > core.term;
  if (term > core.term) {
    core.term = term;
    core.vote = undefined;
  }
  const role: FollowerRole = {
    type: 'follower',
    leader: options.leader,
    acknowledged: 0,
    unsafeReported: false,
    electionElapsedTicks: 0,
    randomizedTimeoutTicks: core.drawTimeoutTicks(),
  };
  core.role = role;
  if (changed) core.fact({ type: 'becameFollower', term, leader: options.leader });
  else if (leaderBefore !== options.leader) {
    core.fact({ type: 'leaderChanged', term, leader: options.leader });
  }
  return role;
}

/** Neither term nor vote changes: a pre-vote commits to nothing (thesis 9.6). */
export function becomePreCandidate(core: RaftCore): PreCandidateRole {
  assert(core.role.type !== 'leader', 'transitions: a leader does not stand for election');
  assert(core.isVoter(core.id), 'transitions: only voters stand for election');
  const role: PreCandidateRole = {
    type: 'preCandidate',
    votes: new Map(),
    electionElapsedTicks: 0,
    randomizedTimeoutTicks: core.drawTimeoutTicks(),
  };
  core.role = role;
  core.fact({ type: 'becamePreCandidate', term: core.term });
  return role;
}

/** The next term, with this member's vote for itself, which counts once durable. */
export function becomeCandidate(core: RaftCore): void {
  assert(core.role.type !== 'leader', 'transitions: a leader does not stand for election');
  assert(core.isVoter(core.id), 'transitions: only voters stand for election');
  core.term += 1;
  core.vote = core.id;
  core.role = {
    type: 'candidate',
    votes: new Map(),
    electionElapsedTicks: 0,
    randomizedTimeoutTicks: core.drawTimeoutTicks(),
  };
  core.fact({ type: 'becameCandidate', term: core.term });
}

/** The caller appends the no-op at `firstIndexOfTerm` before anything else. */
export function becomeLeader(core: RaftCore): LeaderRole {
  assert(core.role.type === 'candidate', 'transitions: only candidates win elections');
  assert(core.vote === core.id, 'transitions: a leader has voted for itself');
  assert(core.isVoter(core.id), 'transitions: only voters lead');
  const firstIndexOfTerm = core.log.lastIndex + 1;
  const progress = new Map(
    members(core.conf)
      .filter((id) => id !== core.id)
      .map((id) => [id, newProgress(firstIndexOfTerm, { recentActive: false })]),
  );
  const role: LeaderRole = {
    type: 'leader',
    progress,
    firstIndexOfTerm,
    pendingConfIndex: firstIndexOfTerm,
    urgentCommit: firstIndexOfTerm,
    uncommittedBytes: entriesSizeBytes(core.log.uncommitted()),
    heartbeatElapsedTicks: 0,
    quorumElapsedTicks: 0,
    transfer: undefined,
    reads: new ReadOnly(),
  };
  core.role = role;
  core.fact({ type: 'becameLeader', term: core.term });
  return role;
}
