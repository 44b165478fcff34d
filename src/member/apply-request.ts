import { assertNever } from '../lib/assert.ts';
import type { Index, LeaseId, Revision } from '../lib/ids.ts';
import { err, ok, type Result } from '../lib/result.ts';
import type { RequestOp, TxnRequest } from '../mvcc/request.ts';
import type { Store } from '../mvcc/store.ts';
import type { Failpoints } from '../ports/failpoints.ts';
import type { InternalRequest, InternalResult, LoggedRequest } from '../wire/internal-request.ts';
import type { ApplyFailure } from './failure.ts';
import { refusePermission } from './permission.ts';
import type { ReplicatedState } from './replicated-state.ts';

export interface ApplyPlace {
  readonly index: Index;
  readonly tick: number;
  readonly failpoints?: Failpoints | undefined;
}

/**
 * What one logged request does to the state. Deterministic: every member comes to the same
 * result, refusals included, whatever its time, its leader or its disk.
 */
export function applyRequest(
  state: ReplicatedState,
  { request, auth }: LoggedRequest,
  at: ApplyPlace,
): Result<InternalResult, ApplyFailure> {
  const failure =
    refusePermission(state.auth, request, auth, (id) => state.lessor.keysOf(id)) ??
    refuseUnderAlarm(state, request);
  return failure === undefined ? run(state, request, at) : err(failure);
}

function run(
  state: ReplicatedState,
  request: InternalRequest,
  at: ApplyPlace,
): Result<InternalResult, ApplyFailure> {
  const { store, lessor, alarms, auth, membership } = state;
  switch (request.type) {
    case 'put': {
      const result = store.put(request.request);
      return result.ok ? ok({ type: 'put', result: result.value }) : result;
    }
    case 'deleteRange': {
      const result = store.deleteRange(request.request);
      return result.ok ? ok({ type: 'deleteRange', result: result.value }) : result;
    }
    case 'txn': {
      const result = store.txn(request.request);
      return result.ok ? ok({ type: 'txn', result: result.value }) : result;
    }
    case 'compaction':
      return compacted(store, request.revision, at.failpoints);
    case 'leaseGrant': {
      const granted = lessor.grant(request.id, request.ttlS, at.tick);
      if (!granted.ok) return granted;
      return ok({ type: 'leaseGrant', id: request.id, ttlS: granted.value.ttlS });
    }
    case 'leaseRevoke':
      return revoke(state, request.id);
    case 'leaseCheckpoint':
      for (const { id, remainingTtlS } of request.checkpoints) {
        lessor.checkpoint(id, remainingTtlS, at.tick);
      }
      return ok({ type: 'leaseCheckpoint' });
    case 'alarm':
      return ok({ type: 'alarm', alarms: alarms.apply(request.request) });
    case 'auth':
      return done('auth', auth.apply(request.request, at.index, at.tick));
    case 'clusterVersion':
      state.clusterVersion = request.version;
      return ok({ type: 'clusterVersion' });
    case 'downgradeInfo':
      state.downgradeTo = request.enabled ? request.version : undefined;
      return ok({ type: 'downgradeInfo' });
    case 'memberAttributes':
      membership.setAttributes(request.request);
      return ok({ type: 'memberAttributes' });
    case 'nothing':
      return ok({ type: 'nothing' });
    default:
      return assertNever(request);
  }
}

function compacted(
  store: Store,
  revision: Revision,
  failpoints: Failpoints | undefined,
): Result<InternalResult, ApplyFailure> {
  failpoints?.hit('compactBeforeCommitScheduledCompact');
  const result = store.compact(revision);
  failpoints?.hit('compactAfterCommitScheduledCompact');
  return done('compaction', result);
}

function done<Failure extends ApplyFailure>(
  type: 'compaction' | 'auth',
  result: Result<unknown, Failure>,
): Result<InternalResult, ApplyFailure> {
  return result.ok ? ok({ type }) : result;
}

/** All keys of a lease go in one revision, in their order. */
function revoke(state: ReplicatedState, id: LeaseId): Result<InternalResult, ApplyFailure> {
  const revoked = state.lessor.revoke(id);
  if (!revoked.ok) return revoked;
  const success = revoked.value.map((key): RequestOp => {
    return { type: 'deleteRange', request: { key, rangeEnd: NO_END, prevKv: false } };
  });
  const deleted = state.store.txn({ compare: [], success, failure: [] });
  return deleted.ok ? ok({ type: 'leaseRevoke' }) : deleted;
}

/** What makes room, or puts an alarm off, is allowed under NOSPACE; nothing under CORRUPT. */
function refuseUnderAlarm(
  { alarms }: ReplicatedState,
  request: InternalRequest,
): ApplyFailure | undefined {
  const kind = request.type;
  const isData =
    kind === 'put' ||
    kind === 'txn' ||
    kind === 'deleteRange' ||
    kind === 'compaction' ||
    kind === 'leaseGrant' ||
    kind === 'leaseRevoke';
  if (!isData || alarms.list().length === 0) return undefined;
  if (alarms.has('CORRUPT')) return 'corrupt';
  if (!alarms.has('NOSPACE')) return undefined;
  const grows =
    kind === 'put' || kind === 'leaseGrant' || (kind === 'txn' && hasPut(request.request));
  return grows ? 'noSpace' : undefined;
}

/** etcd asks this of both branches, whichever will run. */
function hasPut(request: TxnRequest): boolean {
  return [...request.success, ...request.failure].some(
    (op) => op.type === 'put' || (op.type === 'txn' && hasPut(op.request)),
  );
}

const NO_END = new Uint8Array(0);
