import type { AuthInfo, AuthRequest } from '../auth/request.ts';
import type { LeaseId, MemberId, RequestId, Revision } from '../lib/ids.ts';
import type {
  DeleteRangeRequest,
  DeleteRangeResult,
  PutRequest,
  PutResult,
  TxnRequest,
  TxnResult,
} from '../mvcc/request.ts';

/** What goes through the log: etcd's InternalRaftRequest, one variant at a time. */
export type InternalRequest =
  | { readonly type: 'put'; readonly request: PutRequest }
  | { readonly type: 'deleteRange'; readonly request: DeleteRangeRequest }
  | { readonly type: 'txn'; readonly request: TxnRequest }
  | { readonly type: 'compaction'; readonly revision: Revision; readonly physical: boolean }
  | { readonly type: 'leaseGrant'; readonly id: LeaseId; readonly ttlS: number }
  | { readonly type: 'leaseRevoke'; readonly id: LeaseId }
  | { readonly type: 'leaseCheckpoint'; readonly checkpoints: readonly LeaseCheckpoint[] }
  | { readonly type: 'alarm'; readonly request: AlarmRequest }
  | { readonly type: 'auth'; readonly request: AuthRequest }
  | { readonly type: 'clusterVersion'; readonly version: string }
  | { readonly type: 'downgradeInfo'; readonly enabled: boolean; readonly version: string }
  | { readonly type: 'memberAttributes'; readonly request: MemberAttributes }
  /** What other servers logged and what changes nothing here: questions, the old v2 store's keys. */
  | { readonly type: 'nothing' };

/** A lease's remaining time, told to all members so that a new leader need not start it afresh. */
export interface LeaseCheckpoint {
  readonly id: LeaseId;
  readonly remainingTtlS: number;
}

export type AlarmType = 'NOSPACE' | 'CORRUPT';

export interface Alarm {
  readonly memberId: MemberId;
  readonly type: AlarmType;
}

/** `memberId` 0: of every member. `type` undefined (etcd's NONE): for `get` every type. */
export interface AlarmRequest {
  readonly action: 'get' | 'activate' | 'deactivate';
  readonly memberId: MemberId;
  readonly type: AlarmType | undefined;
}

/** A started member makes its name and client URLs known (etcd's ClusterMemberAttrSet). */
export interface MemberAttributes {
  readonly memberId: MemberId;
  readonly name: string;
  readonly clientUrls: readonly string[];
}

/** As logged: `id` ties the applied entry to the request that waits for it. */
export interface LoggedRequest {
  readonly id: RequestId;
  readonly request: InternalRequest;
  /** Undefined while authentication is off, and for what members ask themselves. */
  readonly auth?: AuthInfo | undefined;
}

export type InternalResult =
  | { readonly type: 'put'; readonly result: PutResult }
  | { readonly type: 'deleteRange'; readonly result: DeleteRangeResult }
  | { readonly type: 'txn'; readonly result: TxnResult }
  | { readonly type: 'leaseGrant'; readonly id: LeaseId; readonly ttlS: number }
  | { readonly type: 'alarm'; readonly alarms: readonly Alarm[] }
  /** Done, and there is nothing to tell. */
  | {
      readonly type:
        | 'compaction'
        | 'leaseRevoke'
        | 'leaseCheckpoint'
        | 'auth'
        | 'clusterVersion'
        | 'downgradeInfo'
        | 'memberAttributes'
        | 'nothing';
    };
