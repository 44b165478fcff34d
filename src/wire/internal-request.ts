import type { MemberId, RequestId } from '../lib/ids.ts';
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
  | { readonly type: 'memberAttributes'; readonly request: MemberAttributes };

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
}

export type InternalResult =
  | { readonly type: 'put'; readonly result: PutResult }
  | { readonly type: 'deleteRange'; readonly result: DeleteRangeResult }
  | { readonly type: 'txn'; readonly result: TxnResult }
  | { readonly type: 'memberAttributes' };
