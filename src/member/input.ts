import type { AuthInfo } from '../auth/request.ts';
import type { MemberId, RequestId, Revision } from '../lib/ids.ts';
import type { Result } from '../lib/result.ts';
import type { PeerUrls } from '../ports/network.ts';
import type { Fact, Message, SnapshotMeta, StorageAppend } from '../raft/message.ts';
import type { CheckpointImage } from '../snap/checkpoint-image.ts';
import type { Checkpoint } from '../snap/read-checkpoint.ts';
import type { InternalRequest, InternalResult } from '../wire/internal-request.ts';
import type { MembershipChange } from './apply-membership.ts';
import type { ApplyFailure, MemberError } from './failure.ts';

/** Everything that can happen to a member. One at a time, each to its end. */
export type Input =
  | { readonly type: 'tick' }
  | { readonly type: 'message'; readonly message: Message }
  | {
      readonly type: 'propose';
      readonly id: RequestId;
      readonly request: InternalRequest;
      readonly auth: AuthInfo | undefined;
    }
  | { readonly type: 'changeMembership'; readonly id: RequestId; readonly change: MembershipChange }
  | { readonly type: 'read'; readonly id: RequestId }
  /** That much of the wait for a leader counts as over; nothing to a member that has one. */
  | { readonly type: 'skipElectionTicks'; readonly ticks: number }
  /** Followers have waited long enough for news that could have gone with other messages. */
  | { readonly type: 'tellCommit' }
  | { readonly type: 'unreachable'; readonly peer: MemberId }
  | { readonly type: 'refused'; readonly peer: MemberId }
  | { readonly type: 'snapshotSent'; readonly peer: MemberId; readonly delivered: boolean }
  /** A snapshot from the leader is on this disk; the state machine becomes what it holds. */
  | { readonly type: 'snapshotInstalled'; readonly checkpoint: Checkpoint }
  | { readonly type: 'checkpointSaved'; readonly meta: SnapshotMeta }
  | { readonly type: 'checkpointFailed' }
  /** Without a target: to whoever has most of the log. */
  | { readonly type: 'transferLeadership'; readonly target?: MemberId };

/** Everything a member wants done; whoever drives it carries it out and keeps none of it. */
export interface MemberOutputs {
  /** Send now. */
  readonly messages: readonly Message[];
  /** Persist in order, then step or send the responses. */
  readonly append: StorageAppend | undefined;
  readonly outcomes: readonly Outcome[];
  /** The log has outgrown the last checkpoint: write this one, in the background. */
  readonly checkpoint: DueCheckpoint | undefined;
  readonly facts: readonly MemberFact[];
  /** The members changed: whom to be connected to from now on. */
  readonly peers: readonly PeerUrls[] | undefined;
}

/** A consistent image that must be released once it is written or given up. */
export type DueCheckpoint = CheckpointImage & { release(): void };

/** What became of a request. */
export type Outcome = { readonly id: RequestId } & (
  | {
      readonly type: 'applied';
      readonly result: Result<InternalResult, ApplyFailure>;
      /** The store's revision after it. */
      readonly revision: Revision;
    }
  /** The member table is changed. */
  | { readonly type: 'changed' }
  | { readonly type: 'readable' }
  | { readonly type: 'failed'; readonly error: MemberError | ApplyFailure }
);

export type MemberFact =
  | Fact
  | {
      readonly type: 'memberAdded' | 'memberRemoved' | 'memberPromoted' | 'memberUpdated';
      readonly member: MemberId;
    }
  /** This member was removed: it has to stop, for good. */
  | { readonly type: 'removedFromCluster' }
  | { readonly type: 'memberPublished'; readonly member: MemberId; readonly name: string }
  /** All members know this one's name and client URLs; once per start. */
  | { readonly type: 'published'; readonly name: string }
  | { readonly type: 'clusterVersionSet'; readonly version: string };
