/** Mistakes in who may do what. */
import { edit, type Mutant } from '../mutant.ts';

const APPLY_REQUEST = 'src/member/apply-request.ts';
const AUTH = 'src/auth/auth-store.ts';
const INTERVALS = 'src/auth/key-intervals.ts';
const PERMISSION = 'src/member/permission.ts';
const WATCH_PERMISSION = 'src/service/watch-permission.ts';

/** What somebody gets who must not. */
const ACCESS: readonly Mutant[] = [
  {
    name: 'permission-not-checked-when-applied',
    area: 'auth',
    story:
      'who may write is asked before a request is logged only: a revoke on the way is too late',
    expected: 'oracle: state',
    edits: [
      edit(
        APPLY_REQUEST,
        `    refusePermission(state.auth, request, auth, (id) => state.lessor.keysOf(id)) ??
    refuseUnderAlarm`,
        '    refuseUnderAlarm',
      ),
    ],
  },
  {
    name: 'old-auth-revision-accepted',
    area: 'auth',
    story: 'what was permitted under users and roles of before is not asked again',
    expected: 'oracle: answer',
    edits: [edit(AUTH, `    if (info.revision < this.#revision) return 'authOldRevision';\n`, '')],
  },
  {
    name: 'prev-kv-without-read',
    area: 'auth',
    story: 'who may only write a key is shown the value before its put',
    expected: 'oracle: answer',
    edits: [
      edit(
        PERMISSION,
        'return auth.checkRange(info, request.key, EMPTY_BYTES);',
        'return undefined;',
      ),
    ],
  },
  {
    name: 'range-permitted-by-its-ends',
    area: 'auth',
    story: 'a range is permitted if both of its ends are: what lies between may be anybody’s',
    expected: 'oracle: answer',
    edits: [
      edit(
        INTERVALS,
        'return !isOpen(rangeEnd) && compareBytes(rangeEnd, around.end) <= 0;',
        `if (isOpen(rangeEnd)) return false;
    const last = this.#lastStartingAtOrBefore(rangeEnd)!;
    return last.end === undefined || compareBytes(rangeEnd, last.end) <= 0;`,
      ),
    ],
  },
  {
    name: 'nested-txn-not-checked',
    area: 'auth',
    story: 'a transaction inside of a transaction may read and write every key',
    expected: 'oracle: answer',
    edits: [
      edit(
        PERMISSION,
        'return refuseTxn(auth, op.request, info, leaseKeys);\n    default:\n      return assertNever(op);',
        'return undefined;\n    default:\n      return assertNever(op);',
      ),
    ],
  },
  {
    name: 'guard-without-read',
    area: 'auth',
    story: 'the guards of a transaction are not checked: they tell what their client may not read',
    expected: 'oracle: answer',
    edits: [
      edit(
        PERMISSION,
        `    const denial = auth.checkRange(info, key, rangeEnd);
    if (denial !== undefined) return denial;
  }
  for (const branch`,
        `    const denial = key.length === 0 ? auth.checkRange(info, key, rangeEnd) : undefined;
    if (denial !== undefined) return denial;
  }
  for (const branch`,
      ),
    ],
  },
  {
    name: 'lease-joined-without-permission',
    area: 'auth',
    story: 'a put joins a lease whose other keys its client may not write',
    expected: 'oracle: answer',
    edits: [
      edit(
        PERMISSION,
        '(request.lease === 0n ? undefined : refuseLeaseWrite(auth, request.lease, info, leaseKeys));',
        'undefined;',
      ),
    ],
  },
  {
    name: 'watch-without-permission',
    area: 'auth',
    story: 'everybody may watch every key',
    expected: 'invariant: watch',
    edits: [
      edit(
        WATCH_PERMISSION,
        'return permitted.ok ? undefined : reasonFor(permitted.error);',
        'return permitted.ok || permitted.error ? undefined : reasonFor(permitted.error);',
      ),
    ],
  },
];

/** What is kept that must go. */
const CHANGES: readonly Mutant[] = [
  {
    name: 'deleted-role-still-granted',
    area: 'auth',
    story: 'a deleted role stays with its users: a new one of that name is theirs at once',
    expected: 'oracle: state',
    edits: [
      edit(
        AUTH,
        'if (user.roles.includes(role)) this.#users.set(user.name, withoutRole(user, role));',
        'if (role === ROOT_ROLE) this.#users.set(user.name, withoutRole(user, role));',
      ),
    ],
  },
  {
    name: 'token-survives-password-change',
    area: 'auth',
    story: 'logins with the old password stay valid after it was changed',
    expected: 'invariant: permission',
    edits: [
      edit(
        AUTH,
        `    this.#users.set(user.name, { ...user, hashedPassword });
    this.tokens.invalidateUser(user.name);`,
        '    this.#users.set(user.name, { ...user, hashedPassword });',
      ),
    ],
  },
  {
    name: 'access-remembered-after-a-change',
    area: 'auth',
    story: 'what a user may do is remembered over changes: members that were asked before differ',
    expected: 'oracle: state',
    edits: [
      edit(
        AUTH,
        `    this.#revision++;
    this.#access.clear();`,
        '    this.#revision++;',
      ),
    ],
  },
  {
    name: 'same-range-granted-twice',
    area: 'auth',
    story: 'a permission given again with another type does not replace the first: both hold',
    expected: 'oracle: state',
    edits: [
      edit(
        AUTH,
        'const others = permissions.filter((other) => !isSameRange(other, permission));',
        'const others = permissions.filter((other) => other !== permission);',
      ),
    ],
  },
];

export const AUTH_MUTANTS: readonly Mutant[] = [...ACCESS, ...CHANGES];
