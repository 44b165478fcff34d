/** The rest of an etcd client, for workloads that ask for more than keys. */

import type { PermissionType } from '../src/auth/request.ts';
import type { LeaseId, MemberId, Revision } from '../src/lib/ids.ts';
import type { WatchCreateRequest, WatchId, WatchResult } from '../src/mvcc/watch-request.ts';
import type { CallOptions, KvClient, Reply } from './kv-client.ts';

export interface LeaseTimes {
  /** −1: there is no such lease. */
  readonly ttlS: number;
  readonly keys: readonly Uint8Array[];
}

export interface LeaseClient extends KvClient {
  leaseGrant(
    ttlS: number,
    options: CallOptions,
    /** Left out: the server makes one up. */
    id?: LeaseId,
  ): Reply<{ readonly id: LeaseId; readonly ttlS: number }>;
  /** `ttlS` 0: there is no such lease. */
  leaseKeepAlive(id: LeaseId, options: CallOptions): Reply<{ readonly ttlS: number }>;
  leaseRevoke(id: LeaseId, options: CallOptions): Reply<object>;
  leaseTimeToLive(id: LeaseId, options: CallOptions): Reply<LeaseTimes>;
}

export interface LockClient extends LeaseClient {
  lock(
    request: { readonly name: Uint8Array; readonly lease: LeaseId },
    options: CallOptions,
  ): Reply<{ readonly key: Uint8Array }>;
  unlock(key: Uint8Array, options: CallOptions): Reply<object>;
}

/** What a candidate was elected with. */
export interface ElectionKey {
  readonly name: Uint8Array;
  readonly key: Uint8Array;
  /** Of the key's creation. */
  readonly rev: Revision;
  readonly lease: LeaseId;
}

export interface ElectionLeader {
  readonly key: Uint8Array;
  readonly createRevision: Revision;
  readonly value: Uint8Array;
}

export interface ElectionClient extends LeaseClient {
  campaign(
    request: { readonly name: Uint8Array; readonly lease: LeaseId; readonly value: Uint8Array },
    options: CallOptions,
  ): Reply<{ readonly leader: ElectionKey }>;
  proclaim(leader: ElectionKey, value: Uint8Array, options: CallOptions): Reply<object>;
  leader(name: Uint8Array, options: CallOptions): Reply<ElectionLeader>;
  /** The first so many leaders and values from now on. */
  observe(
    name: Uint8Array,
    count: number,
    options: CallOptions,
  ): Reply<readonly { readonly leader: ElectionLeader; readonly revision: Revision }[]>;
  resign(leader: ElectionKey, options: CallOptions): Reply<object>;
}

export interface WatchHandlers {
  onResponse(revision: Revision, result: WatchResult): void;
  /** The stream is gone, and its watchers with it. */
  onEnd(): void;
}

/** One stream; what it is told comes in order. */
export interface WatchCall {
  create(request: WatchCreateRequest): void;
  cancel(watchId: WatchId): void;
  requestProgress(): void;
  /** Nothing is taken until it is resumed. */
  pause(): void;
  resume(): void;
  /** Nothing is called back any more. */
  close(): void;
}

export interface WatchClient extends KvClient {
  watch(handlers: WatchHandlers): WatchCall;
}

export interface UpkeepClient extends KvClient {
  compact(
    request: { readonly revision: Revision; readonly physical: boolean },
    options: CallOptions,
  ): Reply<object>;
  defragment(options: CallOptions): Reply<object>;
  hashKv(revision: Revision, options: CallOptions): Reply<{ readonly hash: number }>;
  /** To the next member, whoever that is. */
  moveLeader(options: CallOptions): Reply<object>;
  /** How many bytes there were. */
  snapshot(options: CallOptions): Reply<{ readonly sizeBytes: number }>;
}

/** A change of users, roles or permissions. Everybody's password is their name. */
export type AuthChange =
  | { readonly type: 'enable' | 'disable' }
  | { readonly type: 'userAdd' | 'userDelete' | 'userPassword'; readonly user: string }
  | { readonly type: 'grantRole' | 'revokeRole'; readonly user: string; readonly role: string }
  | { readonly type: 'roleAdd' | 'roleDelete'; readonly role: string }
  | {
      readonly type: 'grant' | 'revoke';
      readonly role: string;
      readonly permission: PermissionType;
      readonly key: Uint8Array;
      readonly rangeEnd: Uint8Array;
    };

/** What anybody may ask for who is somebody. */
export interface UserClient extends LeaseClient, WatchClient {}

export interface AuthClient extends KvClient {
  changeAuth(change: AuthChange, options: CallOptions): Reply<object>;
  /** The same member, asked by that user, who logs in first. */
  as(user: string): UserClient;
}

export interface AlarmClient extends UpkeepClient {
  /** The alarms that are on, were put on, or were put off; of member 0: nobody's, or all. */
  alarm(
    request: { readonly action: 'list' | 'activate' | 'deactivate'; readonly memberId: MemberId },
    options: CallOptions,
  ): Reply<{ readonly memberIds: readonly MemberId[] }>;
}

export interface FullClient
  extends LockClient,
    ElectionClient,
    WatchClient,
    AlarmClient,
    AuthClient {}

export type ConnectFully = (endpoint: string) => FullClient;
