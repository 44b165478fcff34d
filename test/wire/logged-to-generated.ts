import type { MessageInitShape } from '@bufbuild/protobuf';
import type { AuthRequest } from '../../src/auth/request.ts';
import { assertNever } from '../../src/lib/assert.ts';
import type * as internal from '../../src/wire/gen/etcdserverpb/raft_internal_pb.ts';
import type { LoggedRequest } from '../../src/wire/internal-request.ts';
import { deleteRangeRequestInit, putRequestInit, txnRequestInit } from './to-generated.ts';

/** Log entries as the generated codec has them. */

type Init = MessageInitShape<typeof internal.InternalRaftRequestSchema>;
/** All but the header. */
type Variant = Omit<Extract<Init, { $typeName?: undefined }>, '$typeName' | '$unknown'>;

const ACTIONS = { get: 0, activate: 1, deactivate: 2 } as const;
const ALARMS = { NOSPACE: 1, CORRUPT: 2 } as const;
const PERMISSIONS = { read: 0, write: 1, readWrite: 2 } as const;

export function loggedRequestInit({ id, auth, request }: LoggedRequest): Init {
  const header = {
    ID: id,
    username: auth?.username ?? '',
    authRevision: BigInt(auth?.revision ?? 0),
  };
  return { header, ...variantInit(request) };
}

function variantInit(request: LoggedRequest['request']): Variant {
  switch (request.type) {
    case 'put':
      return { put: putRequestInit(request.request) };
    case 'deleteRange':
      return { deleteRange: deleteRangeRequestInit(request.request) };
    case 'txn':
      return { txn: txnRequestInit(request.request) };
    case 'compaction':
      return {
        compaction: { revision: BigInt(request.revision), physical: request.physical },
      };
    case 'leaseGrant':
      return { leaseGrant: { ID: request.id, TTL: BigInt(request.ttlS) } };
    case 'leaseRevoke':
      return { leaseRevoke: { ID: request.id } };
    case 'leaseCheckpoint': {
      const checkpoints = request.checkpoints.map(({ id, remainingTtlS }) => ({
        ID: id,
        remainingTTL: BigInt(remainingTtlS),
      }));
      return { leaseCheckpoint: { checkpoints } };
    }
    case 'alarm': {
      const { action, memberId, type } = request.request;
      const alarm = type === undefined ? 0 : ALARMS[type];
      return { alarm: { action: ACTIONS[action], memberID: memberId, alarm } };
    }
    case 'auth':
      return authInit(request.request);
    case 'clusterVersion':
      return { clusterVersionSet: { ver: request.version } };
    case 'downgradeInfo':
      return { downgradeInfoSet: { enabled: request.enabled, ver: request.version } };
    case 'memberAttributes': {
      const { memberId, name, clientUrls } = request.request;
      const memberAttributes = { name, clientUrls: [...clientUrls] };
      return { clusterMemberAttrSet: { memberID: memberId, memberAttributes } };
    }
    case 'nothing':
      return { authStatus: {} };
    default:
      return assertNever(request);
  }
}

function authInit(request: AuthRequest): Variant {
  switch (request.type) {
    case 'authEnable':
      return { authEnable: {} };
    case 'authDisable':
      return { authDisable: {} };
    case 'authenticate':
      return { authenticate: { name: request.name, simpleToken: request.simpleToken } };
    case 'userAdd': {
      const { name, hashedPassword } = request;
      const options = request.noPassword ? { options: { noPassword: true } } : {};
      return { authUserAdd: { name, hashedPassword, ...options } };
    }
    case 'userDelete':
      return { authUserDelete: { name: request.name } };
    case 'userChangePassword':
      return {
        authUserChangePassword: { name: request.name, hashedPassword: request.hashedPassword },
      };
    case 'userGrantRole':
      return { authUserGrantRole: { user: request.user, role: request.role } };
    case 'userRevokeRole':
      return { authUserRevokeRole: { name: request.name, role: request.role } };
    case 'roleAdd':
      return { authRoleAdd: { name: request.name } };
    case 'roleDelete':
      return { authRoleDelete: { role: request.role } };
    case 'roleGrantPermission': {
      const { name, permission } = request;
      if (permission === undefined) return { authRoleGrantPermission: { name } };
      const { type, key, rangeEnd } = permission;
      return {
        authRoleGrantPermission: { name, perm: { permType: PERMISSIONS[type], key, rangeEnd } },
      };
    }
    case 'roleRevokePermission': {
      const { role, key, rangeEnd } = request;
      return { authRoleRevokePermission: { role, key, rangeEnd } };
    }
    default:
      return assertNever(request);
  }
}
