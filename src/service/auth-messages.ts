/** Permissions, between etcd's message and our value. */
import { create } from '@bufbuild/protobuf';
import type { AuthFailure, Permission, PermissionType } from '../auth/request.ts';
import { EMPTY_BYTES } from '../lib/bytes.ts';
import { err, ok, type Result } from '../lib/result.ts';
import {
  Permission_Type,
  PermissionSchema,
  type Permission as WirePermission,
} from '../wire/gen/authpb/auth_pb.ts';

/** What the root role is said to have. */
export const ROOT_PERMISSION: Permission = {
  type: 'readWrite',
  key: EMPTY_BYTES,
  rangeEnd: Uint8Array.of(0),
};

/** A type that etcd does not have would permit nothing; better said than kept. */
export function permissionOf(
  wire: WirePermission | undefined,
): Result<Permission | undefined, AuthFailure> {
  if (wire === undefined) return ok(undefined);
  const type = TYPES.get(wire.permType);
  if (type === undefined) return err('invalidAuthMgmt');
  return ok({ type, key: wire.key, rangeEnd: wire.rangeEnd });
}

export function permissionsToWire(permissions: readonly Permission[]): WirePermission[] {
  return permissions.map(({ type, key, rangeEnd }) =>
    create(PermissionSchema, { permType: NUMBERS[type], key, rangeEnd }),
  );
}

const NUMBERS: Readonly<Record<PermissionType, Permission_Type>> = {
  read: Permission_Type.READ,
  write: Permission_Type.WRITE,
  readWrite: Permission_Type.READWRITE,
};

const TYPES: ReadonlyMap<Permission_Type, PermissionType> = new Map([
  [Permission_Type.READ, 'read'],
  [Permission_Type.WRITE, 'write'],
  [Permission_Type.READWRITE, 'readWrite'],
]);
