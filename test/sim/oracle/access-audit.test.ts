/** Who is answered, and what they are shown, against users and permissions of the log. */
import { describe, expect, test } from 'vitest';
import { wronglyAccepted, wronglyShown } from '../../../harness/sim/oracle/access-audit.ts';
import { Oracle } from '../../../harness/sim/oracle/oracle.ts';
import { WatchAudit } from '../../../harness/sim/oracle/watch-audit.ts';
import type { AuthRequest } from '../../../src/auth/request.ts';
import { utf8Encode } from '../../../src/lib/utf8.ts';
import { encodeLoggedRequest } from '../../../src/wire/logged-request.ts';

const bytes = utf8Encode;
const ROOT = { username: 'root', revision: 1_000 };
const NO_ONE = { user: undefined, login: undefined };

function log(oracle: Oracle, request: AuthRequest): number {
  const index = oracle.committed + 1;
  const logged = { id: BigInt(index), request: { type: 'auth', request }, auth: ROOT } as const;
  oracle.commit({ type: 'normal', term: 1, index, data: encodeLoggedRequest(logged) });
  return index;
}

function user(name: string): AuthRequest {
  return { type: 'userAdd', name, hashedPassword: 'cGxhaW4=', noPassword: false };
}

function login(name: string): AuthRequest {
  return { type: 'authenticate', name, simpleToken: 'abcdefghijklmnop' };
}

/** Alice may read a to c; root is root. */
function enabled(): Oracle {
  const oracle = new Oracle();
  const range = { key: bytes('a'), rangeEnd: bytes('c') };
  for (const request of [
    user('root'),
    user('alice'),
    { type: 'userGrantRole', user: 'root', role: 'root' },
    { type: 'roleAdd', name: 'r' },
    { type: 'userGrantRole', user: 'alice', role: 'r' },
    { type: 'roleGrantPermission', name: 'r', permission: { type: 'read', ...range } },
    { type: 'authEnable' },
  ] as const satisfies readonly AuthRequest[]) {
    log(oracle, request);
  }
  expect(oracle.upkeep.auth.enabled).toBe(true);
  return oracle;
}

describe('what is shown', () => {
  const shown = (oracle: Oracle, asker: { user: string | undefined }, key: string, end = '') =>
    wronglyShown(
      oracle,
      { ...asker, login: undefined },
      [oracle.committed],
      [{ key: bytes(key), rangeEnd: bytes(end) }],
    );

  test('is what the user may read', () => {
    const oracle = enabled();
    expect(shown(oracle, { user: 'alice' }, 'a', 'c')).toBeUndefined();
    expect(shown(oracle, { user: 'root' }, 'a', '\0')).toBeUndefined();
    expect(shown(oracle, { user: 'alice' }, 'b', 'd')).toContain('alice was shown');
    expect(shown(oracle, { user: undefined }, 'a')).toContain('nobody was shown');
  });

  test('may be what they might read when it was looked at', () => {
    const oracle = enabled();
    const ranges = [{ key: bytes('a'), rangeEnd: bytes('c') }];
    const [enabledAt, before] = [oracle.committed, oracle.committed - 1];
    expect(wronglyShown(oracle, NO_ONE, [enabledAt, before], ranges)).toBeUndefined();
    expect(wronglyShown(oracle, NO_ONE, [enabledAt], ranges)).toContain(`at index ${enabledAt}`);
  });

  test('is anything while nobody is asked', () => {
    const oracle = enabled();
    log(oracle, { type: 'authDisable' });
    expect(shown(oracle, { user: undefined }, 'z')).toBeUndefined();
  });
});

describe('a token', () => {
  const accepted = (oracle: Oracle, at: number, arrived = oracle.committed) =>
    wronglyAccepted(oracle, { user: 'alice', login: at }, { arrived, applied: oracle.committed });

  test.each<[string, AuthRequest]>([
    ['a new password', { type: 'userChangePassword', name: 'alice', hashedPassword: 'YWJj' }],
    ['the end of its user', { type: 'userDelete', name: 'alice' }],
  ])('is worth nothing after %s', (_, change) => {
    const oracle = enabled();
    const at = log(oracle, login('alice'));
    log(oracle, user('bob'));
    expect(accepted(oracle, at)).toBeUndefined();
    log(oracle, change);
    expect(accepted(oracle, at)).toContain('taken back since');
    // Whoever was let in before may be answered after.
    expect(accepted(oracle, at, at + 1)).toBeUndefined();
  });

  test('is good when it was made after that, and when another’s was taken back', () => {
    const oracle = enabled();
    log(oracle, { type: 'userChangePassword', name: 'alice', hashedPassword: 'YWJj' });
    const at = log(oracle, login('alice'));
    log(oracle, { type: 'userChangePassword', name: 'root', hashedPassword: 'YWJj' });
    expect(accepted(oracle, at)).toBeUndefined();
  });

  test('is not asked for while authentication is off, and is not good again after', () => {
    const oracle = enabled();
    const at = log(oracle, login('alice'));
    const off = log(oracle, { type: 'authDisable' });
    expect(accepted(oracle, at)).toBeUndefined();
    log(oracle, { type: 'authEnable' });
    expect(accepted(oracle, at)).toContain('alice was answered');
    expect(accepted(oracle, at, off)).toBeUndefined();
  });
});

test('a watcher is created for who may read all that it watches', () => {
  const oracle = enabled();
  const created = (rangeEnd: string, asker: { user: string | undefined; login: undefined }) => {
    const audit = new WatchAudit(oracle);
    const options = { progressNotify: false, filters: [], prevKv: false, fragment: false };
    const range = { key: bytes('a'), rangeEnd: bytes(rangeEnd) };
    const request = { ...range, ...options, startRevision: 0, watchId: 0 };
    audit.asked({ type: 'create', request });
    const header = { clusterId: 1n, memberId: 1n, revision: 1, raftTerm: 1 };
    const result = { watchId: 0, created: true, canceled: false, compactRevision: 0, events: [] };
    const response = { header, result: { ...result, cancelReason: '', fragment: false } };
    return audit.sent(response, { asker, applied: oracle.committed });
  };
  expect(created('c', { user: 'alice', login: undefined })).toBeUndefined();
  expect(created('d', { user: 'alice', login: undefined })).toContain('alice was shown');
  expect(created('c', NO_ONE)).toContain('nobody was shown');
});
