import { expect, test } from 'vitest';
import type { AuthFailure } from '../../src/auth/request.ts';
import { definiteness, type ServiceFailure, serviceError } from '../../src/service/errors.ts';

/** Codes and texts as a client of etcd sees them. */
const EXPECTED: Readonly<Record<AuthFailure, readonly [number, string]>> = {
  rootUserNotExist: [9, 'etcdserver: root user does not exist'],
  rootRoleNotExist: [9, 'etcdserver: root user does not have root role'],
  userEmpty: [3, 'etcdserver: user name is empty'],
  userAlreadyExist: [9, 'etcdserver: user name already exists'],
  userNotFound: [9, 'etcdserver: user name not found'],
  roleEmpty: [3, 'etcdserver: role name is empty'],
  roleAlreadyExist: [9, 'etcdserver: role name already exists'],
  roleNotFound: [9, 'etcdserver: role name not found'],
  roleNotGranted: [9, 'etcdserver: role is not granted to the user'],
  permissionNotGranted: [9, 'etcdserver: permission is not granted to the role'],
  permissionNotGiven: [3, 'etcdserver: permission not given'],
  authFailed: [3, 'etcdserver: authentication failed, invalid user ID or password'],
  noPasswordUser: [2, 'auth: authentication failed, password was given for no password user'],
  permissionDenied: [7, 'etcdserver: permission denied'],
  authNotEnabled: [9, 'etcdserver: authentication is not enabled'],
  invalidAuthToken: [16, 'etcdserver: invalid auth token'],
  invalidAuthMgmt: [3, 'etcdserver: invalid auth management'],
  authOldRevision: [3, 'etcdserver: revision of auth store is old'],
};

const ROWS: readonly (readonly [ServiceFailure, number, string])[] = [
  ...Object.entries(EXPECTED).map(
    ([failure, [code, text]]) => [failure as AuthFailure, code, text] as const,
  ),
  ['tokensVerifyOnly', 2, 'auth: token signing attempted with verify-only key'],
  ['passwordTooLong', 2, 'bcrypt: password length exceeds 72 bytes'],
];

test.each(ROWS)('%s', (failure, code, message) => {
  expect(serviceError(failure)).toEqual({ code, message, definite: true });
  expect(definiteness(code, message)).toBe(true);
});
