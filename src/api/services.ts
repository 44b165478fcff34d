import type {
  DeleteRangeRequest,
  DeleteRangeResult,
  PutRequest,
  PutResult,
  RangeRequest,
  RangeResult,
  TxnRequest,
  TxnResult,
} from '../mvcc/request.ts';
import type { MemberListResult, Reply, StatusResult } from '../service/response.ts';

/** What the front ends need from the services, one interface for each of etcd's. */

export interface KvService {
  range(request: RangeRequest): Reply<RangeResult>;
  put(request: PutRequest): Reply<PutResult>;
  deleteRange(request: DeleteRangeRequest): Reply<DeleteRangeResult>;
  txn(request: TxnRequest): Reply<TxnResult>;
}

export interface MaintenanceService {
  status(): Reply<StatusResult>;
}

export interface ClusterService {
  memberList(request: { readonly linearizable: boolean }): Reply<MemberListResult>;
}

export interface Health {
  readonly healthy: boolean;
  /** Empty while healthy; else in etcd's words, e.g. `RAFT NO LEADER`. */
  readonly reason: string;
}

export interface HealthService {
  check(request: { readonly serializable: boolean }): Promise<Health>;
}

export interface Services {
  readonly kv: KvService;
  readonly maintenance: MaintenanceService;
  readonly cluster: ClusterService;
  readonly health: HealthService;
}
