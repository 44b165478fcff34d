import fc from 'fast-check';
import type { AuthRequest } from '../../src/auth/request.ts';
import type { InternalRequest, LoggedRequest } from '../../src/wire/internal-request.ts';
import { bytes, deleteRangeRequest, putRequest, txnRequest } from './arbitraries.ts';

/** Every kind of log entry. */

const text = fc.string({ unit: 'grapheme', maxLength: 20 });
const bool = fc.boolean();
const id = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
const lease = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
const seconds = fc.oneof(fc.maxSafeNat(), fc.integer({ min: -2, max: 300 }));

type Rest<Value> = { readonly [Key in Exclude<keyof Value, 'type'>]: fc.Arbitrary<Value[Key]> };

function entry<Value extends { readonly type: string }>(
  type: Value['type'],
  rest: Rest<Value>,
): fc.Arbitrary<Value> {
  const model = { type: fc.constant(type), ...rest };
  return fc.record(model) as unknown as fc.Arbitrary<Value>;
}

const permission = fc.record({
  type: fc.constantFrom('read', 'write', 'readWrite'),
  key: bytes,
  rangeEnd: bytes,
});

export const authRequests: {
  readonly [Type in AuthRequest['type']]: fc.Arbitrary<Extract<AuthRequest, { type: Type }>>;
} = {
  authEnable: entry('authEnable', {}),
  authDisable: entry('authDisable', {}),
  authenticate: entry('authenticate', { name: text, simpleToken: text }),
  userAdd: entry('userAdd', { name: text, hashedPassword: text, noPassword: bool }),
  userDelete: entry('userDelete', { name: text }),
  userChangePassword: entry('userChangePassword', { name: text, hashedPassword: text }),
  userGrantRole: entry('userGrantRole', { user: text, role: text }),
  userRevokeRole: entry('userRevokeRole', { name: text, role: text }),
  roleAdd: entry('roleAdd', { name: text }),
  roleDelete: entry('roleDelete', { role: text }),
  roleGrantPermission: entry('roleGrantPermission', {
    name: text,
    permission: fc.option(permission, { nil: undefined }),
  }),
  roleRevokePermission: entry('roleRevokePermission', { role: text, key: bytes, rangeEnd: bytes }),
};

export const internalRequests: {
  readonly [Type in InternalRequest['type']]: fc.Arbitrary<
    Extract<InternalRequest, { type: Type }>
  >;
} = {
  put: entry('put', { request: putRequest }),
  deleteRange: entry('deleteRange', { request: deleteRangeRequest }),
  txn: entry('txn', { request: txnRequest }),
  compaction: entry('compaction', { revision: seconds, physical: bool }),
  leaseGrant: entry('leaseGrant', { id: lease, ttlS: seconds }),
  leaseRevoke: entry('leaseRevoke', { id: lease }),
  leaseCheckpoint: entry('leaseCheckpoint', {
    checkpoints: fc.array(fc.record({ id: lease, remainingTtlS: seconds }), { maxLength: 3 }),
  }),
  alarm: entry('alarm', {
    request: fc.record({
      action: fc.constantFrom('get', 'activate', 'deactivate'),
      memberId: id,
      type: fc.constantFrom('NOSPACE', 'CORRUPT', undefined),
    }),
  }),
  auth: entry('auth', {
    request: fc.oneof(...Object.values(authRequests)) as fc.Arbitrary<AuthRequest>,
  }),
  clusterVersion: entry('clusterVersion', { version: text }),
  downgradeInfo: entry('downgradeInfo', { enabled: bool, version: text }),
  memberAttributes: entry('memberAttributes', {
    request: fc.record({
      memberId: id,
      name: text,
      clientUrls: fc.array(text, { maxLength: 3 }),
    }),
  }),
  nothing: entry('nothing', {}),
};

/** Somebody, or nobody: a header without both name and revision says nobody. */
const auth = fc.option(
  fc.record({ username: text.filter((name) => name !== ''), revision: fc.maxSafeNat() }),
  { nil: undefined },
);

export function loggedWith(request: fc.Arbitrary<InternalRequest>): fc.Arbitrary<LoggedRequest> {
  return fc.record({ id: id.filter((value) => value !== 0n), request, auth });
}
