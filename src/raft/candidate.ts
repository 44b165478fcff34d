/** A pre-candidate or candidate: collects answers until it wins, loses, or hears a leader. */
import { assert, assertNever } from '../lib/assert.ts';
import type { RaftCore } from './core.ts';
import { campaign, isPromotable, recordVote } from './election.ts';
import { stepFollower } from './follower.ts';
import type { Message } from './message.ts';
import type { CandidateRole, PreCandidateRole } from './role.ts';
import { becomeFollower } from './transitions.ts';

type CandidacyRole = PreCandidateRole | CandidateRole;

/** No outcome in time (thesis 3.4): start over, with a new random timeout. */
export function tickCandidate(core: RaftCore, role: CandidacyRole): void {
  assert(core.role === role, 'candidate: ticked in another role');
  role.electionElapsedTicks++;
  if (role.electionElapsedTicks < role.randomizedTimeoutTicks) return;
  if (isPromotable(core)) campaign(core, 'timeout');
  else becomeFollower(core, core.term, { leader: undefined, reason: 'not a voter' });
}

/** Messages of the current term, and granted pre-votes for the next. */
export function stepCandidate(core: RaftCore, role: CandidacyRole, message: Message): void {
  assert(core.role === role, 'candidate: stepped in another role');
  switch (message.type) {
    case 'MsgApp':
    case 'MsgHeartbeat':
    case 'MsgSnap': {
      // Another has won this term.
      const reason = 'heard the leader';
      const follower = becomeFollower(core, core.term, { leader: message.from, reason });
      stepFollower(core, follower, message);
      return;
    }
    case 'MsgPreVoteResp': {
      const answersThisTerm = message.reject || message.term === core.term + 1;
      if (role.type !== 'preCandidate' || !answersThisTerm) return;
      recordVote(core, role, message.from, !message.reject);
      return;
    }
    case 'MsgVoteResp':
      if (role.type === 'candidate') recordVote(core, role, message.from, !message.reject);
      return;
    case 'MsgProp':
    case 'MsgReadIndex':
    case 'MsgTransferLeader':
      // No leader to pass them on to: the asker retries or times out.
      return;
    case 'MsgReadIndexResp':
      // Confirmed by this term's leader after the read began: as good as for a follower.
      core.readStates.push({ context: message.context, index: message.index });
      return;
    case 'MsgTimeoutNow':
      // Already standing for election.
      return;
    case 'MsgAppResp':
    case 'MsgHeartbeatResp':
      // Answers to a leadership that has ended.
      return;
    case 'MsgVote':
    case 'MsgPreVote':
    case 'MsgStorageAppendResp':
      assert(false, `candidate: ${message.type} is handled before roles`);
      return;
    default:
      assertNever(message);
  }
}
