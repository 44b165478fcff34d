import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import type { AuthRecords, RoleRecord, UserRecord } from '../auth/auth-store.ts';
import type { Permission, PermissionType } from '../auth/request.ts';
import type { LeaseRecord } from '../lease/lessor.ts';
import { compareBytes } from '../lib/bytes.ts';
import { err, ok, type Result } from '../lib/result.ts';
import { utf8Decode, utf8Encode } from '../lib/utf8.ts';
import { Permission_Type, RoleSchema, UserSchema } from '../wire/gen/authpb/auth_pb.ts';
import {
  AlarmMemberSchema,
  AlarmType as AlarmTypeNumber,
} from '../wire/gen/etcdserverpb/rpc_pb.ts';
import { LeaseSchema } from '../wire/gen/leasepb/lease_pb.ts';
import { safeNumber } from '../wire/generated-fields.ts';
import type { Alarm } from '../wire/internal-request.ts';
import type { BucketItem } from './bucket-content.ts';
import { decodeBigEndian, encodeBigEndian } from './number-keys.ts';

/**
 * The small buckets of a checkpoint, as etcd fills them:
 *
 *     lease      id u64 → leasepb.Lease
 *     alarm      etcdserverpb.AlarmMember → empty
 *     auth       authEnabled → one byte 0 or 1; authRevision → u64
 *     authUsers  name → authpb.User; authRoles: name → authpb.Role
 */

export function leaseItems(leases: readonly LeaseRecord[]): BucketItem[] {
  const items = leases.map(({ id, ttlS, remainingTtlS }): BucketItem => {
    const lease = { ID: id, TTL: BigInt(ttlS), RemainingTTL: BigInt(remainingTtlS) };
    const key = new Uint8Array(8);
    new DataView(key.buffer).setBigInt64(0, id);
    return [key, toBinary(LeaseSchema, create(LeaseSchema, lease))];
  });
  return inOrder(items);
}

/** By their bytes, which sort neither as signed numbers nor as texts of UTF-16 do. */
function inOrder(items: BucketItem[]): BucketItem[] {
  return items.sort(([a], [b]) => compareBytes(a, b));
}

export function decodeLeases(items: Iterable<StoredItem>): LeaseRecord[] | undefined {
  return decoded(items, ({ value }) => {
    const { ID: id, TTL, RemainingTTL } = fromBinary(LeaseSchema, value);
    return { id, ttlS: safeNumber(TTL), remainingTtlS: safeNumber(RemainingTTL) };
  });
}

export function alarmItems(alarms: readonly Alarm[]): BucketItem[] {
  return alarms
    .map(({ memberId, type }) => {
      const alarm = { memberID: memberId, alarm: AlarmTypeNumber[type] };
      return toBinary(AlarmMemberSchema, create(AlarmMemberSchema, alarm));
    })
    .sort(compareBytes)
    .map((key) => [key, new Uint8Array(0)]);
}

export function decodeAlarms(items: Iterable<StoredItem>): Alarm[] | undefined {
  return decoded(items, ({ key }) => {
    const { memberID, alarm } = fromBinary(AlarmMemberSchema, key);
    if (alarm === AlarmTypeNumber.NOSPACE) return { memberId: memberID, type: 'NOSPACE' };
    if (alarm === AlarmTypeNumber.CORRUPT) return { memberId: memberID, type: 'CORRUPT' };
    return undefined;
  });
}

export function authItems({ enabled, revision }: AuthRecords): BucketItem[] {
  return [
    [utf8Encode(AUTH_ENABLED), Uint8Array.of(enabled ? 1 : 0)],
    [utf8Encode(AUTH_REVISION), encodeBigEndian(revision)],
  ];
}

export function userItems(users: readonly UserRecord[]): BucketItem[] {
  const items = users.map(({ name, hashedPassword, roles, noPassword }): BucketItem => {
    const [key, options] = [utf8Encode(name), { noPassword }];
    const user = { name: key, password: hashedPassword, roles: [...roles], options };
    return [key, toBinary(UserSchema, create(UserSchema, user))];
  });
  return inOrder(items);
}

export function roleItems(roles: readonly RoleRecord[]): BucketItem[] {
  const items = roles.map(({ name, permissions }): BucketItem => {
    const key = utf8Encode(name);
    const keyPermission = permissions.map((permission) => ({
      permType: PERMISSION_NUMBER[permission.type],
      key: permission.key,
      rangeEnd: permission.rangeEnd,
    }));
    return [key, toBinary(RoleSchema, create(RoleSchema, { name: key, keyPermission }))];
  });
  return inOrder(items);
}

/** A checkpoint of before authentication was ever used has none of the three. */
export function decodeAuth(buckets: {
  readonly auth: Iterable<StoredItem>;
  readonly users: Iterable<StoredItem>;
  readonly roles: Iterable<StoredItem>;
}): Result<AuthRecords, string> {
  let [enabled, revision]: [boolean, number | undefined] = [false, 0];
  for (const { key, value } of buckets.auth) {
    const name = utf8Decode(key);
    if (name === AUTH_ENABLED) enabled = value[0] === 1;
    if (name === AUTH_REVISION) revision = decodeBigEndian(value);
  }
  const users = decoded(buckets.users, ({ value }) => userOf(value));
  const roles = decoded(buckets.roles, ({ value }) => roleOf(value));
  if (revision === undefined) return err('authRevision is malformed');
  if (users === undefined) return err('a user is malformed');
  if (roles === undefined) return err('a role is malformed');
  return ok({ enabled, revision, users, roles });
}

function userOf(bytes: Uint8Array): UserRecord {
  const { name, password, roles, options } = fromBinary(UserSchema, bytes);
  const noPassword = options?.noPassword ?? false;
  return { name: utf8Decode(name), hashedPassword: password, roles, noPassword };
}

function roleOf(bytes: Uint8Array): RoleRecord | undefined {
  const { name, keyPermission } = fromBinary(RoleSchema, bytes);
  const permissions: Permission[] = [];
  for (const { permType, key, rangeEnd } of keyPermission) {
    const type = PERMISSION_TYPES[permType];
    if (type === undefined) return undefined;
    permissions.push({ type, key, rangeEnd });
  }
  return { name: utf8Decode(name), permissions };
}

/** Undefined if any of them is none. */
function decoded<Value>(
  items: Iterable<StoredItem>,
  decode: (item: StoredItem) => Value | undefined,
): Value[] | undefined {
  const values: Value[] = [];
  for (const item of items) {
    let value: Value | undefined;
    try {
      value = decode(item);
    } catch {
      // The generated codec throws on bytes that are no message.
      return undefined;
    }
    if (value === undefined) return undefined;
    values.push(value);
  }
  return values;
}

interface StoredItem {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

const AUTH_ENABLED = 'authEnabled';
const AUTH_REVISION = 'authRevision';
/** Position is the number. */
const PERMISSION_TYPES: readonly PermissionType[] = ['read', 'write', 'readWrite'];
const PERMISSION_NUMBER: Readonly<Record<PermissionType, Permission_Type>> = {
  read: Permission_Type.READ,
  write: Permission_Type.WRITE,
  readWrite: Permission_Type.READWRITE,
};
