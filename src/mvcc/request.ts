import type { LeaseId, Revision } from '../lib/ids.ts';

/**
 * What clients ask of the store and what it answers, as plain values. The names and the
 * meaning of every field are those of etcd's `rpc.proto`; bytes are made elsewhere (src/wire).
 */

export interface KeyValue {
  readonly key: Uint8Array;
  readonly createRevision: Revision;
  readonly modRevision: Revision;
  /** 1 for a fresh key, one more per put; 0 in a tombstone. */
  readonly version: number;
  readonly value: Uint8Array;
  readonly lease: LeaseId;
}

export type SortOrder = 'none' | 'ascend' | 'descend';
export type SortTarget = 'key' | 'version' | 'create' | 'mod' | 'value';

export interface RangeRequest {
  readonly key: Uint8Array;
  /** Empty: the single key. One zero byte: every key ≥ `key`. Otherwise exclusive end. */
  readonly rangeEnd: Uint8Array;
  /** 0: no limit. */
  readonly limit: number;
  /** ≤ 0: the current revision. */
  readonly revision: Revision;
  readonly sortOrder: SortOrder;
  readonly sortTarget: SortTarget;
  readonly serializable: boolean;
  readonly keysOnly: boolean;
  readonly countOnly: boolean;
  /** Filters; 0: off. */
  readonly minModRevision: Revision;
  readonly maxModRevision: Revision;
  readonly minCreateRevision: Revision;
  readonly maxCreateRevision: Revision;
}

export interface RangeResult {
  readonly kvs: readonly KeyValue[];
  /** The limit cut something off. */
  readonly more: boolean;
  /** Keys in the range, regardless of limit and filters. */
  readonly count: number;
}

export interface PutRequest {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
  readonly lease: LeaseId;
  readonly prevKv: boolean;
  readonly ignoreValue: boolean;
  readonly ignoreLease: boolean;
}

export interface PutResult {
  readonly prevKv: KeyValue | undefined;
}

export interface DeleteRangeRequest {
  readonly key: Uint8Array;
  readonly rangeEnd: Uint8Array;
  readonly prevKv: boolean;
}

export interface DeleteRangeResult {
  readonly deleted: number;
  readonly prevKvs: readonly KeyValue[];
}

export type CompareResult = 'equal' | 'greater' | 'less' | 'notEqual';

/** Target and operand of a transaction's guard; `operand` is what the key's field is compared to. */
export type CompareTarget =
  | { readonly target: 'version'; readonly operand: number }
  | { readonly target: 'create'; readonly operand: Revision }
  | { readonly target: 'mod'; readonly operand: Revision }
  | { readonly target: 'value'; readonly operand: Uint8Array }
  | { readonly target: 'lease'; readonly operand: LeaseId };

export type Compare = CompareTarget & {
  readonly key: Uint8Array;
  /** Non-empty: every key of the range must satisfy the comparison. */
  readonly rangeEnd: Uint8Array;
  readonly result: CompareResult;
};

export type RequestOp =
  | { readonly type: 'range'; readonly request: RangeRequest }
  | { readonly type: 'put'; readonly request: PutRequest }
  | { readonly type: 'deleteRange'; readonly request: DeleteRangeRequest }
  | { readonly type: 'txn'; readonly request: TxnRequest };

export interface TxnRequest {
  /** All must hold for `success` to run, otherwise `failure` runs. */
  readonly compare: readonly Compare[];
  readonly success: readonly RequestOp[];
  readonly failure: readonly RequestOp[];
}

export type ResponseOp =
  | { readonly type: 'range'; readonly result: RangeResult }
  | { readonly type: 'put'; readonly result: PutResult }
  | { readonly type: 'deleteRange'; readonly result: DeleteRangeResult }
  | { readonly type: 'txn'; readonly result: TxnResult };

export interface TxnResult {
  readonly succeeded: boolean;
  readonly responses: readonly ResponseOp[];
}

/** Why the store refuses a well-formed request; the store is unchanged. */
export type StoreError = 'compacted' | 'futureRevision' | 'keyNotFound' | 'leaseNotFound';
