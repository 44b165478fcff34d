import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { beforeEach, describe, expect, test } from 'vitest';
import { ANONYMOUS } from '../../src/service/caller.ts';
import { downgradeTarget } from '../../src/service/downgrade.ts';
import { serviceError } from '../../src/service/errors.ts';
import type { MaintenanceService } from '../../src/service/maintenance.ts';
import { peerAnswers } from '../../src/service/peer-answers.ts';
import * as rpc from '../../src/wire/gen/etcdserverpb/rpc_pb.ts';
import { putRequest } from '../mvcc/requests.ts';
import { FakeNode, MEMBER } from './fake-node.ts';
import { type MaintenanceFakes, maintenanceOf } from './node-services.ts';

let node: FakeNode;

beforeEach(() => {
  node = new FakeNode();
});

const service = (fakes: MaintenanceFakes = {}): MaintenanceService => maintenanceOf(node, fakes);
const refused = (failure: Parameters<typeof serviceError>[0]) => ({
  ok: false,
  error: serviceError(failure),
});

describe('alarms', () => {
  const { GET, ACTIVATE, DEACTIVATE } = rpc.AlarmRequest_AlarmAction;
  const { NONE, NOSPACE, CORRUPT } = rpc.AlarmType;
  const ask = (request: MessageInitShape<typeof rpc.AlarmRequestSchema>) =>
    service().alarm(create(rpc.AlarmRequestSchema, request), ANONYMOUS);

  test('are put on and off through the log', async () => {
    expect(await ask({ action: ACTIVATE, memberID: 5n, alarm: NOSPACE })).toMatchObject({
      ok: true,
      value: { alarms: [{ memberID: 5n, alarm: NOSPACE }] },
    });
    expect(await ask({ action: GET })).toMatchObject({ value: { alarms: [{ memberID: 5n }] } });
    expect(await ask({ action: GET, alarm: CORRUPT })).toMatchObject({ value: { alarms: [] } });
    expect(await ask({ action: DEACTIVATE, memberID: 5n, alarm: NOSPACE })).toMatchObject({
      value: { alarms: [{ memberID: 5n }] },
    });
    expect(node.alarms()).toEqual([]);
    expect(node.calls).toEqual(['propose alarm', 'barrier', 'barrier', 'propose alarm']);
  });

  test('without a type nothing is logged', async () => {
    expect((await ask({ action: ACTIVATE, memberID: 5n, alarm: NONE })).ok).toBe(true);
    expect(node.calls).toEqual(['barrier']);
  });

  test('are told only by a member that knows', async () => {
    node.barrierFailure = 'timeout';
    expect(await ask({ action: GET })).toEqual(refused('timeout'));
  });

  test('are among the errors of the status, with the quota', async () => {
    node.state.alarms.apply({ action: 'activate', memberId: 5n, type: 'NOSPACE' });
    expect(await service({ quotaBytes: 99 }).status(ANONYMOUS)).toMatchObject({
      value: { result: { errors: ['memberID:5 alarm:NOSPACE '], dbSizeQuotaBytes: 99 } },
    });
  });
});

describe('hashes', () => {
  const hashKv = (revision: bigint, fakes: MaintenanceFakes = {}) =>
    service(fakes).hashKv(create(rpc.HashKVRequestSchema, { revision }), ANONYMOUS);

  test('of the keys: in pieces, equal whether asked here or by a peer', async () => {
    for (let n = 0; n < 5_000; n++) node.store.put(putRequest(`k${n}`, 'v'));
    let pauses = 0;
    const onPause = (): void => {
      pauses += 1;
    };
    const here = await hashKv(3_000n, { onPause });
    expect(pauses).toBeGreaterThan(0);
    expect(here).toMatchObject({ ok: true, value: { compactRevision: -1n, hashRevision: 3_000n } });
    const answer = peerAnswers(node, { isStrict: true, pause: async () => undefined });
    const told = await answer({ type: 'hashKv', revision: 3_000 });
    const expected = node.store.hashKv(3_000);
    if (!here.ok || !expected.ok || told.type !== 'hash') throw new Error('no hash');
    expect([here.value.hash, told.hash]).toEqual([expected.value.hash, expected.value.hash]);
  });

  test('of revisions that are not there are refused, to peers by name', async () => {
    expect(await hashKv(9n)).toEqual(refused('futureRevision'));
    const answer = peerAnswers(node, { isStrict: true, pause: async () => undefined });
    expect(await answer({ type: 'hashKv', revision: 9 })).toEqual({
      type: 'refused',
      failure: 'futureRevision',
    });
  });

  test('of the database: the same each time, and other when it changes', async () => {
    const request = create(rpc.HashRequestSchema, {});
    const first = await service().hash(request, ANONYMOUS);
    expect(await service().hash(request, ANONYMOUS)).toEqual(first);
    expect(first).toMatchObject({ ok: true, value: { header: { memberId: MEMBER.id } } });
  });
});

test('defragmenting goes on in pieces until nothing is left to do', async () => {
  let left = 3;
  node.store.defragmentStep = () => {
    left -= 1;
    return left > 0;
  };
  let rests = 0;
  const onSleep = (): void => {
    rests += 1;
  };
  const told: string[] = [];
  const onDefragment = (): (() => void) => {
    told.push(`begins, ${left} left`);
    return () => told.push(`ends, ${left} left`);
  };
  const request = create(rpc.DefragmentRequestSchema, {});
  const fakes = { onSleep, onDefragment };
  expect((await service(fakes).defragment(request, ANONYMOUS)).ok).toBe(true);
  expect([left, rests]).toEqual([0, 2]);
  expect(told).toEqual(['begins, 3 left', 'ends, 0 left']);
});

describe('moving the leader', () => {
  const move = (targetID: bigint, fakes: MaintenanceFakes = {}) =>
    service(fakes).moveLeader(create(rpc.MoveLeaderRequestSchema, { targetID }), ANONYMOUS);

  beforeEach(() => {
    const learner = { ...MEMBER, id: 3n, isLearner: true };
    node.memberList = [MEMBER, { ...MEMBER, id: 2n }, learner];
  });

  test('ends when the other leads', async () => {
    let slept = 0;
    const onSleep = (): void => {
      slept += 1;
      if (slept === 3) node.leader = 2n;
    };
    expect((await move(2n, { onSleep })).ok).toBe(true);
    expect(node.calls).toEqual(['transfer 2']);
    expect(slept).toBe(3);
  });

  test('is given up in time', async () => {
    expect(await move(2n)).toEqual(refused('transferTimeout'));
  });

  test('to itself is done already', async () => {
    expect((await move(MEMBER.id)).ok).toBe(true);
    expect(node.calls).toEqual([]);
  });

  test('is refused elsewhere, and to whoever cannot lead', async () => {
    expect(await move(3n)).toEqual(refused('badTransferee'));
    expect(await move(9n)).toEqual(refused('badTransferee'));
    node.leader = 2n;
    expect(await move(2n)).toEqual(refused('notLeader'));
  });
});

describe('downgrade', () => {
  const { VALIDATE, ENABLE, CANCEL } = rpc.DowngradeRequest_DowngradeAction;
  const ask = (action: rpc.DowngradeRequest_DowngradeAction, version = '') =>
    service().downgrade(create(rpc.DowngradeRequestSchema, { action, version }), ANONYMOUS);

  beforeEach(() => {
    node.state.clusterVersion = '3.6.0';
  });

  test('is validated, enabled, and cancelled', async () => {
    expect(await ask(CANCEL)).toEqual(refused('noDowngrade'));
    expect(await ask(VALIDATE, '3.5')).toMatchObject({ ok: true, value: { version: '3.6.0' } });
    expect(node.downgradeTo).toBeUndefined();
    expect((await ask(ENABLE, '3.5.0')).ok).toBe(true);
    expect(node.downgradeTo).toBe('3.5.0');
    expect(await ask(ENABLE, '3.5.0')).toEqual(refused('downgradeInProgress'));
    expect((await ask(CANCEL)).ok).toBe(true);
    expect(node.downgradeTo).toBeUndefined();
  });

  test.each([
    ['3.5', '3.5.0'],
    ['3.5.9', '3.5.0'],
    ['3.6.0', 'badDowngradeVersion'],
    ['3.4', 'badDowngradeVersion'],
    ['2.5', 'badDowngradeVersion'],
    ['v3.5', 'badDowngradeFormat'],
    ['', 'badDowngradeFormat'],
  ])('to %j: %s', (wanted, outcome) => {
    const target = downgradeTarget('3.6.0', wanted);
    expect(target.ok ? target.value : target.error).toBe(outcome);
  });
});

test('a promotion that a peer asks for is refused by name', async () => {
  const answer = peerAnswers(node, { isStrict: true, pause: async () => undefined });
  expect(await answer({ type: 'promote', member: 9n })).toEqual({
    type: 'refused',
    failure: 'memberNotFound',
  });
  node.memberList = [MEMBER, { ...MEMBER, id: 9n, isLearner: true }];
  node.logShares.set(9n, 1);
  node.connectedMs.set(9n, 60_000);
  expect(await answer({ type: 'promote', member: 9n })).toEqual({ type: 'promoted' });
});
