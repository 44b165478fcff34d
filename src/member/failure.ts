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

export type RequestFailure = MemberError | StoreError;
