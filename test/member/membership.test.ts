import { describe, expect, test } from 'vitest';
import { seededRandom } from '../../harness/seeded-random.ts';
import { utf8Decode, utf8Encode } from '../../src/lib/utf8.ts';
import { decodeMemberContext, encodeMemberContext } from '../../src/member/member-context.ts';
import { Membership } from '../../src/member/membership.ts';
import { RequestIds } from '../../src/member/request-ids.ts';
import { timingOf } from '../../src/member/timing.ts';

function member(id: bigint) {
  return { id, name: `n${id}`, peerUrls: [`http://h:${id}`], clientUrls: [], isLearner: false };
}

describe('membership', () => {
  test('members are listed by id, attributes replace what was known', () => {
    const membership = new Membership(10);
    membership.add(member(2n));
    membership.add(member(1n));
    membership.setAttributes({ memberId: 2n, name: 'two', clientUrls: ['http://c'] });
    membership.setAttributes({ memberId: 9n, name: 'nobody', clientUrls: [] });
    expect(membership.list().map(({ id, name }) => [id, name])).toEqual([
      [1n, 'n1'],
      [2n, 'two'],
    ]);
    expect(membership.get(2n)?.clientUrls).toEqual(['http://c']);
  });

  test('a removed id does not come back, and only so many are remembered', () => {
    const membership = new Membership(2);
    for (const id of [1n, 2n, 3n]) {
      membership.add(member(id));
      membership.remove(id);
    }
    expect(membership.removed()).toEqual([2n, 3n]);
    expect(() => membership.add(member(3n))).toThrowError('never added again');
  });

  test('restored from a checkpoint it is the same', () => {
    const membership = new Membership(10);
    membership.add(member(1n));
    membership.remove(5n);
    const state = { members: membership.list(), removed: membership.removed() };
    const restored = Membership.restore(state, 10);
    expect(restored.list()).toEqual(membership.list());
    expect(restored.removed()).toEqual([5n]);
  });

  test('contexts are the JSON that etcd writes, ids unrounded', () => {
    const bytes = encodeMemberContext(0xffff_ffff_ffff_fffen, {
      name: 'n1',
      peerUrls: ['http://a:1'],
    });
    expect(utf8Decode(bytes)).toBe(
      '{"id":18446744073709551614,"peerURLs":["http://a:1"],"name":"n1"}',
    );
    const plain = { isLearner: false, isPromote: false };
    expect(decodeMemberContext(bytes)).toEqual({ name: 'n1', peerUrls: ['http://a:1'], ...plain });
    expect(decodeMemberContext(utf8Encode('{'))).toEqual({ name: '', peerUrls: [], ...plain });
  });

  test('contexts say who learns, and who ends to', () => {
    const learner = { name: '', peerUrls: ['http://a:1'], isLearner: true };
    const added = encodeMemberContext(7n, learner);
    expect(utf8Decode(added)).toBe('{"id":7,"peerURLs":["http://a:1"],"isLearner":true}');
    expect(decodeMemberContext(added)).toEqual({ ...learner, isPromote: false });
    const promoted = encodeMemberContext(7n, { name: '', peerUrls: [], isPromote: true });
    expect(decodeMemberContext(promoted)).toMatchObject({ isLearner: false, isPromote: true });
  });
});

test('request ids differ between members, requests and restarts', () => {
  const first = new RequestIds(0x1234n, seededRandom(1));
  const restarted = new RequestIds(0x1234n, seededRandom(2));
  const other = new RequestIds(0x1235n, seededRandom(1));
  const ids = [first, restarted, other].flatMap((source) =>
    Array.from({ length: 1000 }, () => source.next()),
  );
  expect(new Set(ids).size).toBe(ids.length);
});

test('ticks divide the heartbeat and keep the election timeout', () => {
  expect(timingOf(100, 1000)).toMatchObject({ tickMs: 10, heartbeatTicks: 10, electionTicks: 100 });
  expect(timingOf(15, 75)).toMatchObject({ tickMs: 3, heartbeatTicks: 5, electionTicks: 25 });
  expect(timingOf(7, 40)).toMatchObject({ tickMs: 7, heartbeatTicks: 1, electionTicks: 5 });
  expect(() => timingOf(100, 400)).toThrowError('five heartbeats');
});
