/** The oracle's part that is not about keys, against the server's own state machine. */
import { describe, expect, test } from 'vitest';
import { seededRandom } from '../../../harness/seeded-random.ts';
import { permitsKeys } from '../../../harness/sim/oracle/auth-model.ts';
import { Oracle } from '../../../harness/sim/oracle/oracle.ts';
import type { AuthRequest } from '../../../src/auth/request.ts';
import { putRequest } from '../../../src/client/requests.ts';
import { utf8Encode } from '../../../src/lib/utf8.ts';
import { StateMachine } from '../../../src/member/apply.ts';
import { confChangeRecord, type MembershipChange } from '../../../src/member/apply-membership.ts';
import type { Member } from '../../../src/member/member.ts';
import { simpleConf } from '../../../src/raft/conf-state.ts';
import type { Entry } from '../../../src/raft/message.ts';
import type { InternalRequest } from '../../../src/wire/internal-request.ts';
import { encodeLoggedRequest } from '../../../src/wire/logged-request.ts';
import { encodeConfChange } from '../../../src/wire/raft-records.ts';

const KEYS = ['a', 'b', 'c'];
const bytes = utf8Encode;

/** The server's state machine beside the oracle, both given the same entries. */
class Beside {
  readonly oracle: Oracle = new Oracle({ leaseTtlMinS: 2 });
  readonly machine: StateMachine = new StateMachine(undefined, {
    removedMembersMax: 100,
    learnersMax: 1,
    hashSeed: 1,
    lessor: { minTtlS: 2, ticksPerS: 10, checkpointIntervalS: 5, leasesMax: 100 },
  });
  readonly conf = simpleConf([1n, 2n]);

  log(request: InternalRequest, auth?: { username: string; revision: number }, id = 1n): void {
    const index = this.oracle.committed + 1;
    const own = id === 0n ? 0n : BigInt(index);
    const data = encodeLoggedRequest({ id: own, request, auth });
    this.apply({ type: 'normal', term: 1, index, data });
  }

  change(change: MembershipChange): void {
    const index = this.oracle.committed + 1;
    const data = encodeConfChange(confChangeRecord(BigInt(index), change));
    this.apply({ type: 'confChange', term: 1, index, data });
  }

  apply(entry: Entry): void {
    this.oracle.commit(entry);
    this.machine.apply(entry, { tick: entry.index, conf: this.conf });
  }

  /** What the oracle says of the member, whose voters are those that the model expects. */
  difference(): string | undefined {
    const { applied, store } = this.machine;
    const members = [...this.oracle.upkeep.members.values()];
    const conf = simpleConf(
      members.filter(({ isLearner }) => !isLearner).map(({ id }) => id),
      members.filter(({ isLearner }) => isLearner).map(({ id }) => id),
    );
    const core = { conf, log: { applied } };
    const member = { machine: this.machine, core } as unknown as Member;
    return this.oracle.compareStore(applied, store) ?? this.oracle.compareUpkeep(member)?.words;
  }
}

function putOn(key: string, lease: bigint): InternalRequest {
  return { type: 'put', request: { ...putRequest({ key, value: 'v' }), lease } };
}

describe('leases', () => {
  test('a key on a lease that does not exist is refused, and a revoke takes the keys', () => {
    const both = new Beside();
    both.log(putOn('a', 7n));
    both.log({ type: 'leaseGrant', id: 7n, ttlS: 1 });
    both.log(putOn('b', 7n));
    both.log(putOn('a', 7n));
    expect(both.oracle.upkeep.leases.get(7n)).toEqual({ ttlS: 2, remainingTtlS: 0 });
    expect(both.oracle.keysOf(7n, 3)).toEqual([bytes('a'), bytes('b')]);
    expect(both.difference()).toBeUndefined();
    both.log({ type: 'leaseCheckpoint', checkpoints: [{ id: 7n, remainingTtlS: 1 }] });
    expect(both.difference()).toBeUndefined();
    both.log({ type: 'leaseRevoke', id: 7n }, undefined, 0n);
    expect(both.oracle.revision).toBe(4);
    expect(both.oracle.upkeep.leases.size).toBe(0);
    expect(both.difference()).toBeUndefined();
  });

  test('who asked for the end is told', () => {
    const oracle = new Oracle();
    const entry = (index: number, request: InternalRequest, id: bigint): Entry => {
      return { type: 'normal', term: 1, index, data: encodeLoggedRequest({ id, request }) };
    };
    oracle.commit(entry(1, { type: 'leaseGrant', id: 7n, ttlS: 5 }, 1n));
    oracle.commit(entry(2, { type: 'leaseGrant', id: 8n, ttlS: 5 }, 2n));
    const asked = oracle.commit(entry(3, { type: 'leaseRevoke', id: 7n }, 3n));
    expect(asked.revoked).toEqual({ id: 7n, hasExpired: false });
    const expired = oracle.commit(entry(4, { type: 'leaseRevoke', id: 8n }, 0n));
    expect(expired.revoked).toEqual({ id: 8n, hasExpired: true });
    expect(oracle.commit(entry(5, { type: 'leaseRevoke', id: 8n }, 0n)).revoked).toBeUndefined();
  });

  test('a member that has lost one differs, and one whose key hangs on another lease', () => {
    const both = new Beside();
    both.log({ type: 'leaseGrant', id: 7n, ttlS: 5 });
    both.log(putOn('a', 7n));
    both.machine.state.lessor.keyChanged(bytes('a'), 0n);
    expect(both.difference()).toContain('keys of 7');
    both.machine.state.lessor.revoke(7n);
    expect(both.difference()).toContain('the model says 7 for 5 s');
  });
});

test('a compaction refuses what is older, on both', () => {
  const both = new Beside();
  for (const key of KEYS) both.log(putOn(key, 0n));
  both.log({ type: 'compaction', revision: 3, physical: false });
  expect(both.oracle.upkeep.compactRevision).toBe(3);
  const { applied, store } = both.machine;
  expect(both.oracle.compareHistory(applied, store, 2)).toBeUndefined();
  expect(both.oracle.compareHistory(applied, store, 3)).toBeUndefined();
  const uncompacted = new Beside();
  for (const key of KEYS) uncompacted.log(putOn(key, 0n));
  const { store: readable } = uncompacted.machine;
  expect(both.oracle.compareHistory(applied, readable, 2)).toContain('is readable, though');
  expect(both.oracle.compareHash(applied, store, 4)).toBeUndefined();
});

test('members, alarms and versions follow the log, refused changes leave no trace', () => {
  const both = new Beside();
  const urls = { clientUrls: [], isLearner: false };
  const add = (id: bigint, url: string, isLearner = false): MembershipChange => {
    return { type: 'add', member: { id, name: '', peerUrls: [url], ...urls, isLearner } };
  };
  both.change(add(1n, 'http://n1:1'));
  both.change(add(2n, 'http://n2:1'));
  both.change(add(3n, 'http://n3:1', true));
  both.change(add(4n, 'http://n4:1', true));
  both.change(add(5n, 'http://n2:1'));
  both.change({ type: 'promote', id: 3n });
  both.change({ type: 'promote', id: 3n });
  both.change({ type: 'remove', id: 2n });
  both.change(add(2n, 'http://n2:1'));
  both.log({ type: 'clusterVersion', version: '3.6.0' });
  both.log({
    type: 'alarm',
    request: { action: 'activate', memberId: 1n, type: 'NOSPACE' },
  });
  both.log(putOn('a', 0n));
  expect([...both.oracle.upkeep.members.keys()]).toEqual([1n, 3n]);
  expect([...both.oracle.upkeep.removed]).toEqual([2n]);
  expect(both.oracle.revision).toBe(1);
  expect(both.difference()).toBeUndefined();
});

describe('users', () => {
  const auth = (request: AuthRequest): InternalRequest => ({ type: 'auth', request });
  const user = (name: string): AuthRequest => {
    return { type: 'userAdd', name, hashedPassword: 'cGxhaW4=', noPassword: false };
  };
  const grant = (role: string, from: string, to: string): AuthRequest => ({
    type: 'roleGrantPermission',
    name: role,
    permission: { type: 'readWrite', key: bytes(from), rangeEnd: bytes(to) },
  });
  const FIRST = [
    user('root'),
    user('alice'),
    { type: 'userGrantRole', user: 'root', role: 'root' },
    { type: 'roleAdd', name: 'r' },
    { type: 'userGrantRole', user: 'alice', role: 'r' },
    grant('r', 'a', 'b'),
    { type: 'authEnable' },
  ] as const satisfies readonly AuthRequest[];

  function enabled(): Beside {
    const both = new Beside();
    for (const request of FIRST) both.log(auth(request));
    return both;
  }

  test('a write is applied only with permission, and not with an old revision', () => {
    const both = enabled();
    const { revision } = both.oracle.upkeep.auth;
    both.log(putOn('a', 0n), { username: 'alice', revision });
    expect(both.oracle.revision).toBe(2);
    both.log(putOn('b', 0n), { username: 'alice', revision });
    both.log(putOn('a', 0n), { username: 'alice', revision: revision - 1 });
    both.log(putOn('a', 0n));
    expect(both.oracle.revision).toBe(2);
    expect(both.difference()).toBeUndefined();
  });

  test('whatever is done to them, both agree', () => {
    const random = seededRandom(5);
    const pick = <Choice>(choices: readonly Choice[]): Choice =>
      choices[random.below(choices.length)]!;
    let applied = 0;
    for (let run = 0; run < 60; run++) {
      const both = enabled();
      for (let step = 0; step < 40; step++) {
        const name = pick(['alice', 'bob', 'root']);
        const role = pick(['r', 's', 'root']);
        const [key, end] = [pick(KEYS), pick(['', 'b', 'd', '\0'])];
        const { revision } = both.oracle.upkeep.auth;
        const info = { username: name, revision: revision - random.below(2) };
        const root = { username: 'root', revision };
        const before = both.oracle.revision;
        const changes: AuthRequest[] = [
          user(name),
          { type: 'userDelete', name },
          { type: 'userChangePassword', name, hashedPassword: 'YWJj' },
          { type: 'userGrantRole', user: name, role },
          { type: 'userRevokeRole', name, role },
          { type: 'roleAdd', name: role },
          { type: 'roleDelete', role },
          grant(role, key, end),
          { type: 'roleRevokePermission', role, key: bytes(key), rangeEnd: bytes(end) },
          { type: 'authEnable' },
          { type: 'authDisable' },
        ];
        if (random.below(2) === 0) both.log(auth(pick(changes)), root);
        else both.log(putOn(key, 0n), info);
        applied += both.oracle.revision - before;
        expect(both.difference()).toBeUndefined();
      }
    }
    expect(applied).toBeGreaterThan(50);
  });

  test('ranges that together cover another permit it', () => {
    const both = enabled();
    both.log(auth(grant('r', 'b', 'c')), { username: 'root', revision: 99 });
    const { auth: state } = both.oracle.upkeep;
    const info = { username: 'alice', revision: state.revision };
    const may = (key: string, rangeEnd: string): boolean =>
      permitsKeys(state, info, 'read', { key: bytes(key), rangeEnd: bytes(rangeEnd) });
    expect(may('a', 'c')).toBe(true);
    expect(may('a', 'd')).toBe(false);
    expect(may('a', '\0')).toBe(false);
    expect(may('bz', '')).toBe(true);
    expect(may('c', '')).toBe(false);
  });
});
