import type { ClusterId, MemberId, Revision, Term } from '../lib/ids.ts';
import type { Result } from '../lib/result.ts';
import type { MemberInfo, MemberStatus } from '../member/node.ts';
import type { ServiceError } from './errors.ts';

/** etcd's ResponseHeader: who answered, and the store's revision when it did. */
export interface ResponseHeader {
  readonly clusterId: ClusterId;
  readonly memberId: MemberId;
  readonly revision: Revision;
  readonly raftTerm: Term;
}

/** A service's answer: the header and what was asked for. */
export interface Answer<Value> {
  readonly header: ResponseHeader;
  readonly result: Value;
}

export type Reply<Value> = Promise<Result<Answer<Value>, ServiceError>>;

export interface StatusResult extends MemberStatus {
  /** API level that this server speaks, e.g. `3.6.0`. */
  readonly version: string;
  readonly errors: readonly string[];
  readonly storageVersion: string;
  /** 0: no limit. */
  readonly dbSizeQuotaBytes: number;
  /** Target of a downgrade under way. */
  readonly downgradeTo: string | undefined;
}

export interface MemberListResult {
  readonly members: readonly MemberInfo[];
}
