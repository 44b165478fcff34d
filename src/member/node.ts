import type { ClusterId, Index, MemberId, Revision, Term } from '../lib/ids.ts';
import type { Result } from '../lib/result.ts';
import type {
  RangeRequest,
  RangeResult,
  StoreError,
  TxnRequest,
  TxnResult,
} from '../mvcc/request.ts';
import type { InternalRequest, InternalResult } from '../wire/internal-request.ts';
import type { MemberError, RequestFailure } from './failure.ts';

/** What a running member offers to the services above it. */
export interface MemberNode {
  /**
   * Replicates the request and resolves with the outcome of applying it here. `revision` is
   * the store's after that application. Never proposed twice: a lost proposal times out.
   */
  propose(request: InternalRequest): Promise<Result<Applied, RequestFailure>>;
  /** Resolves once local reads are linearizable with everything acknowledged before the call. */
  readBarrier(): Promise<Result<undefined, MemberError>>;
  /** Local read at the store's current or a past revision. */
  range(request: RangeRequest): Result<RangeResult, StoreError>;
  /** Local evaluation of a transaction that only reads. */
  readTxn(request: TxnRequest): Result<TxnResult, StoreError>;
  status(): MemberStatus;
  members(): readonly MemberInfo[];
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
