/**
 * Transactions in three steps: decide (all guards, nested ones too, see the state before the
 * transaction, as in etcd), check (nothing written yet, so a refusal leaves no trace and
 * members cannot differ in how far they got), run.
 */

import { assertNever } from '../lib/assert.ts';
import type { LeaseId, Revision } from '../lib/ids.ts';
import { nameOf } from '../lib/key-name.ts';
import { holdsAll } from './compare.ts';
import { IntervalSet } from './interval-set.ts';
import type { KeyIndex } from './key-index.ts';
import { spanOf } from './key-span.ts';
import { evaluateRange } from './range.ts';
import type {
  PutRequest,
  RequestOp,
  ResponseOp,
  StoreError,
  TxnRequest,
  TxnResult,
} from './request.ts';
import type { Writer } from './writer.ts';

/** A transaction without writes is answered by one member, without the log. */
export function isReadOnly(request: TxnRequest): boolean {
  // A nested transaction counts as a write, even if it only reads: etcd logs it too.
  return [...request.success, ...request.failure].every((op) => op.type === 'range');
}

/**
 * Whether a stale answer was asked for: every operation is a serializable range. One that only
 * compares asked for nothing of the kind (etcd lets it be stale; we do not).
 */
export function isSerializable(request: TxnRequest): boolean {
  const ops = [...request.success, ...request.failure];
  return ops.length > 0 && ops.every((op) => op.type === 'range' && op.request.serializable);
}

/** A transaction whose branches are chosen. */
export interface TxnPlan {
  readonly succeeded: boolean;
  readonly steps: readonly Step[];
}

type Step =
  | Exclude<RequestOp, { readonly type: 'txn' }>
  | { readonly type: 'txn'; readonly plan: TxnPlan };

/** What a check needs to know of the store. */
export interface CheckedAgainst {
  readonly index: KeyIndex;
  readonly revision: Revision;
  readonly compactRevision: Revision;
  readonly leaseExists: (id: LeaseId) => boolean;
}

/** Chooses the branches by the present state; nested ones of the branch taken only. */
export function planTxn(index: KeyIndex, request: TxnRequest): TxnPlan {
  const succeeded = holdsAll(index, request.compare);
  const ops = succeeded ? request.success : request.failure;
  const steps = ops.map(
    (op): Step => (op.type === 'txn' ? { type: 'txn', plan: planTxn(index, op.request) } : op),
  );
  return { succeeded, steps };
}

/** The first refusal among the steps that would run, in their order; undefined: none. */
export function checkPlan(store: CheckedAgainst, plan: TxnPlan): StoreError | undefined {
  return checkSteps(store, plan.steps, new IntervalSet());
}

/** The refusal of reading at `revision`; ≤ 0 is the present, the compacted revision readable. */
export function checkReadable(store: CheckedAgainst, revision: Revision): StoreError | undefined {
  if (revision > store.revision) return 'futureRevision';
  return revision > 0 && revision < store.compactRevision ? 'compacted' : undefined;
}

/**
 * The refusal of a put. `deleted`: what the same transaction deletes before it. A put that keeps
 * a part of such a key is refused, even if the key is put again in between: the services refuse
 * two puts of one key, so nobody can mean it.
 */
export function checkPut(
  { index, leaseExists }: Pick<CheckedAgainst, 'index' | 'leaseExists'>,
  request: PutRequest,
  deleted?: IntervalSet,
): StoreError | undefined {
  if (request.lease !== 0n && !leaseExists(request.lease)) return 'leaseNotFound';
  if (!request.ignoreValue && !request.ignoreLease) return undefined;
  const isLive = index.isLive(request.key) && !deleted?.covers(nameOf(request.key));
  return isLive ? undefined : 'keyNotFound';
}

/** Runs a plan that {@link checkPlan} did not refuse; nothing can fail any more. */
export function runPlan(index: KeyIndex, plan: TxnPlan, writer: Writer): TxnResult {
  const responses = plan.steps.map((step): ResponseOp => {
    switch (step.type) {
      case 'range':
        return { type: 'range', result: evaluateRange(index, step.request) };
      case 'put':
        return { type: 'put', result: writer.put(step.request) };
      case 'deleteRange':
        return { type: 'deleteRange', result: writer.deleteRange(step.request) };
      case 'txn':
        return { type: 'txn', result: runPlan(index, step.plan, writer) };
      default:
        return assertNever(step);
    }
  });
  return { succeeded: plan.succeeded, responses };
}

/** Adds what the steps delete to `deleted`, which nested steps share. */
function checkSteps(
  store: CheckedAgainst,
  steps: readonly Step[],
  deleted: IntervalSet,
): StoreError | undefined {
  for (const step of steps) {
    const refusal = checkStep(store, step, deleted);
    if (refusal !== undefined) return refusal;
  }
  return undefined;
}

function checkStep(
  store: CheckedAgainst,
  step: Step,
  deleted: IntervalSet,
): StoreError | undefined {
  switch (step.type) {
    case 'range':
      return checkReadable(store, step.request.revision);
    case 'put':
      return checkPut(store, step.request, deleted);
    case 'deleteRange':
      deleted.add(spanOf(step.request.key, step.request.rangeEnd));
      return undefined;
    case 'txn':
      return checkSteps(store, step.plan.steps, deleted);
    default:
      return assertNever(step);
  }
}
