/**
 * Named numbers. Each carries an optional phantom flavour: a plain number may become any of
 * them, but a `Term` is never silently passed where an `Index` is wanted.
 */

/** Raft term: 0 before the first election, then ≥ 1. A safe integer. */
export type Term = number & { readonly __flavour?: 'Term' };

/** Position in the replicated log: the first entry has index 1; 0 means "before it". */
export type Index = number & { readonly __flavour?: 'Index' };

/** etcd store revision: 1 in an empty store, one more per mutating transaction. */
export type Revision = number & { readonly __flavour?: 'Revision' };

/** 64-bit id of a member, derived as etcd derives it (sha1 of peer URLs and token). */
export type MemberId = bigint & { readonly __flavour?: 'MemberId' };

/** 64-bit id of a cluster. */
export type ClusterId = bigint & { readonly __flavour?: 'ClusterId' };

/** 64-bit lease id; 0n means "no lease". */
export type LeaseId = bigint & { readonly __flavour?: 'LeaseId' };

/** 64-bit id of a client request: unique across members and restarts. */
export type RequestId = bigint & { readonly __flavour?: 'RequestId' };

/** Ids as etcd prints them: lower-case hexadecimal without leading zeros. */
export function formatId(id: bigint): string {
  return id.toString(16);
}
