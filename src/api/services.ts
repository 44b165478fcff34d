import type { Result } from '../lib/result.ts';
import type {
  DeleteRangeRequest,
  DeleteRangeResult,
  PutRequest,
  PutResult,
  RangeRequest,
  TxnRequest,
  TxnResult,
} from '../mvcc/request.ts';
import type { WatchRequest, WatchResult } from '../mvcc/watch-request.ts';
import type { Call } from '../service/call.ts';
import type { Caller } from '../service/caller.ts';
import type { ServiceError } from '../service/errors.ts';
import type { OpenedRange } from '../service/large-ranges.ts';
import type { Answer, MemberListResult, Reply, StatusResult } from '../service/response.ts';
import type { AnswerStream, StreamSink, StreamSource } from '../service/stream.ts';
import type * as rpc from '../wire/gen/etcdserverpb/rpc_pb.ts';
import type * as election from '../wire/gen/v3electionpb/v3election_pb.ts';
import type * as lock from '../wire/gen/v3lockpb/v3lock_pb.ts';

/**
 * What the front ends need from the services, one interface for each of etcd's. Hot requests are
 * plain values; the others are the generated messages themselves.
 */

/** Of a call whose messages are generated ones. */
export type MessageReply<Response> = Promise<Result<Response, ServiceError>>;

export interface KvService {
  openRange(request: RangeRequest, caller: Caller): Promise<Result<OpenedRange, ServiceError>>;
  put(request: PutRequest, caller: Caller): Reply<PutResult>;
  deleteRange(request: DeleteRangeRequest, caller: Caller): Reply<DeleteRangeResult>;
  txn(request: TxnRequest, caller: Caller): Reply<TxnResult>;
  compact(request: rpc.CompactionRequest, caller: Caller): MessageReply<rpc.CompactionResponse>;
}

export interface WatchService {
  open(caller: Caller, sink: StreamSink<Answer<WatchResult>>): StreamSource<WatchRequest>;
}

export interface LeaseService {
  leaseGrant(request: rpc.LeaseGrantRequest, caller: Caller): MessageReply<rpc.LeaseGrantResponse>;
  leaseRevoke(
    request: rpc.LeaseRevokeRequest,
    caller: Caller,
  ): MessageReply<rpc.LeaseRevokeResponse>;
  leaseTimeToLive(
    request: rpc.LeaseTimeToLiveRequest,
    caller: Caller,
  ): MessageReply<rpc.LeaseTimeToLiveResponse>;
  leaseLeases(
    request: rpc.LeaseLeasesRequest,
    caller: Caller,
  ): MessageReply<rpc.LeaseLeasesResponse>;
  keepAlive(
    caller: Caller,
    sink: StreamSink<rpc.LeaseKeepAliveResponse>,
  ): StreamSource<rpc.LeaseKeepAliveRequest>;
}

export interface MemberChangeService {
  memberAdd(request: rpc.MemberAddRequest, caller: Caller): MessageReply<rpc.MemberAddResponse>;
  memberRemove(
    request: rpc.MemberRemoveRequest,
    caller: Caller,
  ): MessageReply<rpc.MemberRemoveResponse>;
  memberUpdate(
    request: rpc.MemberUpdateRequest,
    caller: Caller,
  ): MessageReply<rpc.MemberUpdateResponse>;
  memberPromote(
    request: rpc.MemberPromoteRequest,
    caller: Caller,
  ): MessageReply<rpc.MemberPromoteResponse>;
}

export interface ClusterService extends MemberChangeService {
  memberList(request: { readonly linearizable: boolean }, caller: Caller): Reply<MemberListResult>;
}

export interface UpkeepService {
  alarm(request: rpc.AlarmRequest, caller: Caller): MessageReply<rpc.AlarmResponse>;
  defragment(request: rpc.DefragmentRequest, caller: Caller): MessageReply<rpc.DefragmentResponse>;
  hash(request: rpc.HashRequest, caller: Caller): MessageReply<rpc.HashResponse>;
  hashKv(request: rpc.HashKVRequest, caller: Caller): MessageReply<rpc.HashKVResponse>;
  snapshot(
    request: rpc.SnapshotRequest,
    caller: Caller,
    sink: StreamSink<rpc.SnapshotResponse>,
  ): AnswerStream;
  moveLeader(request: rpc.MoveLeaderRequest, caller: Caller): MessageReply<rpc.MoveLeaderResponse>;
  downgrade(request: rpc.DowngradeRequest, caller: Caller): MessageReply<rpc.DowngradeResponse>;
}

export interface MaintenanceService extends UpkeepService {
  status(caller: Caller): Reply<StatusResult>;
}

/** Each takes the request and the caller, as the others do. */
type AuthCall<Request, Response> = (request: Request, caller: Caller) => MessageReply<Response>;

export interface AuthService {
  authEnable: AuthCall<rpc.AuthEnableRequest, rpc.AuthEnableResponse>;
  authDisable: AuthCall<rpc.AuthDisableRequest, rpc.AuthDisableResponse>;
  authStatus: AuthCall<rpc.AuthStatusRequest, rpc.AuthStatusResponse>;
  authenticate: AuthCall<rpc.AuthenticateRequest, rpc.AuthenticateResponse>;
  userAdd: AuthCall<rpc.AuthUserAddRequest, rpc.AuthUserAddResponse>;
  userGet: AuthCall<rpc.AuthUserGetRequest, rpc.AuthUserGetResponse>;
  userList: AuthCall<rpc.AuthUserListRequest, rpc.AuthUserListResponse>;
  userDelete: AuthCall<rpc.AuthUserDeleteRequest, rpc.AuthUserDeleteResponse>;
  userChangePassword: AuthCall<
    rpc.AuthUserChangePasswordRequest,
    rpc.AuthUserChangePasswordResponse
  >;
  userGrantRole: AuthCall<rpc.AuthUserGrantRoleRequest, rpc.AuthUserGrantRoleResponse>;
  userRevokeRole: AuthCall<rpc.AuthUserRevokeRoleRequest, rpc.AuthUserRevokeRoleResponse>;
  roleAdd: AuthCall<rpc.AuthRoleAddRequest, rpc.AuthRoleAddResponse>;
  roleGet: AuthCall<rpc.AuthRoleGetRequest, rpc.AuthRoleGetResponse>;
  roleList: AuthCall<rpc.AuthRoleListRequest, rpc.AuthRoleListResponse>;
  roleDelete: AuthCall<rpc.AuthRoleDeleteRequest, rpc.AuthRoleDeleteResponse>;
  roleGrantPermission: AuthCall<
    rpc.AuthRoleGrantPermissionRequest,
    rpc.AuthRoleGrantPermissionResponse
  >;
  roleRevokePermission: AuthCall<
    rpc.AuthRoleRevokePermissionRequest,
    rpc.AuthRoleRevokePermissionResponse
  >;
}

export interface LockService {
  lock(request: lock.LockRequest, call: Call): MessageReply<lock.LockResponse>;
  unlock(request: lock.UnlockRequest, caller: Caller): MessageReply<lock.UnlockResponse>;
}

export interface ElectionService {
  campaign(request: election.CampaignRequest, call: Call): MessageReply<election.CampaignResponse>;
  proclaim(
    request: election.ProclaimRequest,
    caller: Caller,
  ): MessageReply<election.ProclaimResponse>;
  leader(request: election.LeaderRequest, caller: Caller): MessageReply<election.LeaderResponse>;
  observe(
    request: election.LeaderRequest,
    caller: Caller,
    sink: StreamSink<election.LeaderResponse>,
  ): AnswerStream;
  resign(request: election.ResignRequest, caller: Caller): MessageReply<election.ResignResponse>;
}

export interface Services {
  readonly kv: KvService;
  readonly maintenance: MaintenanceService;
  readonly cluster: ClusterService;
  /** For callers that insist on a leader. */
  hasLeader(): boolean;
  readonly watch: WatchService;
  readonly lease: LeaseService;
  readonly auth: AuthService;
  readonly lock: LockService;
  readonly election: ElectionService;
}
