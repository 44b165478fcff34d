import type { MemberId, RequestId, Revision } from '../lib/ids.ts';
import type { Result } from '../lib/result.ts';
import type { StoreError } from '../mvcc/request.ts';
import type { Fact, Message, SnapshotMeta, StorageAppend } from '../raft/message.ts';
import type { CheckpointImage } from '../snap/checkpoint-image.ts';
import type { Checkpoint } from '../snap/read-checkpoint.ts';
import type { InternalRequest, InternalResult } from '../wire/internal-request.ts';
import type { MemberError } from './failure.ts';

/** Everything that can happen to a member. One at a time, each to its end. */
export type Input =
  | { readonly type: 'tick' }
  | { readonly type: 'message'; readonly message: Message }
  | { readonly type: 'propose'; readonly id: RequestId; readonly request: InternalRequest }
  | { readonly type: 'read'; readonly id: RequestId }
  | { readonly type: 'unreachable'; readonly peer: MemberId }
  | { readonly type: 'refused'; readonly peer: MemberId }
  | { readonly type: 'snapshotSent'; readonly peer: MemberId; readonly delivered: boolean }
  /** A snapshot from the leader is on this disk; the state machine becomes what it holds. */
  | { readonly type: 'snapshotInstalled'; readonly checkpoint: Checkpoint }
  | { readonly type: 'checkpointSaved'; readonly meta: SnapshotMeta }
  | { readonly type: 'checkpointFailed' }
  | { readonly type: 'transferLeadership' };

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
}

/** A consistent image that must be released once it is written or given up. */
export type DueCheckpoint = CheckpointImage & { release(): void };

/** What became of a request. */
export type Outcome = { readonly id: RequestId } & (
  | {
      readonly type: 'applied';
      readonly result: Result<InternalResult, StoreError>;
      /** The store's revision after it. */
      readonly revision: Revision;
    }
  | { readonly type: 'readable' }
  | { readonly type: 'failed'; readonly error: MemberError }
);

export type MemberFact =
  | Fact
  | { readonly type: 'memberAdded' | 'memberRemoved'; readonly member: MemberId }
  | { readonly type: 'memberPublished'; readonly member: MemberId; readonly name: string };
