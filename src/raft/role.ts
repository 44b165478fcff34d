/** The four roles, each carrying only what it needs; made anew at every change of role. */
import type { Index, MemberId } from '../lib/ids.ts';
import type { Progress } from './progress.ts';
import type { ReadOnly } from './read-only.ts';

/** All but the leader wait for a timeout, drawn anew from [1, 2) × electionTimeoutTicks. */
interface ElectionTimer {
  electionElapsedTicks: number;
  readonly randomizedTimeoutTicks: number;
}

export interface FollowerRole extends ElectionTimer {
  readonly type: 'follower';
  /** The leader of this term, once heard from. */
  leader: MemberId | undefined;
  /** The last index that it was told is durable here, or will be. */
  acknowledged: Index;
  /** An `unsafe` fact has been emitted in this role; one is enough for the operator's log. */
  unsafeReported: boolean;
}

/** Asks whether it could win; its term and vote are untouched (thesis 9.6). */
export interface PreCandidateRole extends ElectionTimer {
  readonly type: 'preCandidate';
  readonly votes: Map<MemberId, boolean>;
}

export interface CandidateRole extends ElectionTimer {
  readonly type: 'candidate';
  readonly votes: Map<MemberId, boolean>;
}

export interface LeaderRole {
  readonly type: 'leader';
  /** Every other member, learners too; the leader's own match is its log's stable index. */
  readonly progress: Map<MemberId, Progress>;
  /** The no-op: once committed, the leader knows what is committed (thesis 6.4). */
  readonly firstIndexOfTerm: Index;
  /** No membership change may be appended until this entry is applied here. */
  pendingConfIndex: Index;
  /** Followers wait to hear that this much is committed: they proposed it, or read there. */
  urgentCommit: Index;
  /** Of entries beyond commit. */
  uncommittedBytes: number;
  heartbeatElapsedTicks: number;
  quorumElapsedTicks: number;
  transfer: Transfer | undefined;
  readonly reads: ReadOnly;
}

/** A leadership transfer under way: proposals are refused until it ends (thesis 3.10). */
export interface Transfer {
  readonly to: MemberId;
  elapsedTicks: number;
}

export type Role = FollowerRole | PreCandidateRole | CandidateRole | LeaderRole;
