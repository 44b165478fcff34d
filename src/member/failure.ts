import type { AuthFailure } from '../auth/request.ts';
import type { StoreError } from '../mvcc/request.ts';

/** Refusals of the member itself; service/errors.ts says which are definite. */
export type MemberError =
  /** No leader was known until the deadline; the request was never proposed. */
  | 'noLeader'
  /** The leader changed under a waiting read; it may be asked again. */
  | 'leaderChanged'
  /** Proposed, and not applied here before the deadline: it may still happen. */
  | 'timeout'
  /** As `timeout`, and the leader was lost meanwhile. */
  | 'timeoutLeaderFailed'
  /** Too many requests wait already; never proposed. */
  | 'tooManyRequests'
  | 'requestTooLarge'
  /** The member is shutting down; a request already proposed may still happen. */
  | 'stopped';

/** Refusals of the state machine, the same on every member. */
export type ApplyFailure =
  | StoreError
  | AuthFailure
  | MembershipFailure
  | 'leaseExists'
  | 'leaseTtlTooLarge'
  /** The NOSPACE alarm is on. */
  | 'noSpace'
  /** The CORRUPT alarm is on. */
  | 'corrupt';

/** Why a change of the membership is refused. */
export type MembershipFailure =
  | 'memberExists'
  | 'peerUrlExists'
  | 'memberNotFound'
  | 'memberNotLearner'
  | 'learnerNotReady'
  | 'tooManyLearners'
  /** Too few started members would be left to decide anything. */
  | 'notEnoughStarted'
  /** Another change is under way, or members are not connected. */
  | 'unhealthyCluster'
  | 'notLeader'
  | 'badTransferee';

export type RequestFailure = MemberError | ApplyFailure;
