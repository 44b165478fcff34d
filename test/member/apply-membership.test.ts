import { describe, expect, test } from 'vitest';
import type { MemberId } from '../../src/lib/ids.ts';
import {
  applyMembership,
  confChangeRecord,
  loggedChangeOf,
  type MembershipChange,
  raftChange,
} from '../../src/member/apply-membership.ts';
import { Membership } from '../../src/member/membership.ts';
import { simpleConf } from '../../src/raft/conf-state.ts';
import { decodeConfChange, encodeConfChange } from '../../src/wire/raft-records.ts';

function info(id: MemberId, isLearner = false) {
  return { id, name: '', peerUrls: [`http://p:${id}`], clientUrls: [], isLearner };
}

/** Voters 1 and 2, learner 3, and 9 that was removed. */
function table(): Membership {
  const members = [info(1n), info(2n), info(3n, true)];
  return Membership.restore({ members, removed: [9n] }, 10);
}

const CONF = simpleConf([1n, 2n], [3n]);

function apply(membership: Membership, change: MembershipChange, learnersMax = 1) {
  return applyMembership(membership, change, { learnersMax, conf: CONF });
}

describe('a change is refused, and the table stays as it is:', () => {
  const clash = { ...info(4n), peerUrls: ['http://p:2'] };
  test.each<[string, MembershipChange, string]>([
    ['a member that is there', { type: 'add', member: info(2n) }, 'memberExists'],
    ['a URL that is taken', { type: 'add', member: clash }, 'peerUrlExists'],
    ['an id that was removed', { type: 'add', member: info(9n) }, 'memberNotFound'],
    ['one learner too many', { type: 'add', member: info(4n, true) }, 'tooManyLearners'],
    ['removal of a stranger', { type: 'remove', id: 4n }, 'memberNotFound'],
    ['removal of a removed one', { type: 'remove', id: 9n }, 'memberNotFound'],
    ['promotion of a voter', { type: 'promote', id: 1n }, 'memberNotLearner'],
    ['promotion of a stranger', { type: 'promote', id: 4n }, 'memberNotFound'],
    ['update of a stranger', { type: 'update', id: 4n, peerUrls: [] }, 'memberNotFound'],
    [
      'update to a taken URL',
      { type: 'update', id: 1n, peerUrls: ['http://p:2'] },
      'peerUrlExists',
    ],
  ])('%s', (_, change, error) => {
    const membership = table();
    expect(apply(membership, change)).toEqual({ ok: false, error });
    expect(membership.list()).toEqual(table().list());
  });

  test('removal of the last voter', () => {
    const membership = Membership.restore({ members: [info(1n)], removed: [] }, 10);
    const alone = { learnersMax: 1, conf: simpleConf([1n]) };
    expect(applyMembership(membership, { type: 'remove', id: 1n }, alone)).toEqual({
      ok: false,
      error: 'notEnoughStarted',
    });
    expect(membership.get(1n)).toBeDefined();
  });

  test('any while the configuration is joint', () => {
    const membership = table();
    const conf = { ...CONF, votersOutgoing: [1n] };
    const change = { type: 'add', member: info(4n) } as const;
    expect(applyMembership(membership, change, { learnersMax: 1, conf })).toEqual({
      ok: false,
      error: 'unhealthyCluster',
    });
    expect(membership.get(4n)).toBeUndefined();
  });
});

test('a change that is made shows in the table', () => {
  const membership = table();
  expect(apply(membership, { type: 'add', member: info(4n) }).ok).toBe(true);
  expect(apply(membership, { type: 'promote', id: 3n }).ok).toBe(true);
  expect(apply(membership, { type: 'update', id: 2n, peerUrls: ['http://new:2'] }).ok).toBe(true);
  expect(apply(membership, { type: 'update', id: 2n, peerUrls: ['http://new:2'] }).ok).toBe(true);
  expect(apply(membership, { type: 'remove', id: 1n }).ok).toBe(true);
  expect(
    membership.list().map(({ id, peerUrls, isLearner }) => [id, peerUrls[0], isLearner]),
  ).toEqual([
    [2n, 'http://new:2', false],
    [3n, 'http://p:3', false],
    [4n, 'http://p:4', false],
  ]);
  expect(membership.isRemoved(1n)).toBe(true);
});

const CHANGES: readonly MembershipChange[] = [
  { type: 'add', member: info(4n) },
  { type: 'add', member: info(0xffff_ffff_ffff_fffen, true) },
  { type: 'promote', id: 3n },
  { type: 'remove', id: 2n },
  { type: 'update', id: 2n, peerUrls: ['http://a:1', 'http://b:1'] },
];

test.each([...CHANGES])('$type comes back from the log as it went in', (change) => {
  const bytes = encodeConfChange(confChangeRecord(0x8000_0000_0000_0001n, change));
  const decoded = decodeConfChange(bytes);
  if (!decoded.ok) throw new Error('not decoded');
  expect(loggedChangeOf(decoded.value)).toEqual({ id: 0x8000_0000_0000_0001n, change });
});

test('to raft only ids and roles count', () => {
  expect(CHANGES.map((change) => raftChange(change).changes)).toEqual([
    [{ type: 'addVoter', member: 4n }],
    [{ type: 'addLearner', member: 0xffff_ffff_ffff_fffen }],
    [{ type: 'addVoter', member: 3n }],
    [{ type: 'remove', member: 2n }],
    [{ type: 'update', member: 2n }],
  ]);
});
