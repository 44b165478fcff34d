/** What etcd refuses for its form alone, in the order in which etcd looks. */
import { assertNever } from '../lib/assert.ts';
import type {
  DeleteRangeRequest,
  PutRequest,
  RangeRequest,
  RequestOp,
  TxnRequest,
} from '../mvcc/request.ts';
import { hasDuplicateKey } from './duplicate-keys.ts';
import type { ValidationFailure } from './errors.ts';
import type { ServiceLimits } from './limits.ts';

/** undefined: nothing to refuse. */
export type Refusal = ValidationFailure | undefined;

/** Sort options are checked where numbers become words: {@link RangeRequest} has no others. */
export function refuseRange(request: RangeRequest): Refusal {
  return request.key.length === 0 ? 'keyNotProvided' : undefined;
}

/** What is to be kept must not be given as well. */
export function refusePut(request: PutRequest): Refusal {
  if (request.key.length === 0) return 'keyNotProvided';
  if (request.ignoreValue && request.value.length !== 0) return 'valueProvided';
  if (request.ignoreLease && request.lease !== 0n) return 'leaseProvided';
  return undefined;
}

/** The key only; any range end means something. */
export function refuseDeleteRange(request: DeleteRangeRequest): Refusal {
  return request.key.length === 0 ? 'keyNotProvided' : undefined;
}

/** Keys are compared with each other only when the rest, and so their number, is in order. */
export function refuseTxn(request: TxnRequest, limits: ServiceLimits): Refusal {
  const refusal = refuseTxnForm(request, limits.maxTxnOps);
  if (refusal !== undefined) return refusal;
  const hasDuplicate = hasDuplicateKey(request.success) || hasDuplicateKey(request.failure);
  return hasDuplicate ? 'duplicateKey' : undefined;
}

/** Recursion ends: a nested transaction takes at least one operation of its parent's. */
function refuseTxnForm(request: TxnRequest, maxTxnOps: number): Refusal {
  const { compare, success, failure } = request;
  const opCount = Math.max(compare.length, success.length, failure.length);
  if (opCount > maxTxnOps) return 'tooManyOps';
  if (compare.some(({ key }) => key.length === 0)) return 'keyNotProvided';
  for (const op of [...success, ...failure]) {
    const refusal = refuseOp(op, maxTxnOps - opCount);
    if (refusal !== undefined) return refusal;
  }
  return undefined;
}

function refuseOp(op: RequestOp, nestedTxnOpsMax: number): Refusal {
  switch (op.type) {
    case 'range':
      return refuseRange(op.request);
    case 'put':
      return refusePut(op.request);
    case 'deleteRange':
      return refuseDeleteRange(op.request);
    case 'txn':
      return refuseTxnForm(op.request, nestedTxnOpsMax);
    default:
      return assertNever(op);
  }
}
