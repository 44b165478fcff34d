/** What changes users, roles and permissions, as plain values; the names are etcd's. */

export type PermissionType = 'read' | 'write' | 'readWrite';

export interface Permission {
  readonly type: PermissionType;
  readonly key: Uint8Array;
  /** As in a range: empty for one key, one zero byte for every key ≥ `key`. */
  readonly rangeEnd: Uint8Array;
}

/** Requests that go through the log; reading users and roles does not. */
export type AuthRequest =
  | { readonly type: 'authEnable' }
  | { readonly type: 'authDisable' }
  /** The password was verified by the member that logged it, `authRevision` of its header. */
  | { readonly type: 'authenticate'; readonly name: string; readonly simpleToken: string }
  | {
      readonly type: 'userAdd';
      readonly name: string;
      /** bcrypt, base64 as etcd logs it; empty with `noPassword`. */
      readonly hashedPassword: string;
      readonly noPassword: boolean;
    }
  | { readonly type: 'userDelete'; readonly name: string }
  | {
      readonly type: 'userChangePassword';
      readonly name: string;
      readonly hashedPassword: string;
    }
  | { readonly type: 'userGrantRole'; readonly user: string; readonly role: string }
  | { readonly type: 'userRevokeRole'; readonly name: string; readonly role: string }
  | { readonly type: 'roleAdd'; readonly name: string }
  | { readonly type: 'roleDelete'; readonly role: string }
  | {
      readonly type: 'roleGrantPermission';
      readonly name: string;
      readonly permission: Permission | undefined;
    }
  | {
      readonly type: 'roleRevokePermission';
      readonly role: string;
      readonly key: Uint8Array;
      readonly rangeEnd: Uint8Array;
    };

/** Why a change, a login or an access is refused; service/errors.ts has code and text. */
export type AuthFailure =
  | 'rootUserNotExist'
  | 'rootRoleNotExist'
  | 'userEmpty'
  | 'userAlreadyExist'
  | 'userNotFound'
  | 'roleEmpty'
  | 'roleAlreadyExist'
  | 'roleNotFound'
  | 'roleNotGranted'
  | 'permissionNotGranted'
  | 'permissionNotGiven'
  | 'authFailed'
  | 'noPasswordUser'
  | 'permissionDenied'
  | 'authNotEnabled'
  | 'invalidAuthToken'
  | 'invalidAuthMgmt'
  | 'authOldRevision';

/** Who asks, as verified when the request was received; the log entry carries it. */
export interface AuthInfo {
  readonly username: string;
  /** Of the auth store when the token was verified. */
  readonly revision: number;
}
