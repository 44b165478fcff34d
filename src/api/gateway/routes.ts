/** Which gRPC method a path of the JSON gateway means; etcd's table, of API 3.6. */

const KV = '/etcdserverpb.KV';
const LEASE = '/etcdserverpb.Lease';
const CLUSTER = '/etcdserverpb.Cluster';
const MAINTENANCE = '/etcdserverpb.Maintenance';
const AUTH = '/etcdserverpb.Auth';
const LOCK = '/v3lockpb.Lock';
const ELECTION = '/v3electionpb.Election';

/** Path behind `/v3/`, method. */
export const GATEWAY_ROUTES: ReadonlyMap<string, string> = new Map([
  ['kv/range', `${KV}/Range`],
  ['kv/put', `${KV}/Put`],
  ['kv/deleterange', `${KV}/DeleteRange`],
  ['kv/txn', `${KV}/Txn`],
  ['kv/compaction', `${KV}/Compact`],
  ['watch', '/etcdserverpb.Watch/Watch'],
  ['lease/grant', `${LEASE}/LeaseGrant`],
  ['lease/revoke', `${LEASE}/LeaseRevoke`],
  ['kv/lease/revoke', `${LEASE}/LeaseRevoke`],
  ['lease/keepalive', `${LEASE}/LeaseKeepAlive`],
  ['lease/timetolive', `${LEASE}/LeaseTimeToLive`],
  ['kv/lease/timetolive', `${LEASE}/LeaseTimeToLive`],
  ['lease/leases', `${LEASE}/LeaseLeases`],
  ['kv/lease/leases', `${LEASE}/LeaseLeases`],
  ['cluster/member/add', `${CLUSTER}/MemberAdd`],
  ['cluster/member/remove', `${CLUSTER}/MemberRemove`],
  ['cluster/member/update', `${CLUSTER}/MemberUpdate`],
  ['cluster/member/list', `${CLUSTER}/MemberList`],
  ['cluster/member/promote', `${CLUSTER}/MemberPromote`],
  ['maintenance/alarm', `${MAINTENANCE}/Alarm`],
  ['maintenance/status', `${MAINTENANCE}/Status`],
  ['maintenance/defragment', `${MAINTENANCE}/Defragment`],
  ['maintenance/hash', `${MAINTENANCE}/Hash`],
  ['maintenance/hashkv', `${MAINTENANCE}/HashKV`],
  ['maintenance/snapshot', `${MAINTENANCE}/Snapshot`],
  ['maintenance/transfer-leadership', `${MAINTENANCE}/MoveLeader`],
  ['maintenance/downgrade', `${MAINTENANCE}/Downgrade`],
  ['auth/enable', `${AUTH}/AuthEnable`],
  ['auth/disable', `${AUTH}/AuthDisable`],
  ['auth/status', `${AUTH}/AuthStatus`],
  ['auth/authenticate', `${AUTH}/Authenticate`],
  ['auth/user/add', `${AUTH}/UserAdd`],
  ['auth/user/get', `${AUTH}/UserGet`],
  ['auth/user/list', `${AUTH}/UserList`],
  ['auth/user/delete', `${AUTH}/UserDelete`],
  ['auth/user/changepw', `${AUTH}/UserChangePassword`],
  ['auth/user/grant', `${AUTH}/UserGrantRole`],
  ['auth/user/revoke', `${AUTH}/UserRevokeRole`],
  ['auth/role/add', `${AUTH}/RoleAdd`],
  ['auth/role/get', `${AUTH}/RoleGet`],
  ['auth/role/list', `${AUTH}/RoleList`],
  ['auth/role/delete', `${AUTH}/RoleDelete`],
  ['auth/role/grant', `${AUTH}/RoleGrantPermission`],
  ['auth/role/revoke', `${AUTH}/RoleRevokePermission`],
  ['lock/lock', `${LOCK}/Lock`],
  ['lock/unlock', `${LOCK}/Unlock`],
  ['election/campaign', `${ELECTION}/Campaign`],
  ['election/proclaim', `${ELECTION}/Proclaim`],
  ['election/leader', `${ELECTION}/Leader`],
  ['election/observe', `${ELECTION}/Observe`],
  ['election/resign', `${ELECTION}/Resign`],
]);

const PREFIX = /^\/v3(?:beta)?\//;

/** The gRPC method of a gateway's path, `undefined` if it has none. */
export function gatewayMethod(path: string): string | undefined {
  const prefix = PREFIX.exec(path);
  return prefix === null ? undefined : GATEWAY_ROUTES.get(path.slice(prefix[0].length));
}

export function isGatewayPath(path: string): boolean {
  return PREFIX.test(path);
}
