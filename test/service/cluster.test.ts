import { create } from '@bufbuild/protobuf';
import { beforeEach, describe, expect, test } from 'vitest';
import { err, ok } from '../../src/lib/result.ts';
import type { MemberInfo } from '../../src/member/node.ts';
import { ANONYMOUS } from '../../src/service/caller.ts';
import { serviceError } from '../../src/service/errors.ts';
import { arePeerUrls } from '../../src/service/peer-urls.ts';
import { refuseReconfiguration } from '../../src/service/reconfiguration.ts';
import * as rpc from '../../src/wire/gen/etcdserverpb/rpc_pb.ts';
import { FakeNode, MEMBER } from './fake-node.ts';
import { clusterOf, NEW_MEMBER_ID } from './node-services.ts';

let node: FakeNode;

beforeEach(() => {
  node = new FakeNode();
});

function info(id: bigint, changes: Partial<MemberInfo> = {}): MemberInfo {
  const peerUrls = [`http://p:${id}`];
  return { id, name: `n${id}`, peerUrls, clientUrls: [], isLearner: false, ...changes };
}

/** This member and these others, all of them connected for long. */
function withOthers(...others: readonly MemberInfo[]): void {
  node.memberList = [MEMBER, ...others];
  for (const { id } of others) node.connectedMs.set(id, 60_000);
}

const adding = (peerURLs: string[], isLearner = false): rpc.MemberAddRequest =>
  create(rpc.MemberAddRequestSchema, { peerURLs, isLearner });

const refused = (failure: Parameters<typeof serviceError>[0]) => ({
  ok: false,
  error: serviceError(failure),
});

describe('changes of the members', () => {
  test('add: a new id, unstarted; the table as it is afterwards', async () => {
    const reply = await clusterOf(node).memberAdd(adding(['http://n:1'], true), ANONYMOUS);
    expect(reply).toMatchObject({
      ok: true,
      value: {
        header: { revision: 0n },
        member: { ID: NEW_MEMBER_ID, peerURLs: ['http://n:1'], isLearner: true, name: '' },
        members: [{ ID: MEMBER.id, name: 's1' }],
      },
    });
    const member = info(NEW_MEMBER_ID, { name: '', peerUrls: ['http://n:1'], isLearner: true });
    expect(node.changes).toEqual([{ type: 'add', member }]);
  });

  test('remove and update', async () => {
    withOthers(info(2n), info(3n));
    const cluster = clusterOf(node);
    const removing = create(rpc.MemberRemoveRequestSchema, { ID: 2n });
    expect((await cluster.memberRemove(removing, ANONYMOUS)).ok).toBe(true);
    const moving = create(rpc.MemberUpdateRequestSchema, { ID: 3n, peerURLs: ['http://m:1'] });
    expect((await cluster.memberUpdate(moving, ANONYMOUS)).ok).toBe(true);
    expect(node.changes).toEqual([
      { type: 'remove', id: 2n },
      { type: 'update', id: 3n, peerUrls: ['http://m:1'] },
    ]);
  });

  test('URLs that no member could have are refused at once', async () => {
    const cluster = clusterOf(node);
    expect(await cluster.memberAdd(adding(['localhost:1']), ANONYMOUS)).toEqual(
      refused('invalidUrls'),
    );
    const moving = create(rpc.MemberUpdateRequestSchema, { ID: 3n, peerURLs: [] });
    expect(await cluster.memberUpdate(moving, ANONYMOUS)).toEqual(refused('invalidUrls'));
    expect(node.calls).toEqual([]);
  });

  test('are refused by a learner, and as the member refuses them', async () => {
    node.changeFailure = 'memberNotFound';
    const removing = create(rpc.MemberRemoveRequestSchema, { ID: 2n });
    expect(await clusterOf(node).memberRemove(removing, ANONYMOUS)).toEqual(
      refused('memberNotFound'),
    );
    node.isLearner = true;
    expect(await clusterOf(node).memberRemove(removing, ANONYMOUS)).toEqual(
      refused('notSupportedForLearner'),
    );
    expect(node.calls).toEqual(['change remove']);
  });

  test('are looked at strictly only if that is wanted', async () => {
    withOthers(info(2n, { name: '' }), info(3n, { name: '' }));
    const request = adding(['http://n:1']);
    expect(await clusterOf(node).memberAdd(request, ANONYMOUS)).toEqual(
      refused('notEnoughStarted'),
    );
    expect((await clusterOf(node, false).memberAdd(request, ANONYMOUS)).ok).toBe(true);
  });
});

describe('promotion', () => {
  const promoting = create(rpc.MemberPromoteRequestSchema, { ID: 5n });
  const promote = (): Promise<unknown> => clusterOf(node).memberPromote(promoting, ANONYMOUS);

  test('on the leader: of a learner that is close behind', async () => {
    withOthers(info(5n, { isLearner: true }));
    node.logShares.set(5n, 0.9);
    expect(await promote()).toMatchObject({ ok: true });
    expect(node.changes).toEqual([{ type: 'promote', id: 5n }]);
  });

  test.each<[string, number | undefined, Partial<MemberInfo> | undefined, string]>([
    ['unknown', 1, undefined, 'memberNotFound'],
    ['a voter already', 1, {}, 'memberNotLearner'],
    ['too far behind', 0.89, { isLearner: true }, 'learnerNotReady'],
    ['never heard of by the leader', undefined, { isLearner: true }, 'notLeader'],
  ])('is refused of a member that is %s', async (_, share, member, failure) => {
    if (member !== undefined) withOthers(info(5n, member));
    if (share !== undefined) node.logShares.set(5n, share);
    expect(await promote()).toEqual(refused(failure as Parameters<typeof serviceError>[0]));
    expect(node.changes).toEqual([]);
  });

  test('elsewhere: the leader is asked, and then its decision waited for', async () => {
    node.leader = 2n;
    node.peerAnswer = ok({ type: 'promoted' });
    expect(await promote()).toMatchObject({ ok: true });
    expect(node.asked).toEqual([{ to: 2n, question: { type: 'promote', member: 5n } }]);
    expect(node.calls).toEqual(['ask promote', 'barrier']);
  });

  test('elsewhere: what the leader refuses is refused in its words', async () => {
    node.leader = 2n;
    node.peerAnswer = ok({ type: 'refused', failure: 'learnerNotReady' });
    expect(await promote()).toEqual(refused('learnerNotReady'));
    node.peerAnswer = ok({ type: 'refused', failure: 'of another version' });
    expect(await promote()).toEqual(refused('timeout'));
  });

  test('elsewhere: without an answer nobody knows what came of it', async () => {
    node.leader = 2n;
    node.peerAnswer = err('noAnswer');
    expect(await promote()).toEqual(refused('timeout'));
    node.leader = undefined;
    expect(await promote()).toEqual(refused('noLeader'));
  });
});

describe('a strict look at', () => {
  const add = { type: 'add', member: info(9n, { name: '' }) } as const;

  test('company for a single member: always', () => {
    expect(refuseReconfiguration(node, add)).toBeUndefined();
  });

  test('one more voter: not before those there are have started', () => {
    withOthers(info(2n, { name: '' }));
    expect(refuseReconfiguration(node, add)).toBe('notEnoughStarted');
    withOthers(info(2n));
    expect(refuseReconfiguration(node, add)).toBeUndefined();
    const learner = { type: 'add', member: info(9n, { isLearner: true }) } as const;
    withOthers(info(2n, { name: '' }), info(3n, { name: '' }));
    expect(refuseReconfiguration(node, learner)).toBeUndefined();
  });

  test('anybody more: not while a voter has been away within 5 s', () => {
    withOthers(info(2n), info(3n));
    node.connectedMs.set(3n, 4_999);
    expect(refuseReconfiguration(node, add)).toBe('unhealthyCluster');
    node.connectedMs.set(3n, 5_000);
    expect(refuseReconfiguration(node, add)).toBeUndefined();
  });

  test('a removal: the rest must be able to decide', () => {
    const remove = { type: 'remove', id: 2n } as const;
    withOthers(info(2n));
    expect(refuseReconfiguration(node, remove)).toBeUndefined();
    withOthers(info(2n), info(3n, { name: '' }));
    expect(refuseReconfiguration(node, remove)).toBe('notEnoughStarted');
    withOthers(info(2n), info(3n));
    node.connectedMs.delete(3n);
    expect(refuseReconfiguration(node, remove)).toBe('unhealthyCluster');
    expect(refuseReconfiguration(node, { type: 'remove', id: 3n })).toBeUndefined();
    expect(refuseReconfiguration(node, { type: 'remove', id: MEMBER.id })).toBe('unhealthyCluster');
  });

  test('a removal: of the last one never, of learners always', () => {
    expect(refuseReconfiguration(node, { type: 'remove', id: MEMBER.id })).toBe('notEnoughStarted');
    withOthers(info(2n, { isLearner: true }));
    expect(refuseReconfiguration(node, { type: 'remove', id: 2n })).toBeUndefined();
  });

  test('new URLs: always', () => {
    withOthers(info(2n, { name: '' }));
    const update = { type: 'update', id: 2n, peerUrls: ['http://a:1'] } as const;
    expect(refuseReconfiguration(node, update)).toBeUndefined();
  });
});

test.each([
  [['http://h:1'], true],
  [['https://[::1]:2380', 'http://127.0.0.1:2380/'], true],
  [[], false],
  [['http://h'], false],
  [['http://h:1/path'], false],
  [['http://user@h:1'], false],
  [['unix://h:1'], false],
  [['http://h:1', ''], false],
  [Array.from({ length: 101 }, (_, at) => `http://h:${at}`), false],
])('peer URLs %j: %s', (urls, isRight) => {
  expect(arePeerUrls(urls)).toBe(isRight);
});
