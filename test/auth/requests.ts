/** Short ways to write what changes users and roles. */
import { AuthStore } from '../../src/auth/auth-store.ts';
import { encodeBase64 } from '../../src/auth/base64.ts';
import type { AuthRequest, Permission, PermissionType } from '../../src/auth/request.ts';
import { assert } from '../../src/lib/assert.ts';
import { utf8Encode } from '../../src/lib/utf8.ts';

export function bytes(text: string): Uint8Array {
  return utf8Encode(text);
}

export function permission(type: PermissionType, key: string, rangeEnd = ''): Permission {
  return { type, key: bytes(key), rangeEnd: bytes(rangeEnd) };
}

/** With the text itself for a hash, unless there is none. */
export function userAdd(name: string, hash: string | undefined = 'hash'): AuthRequest {
  const hashedPassword = hash === undefined ? '' : encodeBase64(bytes(hash));
  return { type: 'userAdd', name, hashedPassword, noPassword: false };
}

export function noPasswordUser(name: string): AuthRequest {
  return { type: 'userAdd', name, hashedPassword: '', noPassword: true };
}

export function roleAdd(name: string): AuthRequest {
  return { type: 'roleAdd', name };
}

export function grantRole(user: string, role: string): AuthRequest {
  return { type: 'userGrantRole', user, role };
}

export function grant(name: string, given: Permission): AuthRequest {
  return { type: 'roleGrantPermission', name, permission: given };
}

export const ENABLE: AuthRequest = { type: 'authEnable' };
export const DISABLE: AuthRequest = { type: 'authDisable' };

const ROOT: readonly AuthRequest[] = [userAdd('root'), grantRole('root', 'root')];

/** A store after these requests, all of which must succeed. */
export function storeOf(...requests: readonly AuthRequest[]): AuthStore {
  const store = new AuthStore();
  for (const [at, request] of requests.entries()) {
    const done = store.apply(request, at + 1, 0);
    assert(done.ok, `${request.type} of the test's own set-up`);
  }
  return store;
}

/** As {@link storeOf}, with a root user, and switched on at the end. */
export function enabledStoreOf(...requests: readonly AuthRequest[]): AuthStore {
  return storeOf(...ROOT, ...requests, ENABLE);
}
