import type { AuthStore } from '../auth/auth-store.ts';
import type { AuthInfo } from '../auth/request.ts';
import type { Lessor } from '../lease/lessor.ts';
import type { ClusterId, Index, MemberId, Revision, Term } from '../lib/ids.ts';
import type { Result } from '../lib/result.ts';
import type { RangeCursor } from '../mvcc/range-cursor.ts';
import type {
  RangeRequest,
  RangeResult,
  StoreError,
  TxnRequest,
  TxnResult,
} from '../mvcc/request.ts';
import type { Store } from '../mvcc/store.ts';
import type { WatchHub } from '../mvcc/watch-hub.ts';
import type { Alarm, InternalRequest, InternalResult } from '../wire/internal-request.ts';
import type { MembershipChange } from './apply-membership.ts';
import type { MemberError, RequestFailure } from './failure.ts';
import type { AskError, PeerAnswer, PeerQuestion } from './peer-question.ts';

/** What a running member offers to the services above it. */
export interface MemberNode {
  /**
   * Replicates the request and resolves with the outcome of applying it here. `revision` is
   * the store's after that application. Never proposed twice: a lost proposal times out.
   */
  propose(request: InternalRequest, auth?: AuthInfo): Promise<Result<Applied, RequestFailure>>;
  /** Resolves once the change is applied here. */
  changeMembership(change: MembershipChange): Promise<Result<undefined, RequestFailure>>;
  /** Asks for it and returns; whether it happened shows in {@link status}. */
  transferLeadership(target: MemberId): void;
  /** Asks another member; never asks twice. */
  ask(
    to: MemberId,
    question: PeerQuestion,
    timeoutMs: number,
  ): Promise<Result<PeerAnswer, AskError>>;
  /** Resolves once local reads are linearizable with everything acknowledged before the call. */
  readBarrier(): Promise<Result<undefined, MemberError>>;
  /** Local read at the store's current or a past revision. */
  range(request: RangeRequest): Result<RangeResult, StoreError>;
  /** As {@link range}, to be read in parts. */
  openRange(request: RangeRequest): Result<RangeCursor, StoreError>;
  /** Local evaluation of a transaction that only reads. */
  readTxn(request: TxnRequest): Result<TxnResult, StoreError>;
  status(): MemberStatus;
  members(): readonly MemberInfo[];
  alarms(): readonly Alarm[];
  /** A peer has been connected for at least `durationMs`; true of this member itself. */
  isConnectedFor(peer: MemberId, durationMs: number): boolean;
  /** How much of the leader's log a member has, 0 to 1; undefined: this member does not lead. */
  logShareOf(member: MemberId): number | undefined;
  /**
   * The replicated state, to read. Another object after a snapshot of the leader was installed:
   * not to be kept across turns.
   */
  readonly store: Store;
  readonly lessor: Lessor;
  readonly auth: AuthStore;
  readonly watches: WatchHub;
  /** The member's own time, in ticks since it started. */
  readonly nowTick: number;
  readonly tickMs: number;
  /** The level all members agreed on; empty until decided. */
  readonly clusterVersion: string;
  readonly downgradeTo: string | undefined;
}

export interface Applied {
  readonly result: InternalResult;
  readonly revision: Revision;
}

export interface MemberStatus {
  readonly clusterId: ClusterId;
  readonly memberId: MemberId;
  readonly leader: MemberId | undefined;
  readonly term: Term;
  /** Commit index. */
  readonly raftIndex: Index;
  readonly appliedIndex: Index;
  readonly revision: Revision;
  /** Bytes a checkpoint of the store would take, as far as known. */
  readonly dbSizeBytes: number;
  readonly dbSizeInUseBytes: number;
  readonly isLearner: boolean;
}

export interface MemberInfo {
  readonly id: MemberId;
  /** Empty until the member has started once. */
  readonly name: string;
  readonly peerUrls: readonly string[];
  readonly clientUrls: readonly string[];
  readonly isLearner: boolean;
}
