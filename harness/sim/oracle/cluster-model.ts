/** The whole replicated state again: what each kind of entry does to keys and to all else. */
import { assert, assertNever } from '../../../src/lib/assert.ts';
import type { LeaseId, RequestId } from '../../../src/lib/ids.ts';
import type { Result } from '../../../src/lib/result.ts';
import { loggedChangeOf } from '../../../src/member/apply-membership.ts';
import type {
  DeleteRangeRequest,
  DeleteRangeResult,
  PutRequest,
  PutResult,
  RequestOp,
  StoreError,
  TxnRequest,
  TxnResult,
} from '../../../src/mvcc/request.ts';
import type { Entry } from '../../../src/raft/message.ts';
import type { InternalRequest, LoggedRequest } from '../../../src/wire/internal-request.ts';
import { decodeLoggedRequest } from '../../../src/wire/logged-request.ts';
import { decodeConfChange } from '../../../src/wire/raft-records.ts';
import { applyAuth, permits } from './auth-model.ts';
import { Model } from './kv-model.ts';
import {
  NO_UPKEEP,
  type UpkeepModel,
  withAlarm,
  withLease,
  withMember,
  withMembers,
  withoutLease,
  withRemaining,
} from './upkeep-model.ts';

export interface ClusterOptions {
  /** Shorter grants are raised to it. */
  readonly leaseTtlMinS: number;
  readonly learnersMax: number;
}

export type KvWrite =
  | { readonly type: 'put'; readonly request: PutRequest }
  | { readonly type: 'deleteRange'; readonly request: DeleteRangeRequest }
  | { readonly type: 'txn'; readonly request: TxnRequest };

/** What an entry did. */
export interface AppliedToModel {
  /** 0: nobody waits for it. */
  readonly id: RequestId;
  readonly kv?: {
    readonly request: KvWrite;
    readonly result: Result<PutResult | DeleteRangeResult | TxnResult, StoreError>;
  };
  readonly revoked?: { readonly id: LeaseId; readonly hasExpired: boolean };
}

const LEASE_TTL_MAX_S = 9_000_000_000;
const NOTHING: AppliedToModel = { id: 0n, revoked: undefined };

export function newCluster(options: Partial<ClusterOptions>): ClusterModel {
  return new ClusterModel({ leaseTtlMinS: 1, learnersMax: 1, ...options });
}

export class ClusterModel {
  readonly store: Model = new Model((id) => this.#upkeep.leases.has(id));
  #upkeep: UpkeepModel = NO_UPKEEP;
  readonly #options: ClusterOptions;

  constructor(options: ClusterOptions) {
    this.#options = options;
  }

  get upkeep(): UpkeepModel {
    return this.#upkeep;
  }

  apply(entry: Entry): AppliedToModel {
    // A new leader's no-op has no data.
    if (entry.data.length === 0 || entry.type === 'confChangeV2') return NOTHING;
    // A copy, because decoded requests look into the bytes they came from.
    const data = new Uint8Array(entry.data);
    if (entry.type === 'confChange') return this.#changeMembers(data);
    const logged = decodeLoggedRequest(data);
    assert(logged.ok, `entry ${entry.index} holds no request this version knows`);
    return { ...this.#run(logged.value), id: logged.value.id };
  }

  #changeMembers(data: Uint8Array): AppliedToModel {
    const decoded = decodeConfChange(data);
    if (!decoded.ok) return NOTHING;
    const { id, change } = loggedChangeOf(decoded.value);
    this.#upkeep = withMembers(this.#upkeep, change, this.#options.learnersMax) ?? this.#upkeep;
    return { ...NOTHING, id };
  }

  #run({ id, request, auth }: LoggedRequest): AppliedToModel {
    const keysOf = (lease: LeaseId): readonly Uint8Array[] => this.store.keysOf(lease);
    if (!permits(this.#upkeep.auth, request, auth, keysOf)) return NOTHING;
    if (this.#isUnderAlarm(request)) return NOTHING;
    switch (request.type) {
      case 'put':
        return { id, kv: { request, result: this.store.put(request.request) } };
      case 'deleteRange':
        return { id, kv: { request, result: this.store.deleteRange(request.request) } };
      case 'txn':
        return { id, kv: { request, result: this.store.txn(request.request) } };
      case 'compaction':
        if (this.store.compact(request.revision).ok) {
          this.#upkeep = { ...this.#upkeep, compactRevision: request.revision };
        }
        return NOTHING;
      case 'leaseGrant':
        this.#grant(request.id, request.ttlS);
        return NOTHING;
      case 'leaseRevoke':
        return this.#revoke(request.id, id === 0n);
      default:
        this.#upkeep = this.#otherUpkeep(request);
        return NOTHING;
    }
  }

  #otherUpkeep(
    request: Exclude<
      InternalRequest,
      { type: 'put' | 'deleteRange' | 'txn' | 'compaction' | 'leaseGrant' | 'leaseRevoke' }
    >,
  ): UpkeepModel {
    const upkeep = this.#upkeep;
    switch (request.type) {
      case 'leaseCheckpoint':
        return withRemaining(upkeep, request.checkpoints);
      case 'alarm':
        return withAlarm(upkeep, request.request);
      case 'auth': {
        const auth = applyAuth(upkeep.auth, request.request);
        return auth === undefined || auth === upkeep.auth ? upkeep : { ...upkeep, auth };
      }
      case 'clusterVersion':
        return { ...upkeep, clusterVersion: request.version };
      case 'downgradeInfo':
        return { ...upkeep, downgradeTo: request.enabled ? request.version : undefined };
      case 'memberAttributes': {
        const { memberId, name, clientUrls } = request.request;
        const member = upkeep.members.get(memberId);
        return member === undefined ? upkeep : withMember(upkeep, { ...member, name, clientUrls });
      }
      case 'nothing':
        return upkeep;
      default:
        return assertNever(request);
    }
  }

  #grant(id: LeaseId, ttlS: number): void {
    if (id === 0n || ttlS > LEASE_TTL_MAX_S || this.#upkeep.leases.has(id)) return;
    const granted = Math.max(ttlS, this.#options.leaseTtlMinS);
    this.#upkeep = withLease(this.#upkeep, id, { ttlS: granted, remainingTtlS: 0 });
  }

  /** All keys in one revision, in their order. */
  #revoke(id: LeaseId, hasExpired: boolean): AppliedToModel {
    if (!this.#upkeep.leases.has(id)) return NOTHING;
    const success = this.store.keysOf(id).map((key): RequestOp => {
      return { type: 'deleteRange', request: { key, rangeEnd: NO_END, prevKv: false } };
    });
    const deleted = this.store.txn({ compare: [], success, failure: [] });
    assert(deleted.ok, 'keys can always be deleted');
    this.#upkeep = withoutLease(this.#upkeep, id);
    return { ...NOTHING, revoked: { id, hasExpired } };
  }

  #isUnderAlarm(request: InternalRequest): boolean {
    const { alarms } = this.#upkeep;
    const isOn = (type: string): boolean => alarms.some((alarm) => alarm.type === type);
    switch (request.type) {
      case 'put':
      case 'leaseGrant':
        return isOn('CORRUPT') || isOn('NOSPACE');
      case 'txn':
        return isOn('CORRUPT') || (isOn('NOSPACE') && puts(request.request));
      case 'deleteRange':
      case 'compaction':
      case 'leaseRevoke':
        return isOn('CORRUPT');
      default:
        return false;
    }
  }
}

/** In either branch. */
function puts({ success, failure }: TxnRequest): boolean {
  const isPut = (op: RequestOp): boolean =>
    op.type === 'put' || (op.type === 'txn' && puts(op.request));
  return success.some(isPut) || failure.some(isPut);
}

const NO_END = new Uint8Array(0);
