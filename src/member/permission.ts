/** What a request needs to be permitted, here and at every member that applies it. */
import type { AuthStore } from '../auth/auth-store.ts';
import type { AuthFailure, AuthInfo } from '../auth/request.ts';
import { assertNever } from '../lib/assert.ts';
import { EMPTY_BYTES } from '../lib/bytes.ts';
import type { LeaseId } from '../lib/ids.ts';
import type { DeleteRangeRequest, PutRequest, RequestOp, TxnRequest } from '../mvcc/request.ts';
import type { InternalRequest } from '../wire/internal-request.ts';

/** undefined: permitted. */
export type Denial = AuthFailure | undefined;

/** Keys that are on a lease; none for an unknown one. */
export type LeaseKeys = (id: LeaseId) => Iterable<Uint8Array>;

/**
 * Before a request is proposed, and again when it is applied: in between, users and roles may
 * have changed. `info` undefined while authentication is on: the request was logged before it
 * was switched on, or a member asks in its own right; reading and writing keys, and managing
 * users, members never do so.
 */
export function refusePermission(
  auth: AuthStore,
  request: InternalRequest,
  info: AuthInfo | undefined,
  leaseKeys: LeaseKeys,
): Denial {
  if (!auth.enabled) return undefined;
  switch (request.type) {
    case 'put':
      return refusePut(auth, request.request, info, leaseKeys);
    case 'deleteRange':
      return refuseDeleteRange(auth, request.request, info);
    case 'txn':
      return refuseTxn(auth, request.request, info, leaseKeys);
    case 'leaseRevoke':
      return info && refuseLeaseWrite(auth, request.id, info, leaseKeys);
    case 'alarm':
      return request.request.action === 'get' ? undefined : info && auth.checkAdmin(info);
    case 'compaction':
    case 'downgradeInfo':
      return info && auth.checkAdmin(info);
    case 'auth':
      // Whoever logs in has proved who it is to the member that proposed it.
      return request.request.type === 'authenticate' ? undefined : auth.checkAdmin(info);
    case 'leaseGrant':
    case 'leaseCheckpoint':
    case 'clusterVersion':
    case 'memberAttributes':
    case 'nothing':
      return undefined;
    default:
      return assertNever(request);
  }
}

/** Of both branches, whichever will run; guards read. */
export function refuseTxn(
  auth: AuthStore,
  request: TxnRequest,
  info: AuthInfo | undefined,
  leaseKeys: LeaseKeys,
): Denial {
  for (const { key, rangeEnd } of request.compare) {
    const denial = auth.checkRange(info, key, rangeEnd);
    if (denial !== undefined) return denial;
  }
  for (const branch of [request.success, request.failure]) {
    for (const op of branch) {
      const denial = refuseOp(auth, op, info, leaseKeys);
      if (denial !== undefined) return denial;
    }
  }
  return undefined;
}

/** Whoever may end a lease or keep it alive decides over all of its keys. */
export function refuseLeaseWrite(
  auth: AuthStore,
  id: LeaseId,
  info: AuthInfo | undefined,
  leaseKeys: LeaseKeys,
): Denial {
  // Root is asked about no key, however many there are and however old its token is.
  if (auth.checkAdmin(info) === undefined) return undefined;
  return firstDenial(leaseKeys(id), (key) => auth.checkPut(info, key));
}

/** Whoever sees the keys of a lease must be allowed to read them. */
export function refuseLeaseRead(
  auth: AuthStore,
  id: LeaseId,
  info: AuthInfo | undefined,
  leaseKeys: LeaseKeys,
): Denial {
  if (auth.checkAdmin(info) === undefined) return undefined;
  return firstDenial(leaseKeys(id), (key) => auth.checkRange(info, key, EMPTY_BYTES));
}

function firstDenial(keys: Iterable<Uint8Array>, refuse: (key: Uint8Array) => Denial): Denial {
  for (const key of keys) {
    const denial = refuse(key);
    if (denial !== undefined) return denial;
  }
  return undefined;
}

/** Attaching a key to a lease gives the lease's other keys a say over it, and the reverse. */
function refusePut(
  auth: AuthStore,
  request: PutRequest,
  info: AuthInfo | undefined,
  leaseKeys: LeaseKeys,
): Denial {
  const denial =
    auth.checkPut(info, request.key) ??
    (request.lease === 0n ? undefined : refuseLeaseWrite(auth, request.lease, info, leaseKeys));
  if (denial !== undefined || !request.prevKv) return denial;
  return auth.checkRange(info, request.key, EMPTY_BYTES);
}

function refuseDeleteRange(
  auth: AuthStore,
  { key, rangeEnd, prevKv }: DeleteRangeRequest,
  info: AuthInfo | undefined,
): Denial {
  const denial = auth.checkDeleteRange(info, key, rangeEnd);
  if (denial !== undefined || !prevKv) return denial;
  return auth.checkRange(info, key, rangeEnd);
}

/** Recursion is as deep as the limits on transactions let the request be. */
function refuseOp(
  auth: AuthStore,
  op: RequestOp,
  info: AuthInfo | undefined,
  leaseKeys: LeaseKeys,
): Denial {
  switch (op.type) {
    case 'range':
      return auth.checkRange(info, op.request.key, op.request.rangeEnd);
    case 'put':
      return refusePut(auth, op.request, info, leaseKeys);
    case 'deleteRange':
      return refuseDeleteRange(auth, op.request, info);
    case 'txn':
      return refuseTxn(auth, op.request, info, leaseKeys);
    default:
      return assertNever(op);
  }
}
