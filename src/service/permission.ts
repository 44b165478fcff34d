/** What reading, watching and looking after leases need; changes are in src/member/permission.ts. */
import type { AuthStore } from '../auth/auth-store.ts';
import type { AuthInfo } from '../auth/request.ts';
import { assertNever } from '../lib/assert.ts';
import type { LeaseId } from '../lib/ids.ts';
import {
  type Denial,
  type LeaseKeys,
  refuseLeaseRead,
  refuseLeaseWrite,
  refuseTxn,
} from '../member/permission.ts';
import type { TxnRequest } from '../mvcc/request.ts';

/** What is done without the log. */
export type Access =
  /** Also of a watch, when it is created. */
  | { readonly type: 'range'; readonly key: Uint8Array; readonly rangeEnd: Uint8Array }
  | { readonly type: 'txn'; readonly request: TxnRequest }
  | { readonly type: 'leaseKeepAlive'; readonly id: LeaseId }
  /** Their keys are shown, or that they are there at all. */
  | { readonly type: 'leaseKeys'; readonly ids: Iterable<LeaseId> }
  /** Whoever it is, as long as it is somebody. */
  | { readonly type: 'anyUser' }
  | { readonly type: 'admin' };

/** `info` is of a caller who was identified, in the same turn. */
export function refuseAccess(
  auth: AuthStore,
  access: Access,
  info: AuthInfo | undefined,
  leaseKeys: LeaseKeys,
): Denial {
  if (!auth.enabled) return undefined;
  switch (access.type) {
    case 'range':
      return auth.checkRange(info, access.key, access.rangeEnd);
    case 'txn':
      return refuseTxn(auth, access.request, info, leaseKeys);
    case 'leaseKeepAlive':
      return refuseLeaseWrite(auth, access.id, info, leaseKeys);
    case 'leaseKeys':
      for (const id of access.ids) {
        const denial = refuseLeaseRead(auth, id, info, leaseKeys);
        if (denial !== undefined) return denial;
      }
      return undefined;
    case 'anyUser':
      return info === undefined ? 'userEmpty' : undefined;
    case 'admin':
      return auth.checkAdmin(info);
    default:
      return assertNever(access);
  }
}
