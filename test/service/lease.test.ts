import { create } from '@bufbuild/protobuf';
import { beforeEach, describe, expect, test } from 'vitest';
import type { AuthRequest } from '../../src/auth/request.ts';
import { utf8Encode } from '../../src/lib/utf8.ts';
import { ANONYMOUS, type Caller } from '../../src/service/caller.ts';
import { type ServiceError, serviceError } from '../../src/service/errors.ts';
import {
  LeaseGrantRequestSchema,
  LeaseKeepAliveRequestSchema,
  type LeaseKeepAliveResponse,
  LeaseLeasesRequestSchema,
  LeaseRevokeRequestSchema,
  LeaseTimeToLiveRequestSchema,
} from '../../src/wire/gen/etcdserverpb/rpc_pb.ts';
import { putRequest } from '../mvcc/requests.ts';
import {
  LeaseCluster,
  type LeaseMember,
  REQUEST_TIMEOUT_MS,
  type Services,
} from './lease-cluster.ts';
import { settle } from './step-clock.ts';

let cluster: LeaseCluster;
let leader: LeaseMember;
let follower: LeaseMember;
let here: Services;
let there: Services;

beforeEach(() => {
  cluster = new LeaseCluster();
  [leader, follower] = cluster.members;
  here = cluster.servicesOf(leader);
  there = cluster.servicesOf(follower);
});

function grant(ID: bigint, TTL: bigint, services = here) {
  return services.leases.leaseGrant(create(LeaseGrantRequestSchema, { ID, TTL }), ANONYMOUS);
}

function revoke(ID: bigint, services = here) {
  return services.leases.leaseRevoke(create(LeaseRevokeRequestSchema, { ID }), ANONYMOUS);
}

function timeToLive(ID: bigint, keys = false, services = here) {
  const request = create(LeaseTimeToLiveRequestSchema, { ID, keys });
  return services.leases.leaseTimeToLive(request, ANONYMOUS);
}

/** A client's stream, and all that it got. */
function open(services: Services, caller: Caller = ANONYMOUS) {
  const answers: LeaseKeepAliveResponse[] = [];
  const ends: (ServiceError | undefined)[] = [];
  const source = services.leases.keepAlive(caller, {
    send: (answer) => void answers.push(answer),
    writable: true,
    onWritable: () => {},
    end: (error) => void ends.push(error),
  });
  const renew = (ID: bigint) => source.receive(create(LeaseKeepAliveRequestSchema, { ID }));
  return { answers, ends, source, renew };
}

describe('grant', () => {
  test('raises the time to the minimum, and answers with the revision as it is', async () => {
    expect(await grant(7n, 1n)).toMatchObject({
      ok: true,
      value: { ID: 7n, TTL: 2n, header: { clusterId: 0xc1n, memberId: 0xan, revision: 1n } },
    });
    expect(await grant(8n, -(2n ** 63n))).toMatchObject({ ok: true, value: { TTL: 2n } });
  });

  test('ids chosen here are positive, and drawn again when taken', async () => {
    const first = await grant(0n, 5n);
    const second = await grant(0n, 5n);
    expect(first).toMatchObject({ ok: true, value: { ID: 0x701n } });
    // The first draw was the same again.
    expect(second).toMatchObject({ ok: true, value: { ID: 0x702n } });
    expect(cluster.log).toHaveLength(3);
  });

  test('an id that is given is taken, or refused', async () => {
    await grant(7n, 5n);
    const again = await grant(7n, 5n);
    expect(again).toEqual({ ok: false, error: serviceError('leaseExists') });
  });

  test('a time beyond the longest is refused, also beyond all numbers', async () => {
    for (const TTL of [9_000_000_001n, 2n ** 63n - 1n]) {
      expect(await grant(7n, TTL)).toEqual({ ok: false, error: serviceError('leaseTtlTooLarge') });
    }
    expect(cluster.log).toEqual([]);
    expect((await grant(7n, 9_000_000_000n)).ok).toBe(true);
  });

  test('a learner refuses everything', async () => {
    leader.isLearner = true;
    const error = serviceError('notSupportedForLearner');
    const stream = open(here);
    expect(await grant(7n, 5n)).toEqual({ ok: false, error });
    expect(await timeToLive(7n)).toEqual({ ok: false, error });
    expect(stream.ends).toEqual([error]);
  });
});

test('a revoke deletes the keys in one revision; what is not there is an error', async () => {
  await grant(7n, 5n);
  for (const key of ['b', 'a', 'c']) {
    await here.kv.put(putRequest(key, 'v', { lease: 7n }), ANONYMOUS);
  }
  expect(await revoke(7n, there)).toMatchObject({ ok: true, value: { header: { revision: 5n } } });
  const keys = leader.store
    .changesAt(5)
    .map(({ keyValue }) => String.fromCharCode(...keyValue.key));
  expect(keys).toEqual(['a', 'b', 'c']);
  expect(await revoke(7n)).toEqual({ ok: false, error: serviceError('leaseNotFound') });
});

describe('time to live', () => {
  test.each(['leader', 'follower'] as const)('at the %s', async (where) => {
    await grant(7n, 60n);
    await here.kv.put(putRequest('a', 'v', { lease: 7n }), ANONYMOUS);
    await cluster.clock.pass(10_500);
    const services = where === 'leader' ? here : there;
    expect(await timeToLive(7n, true, services)).toMatchObject({
      ok: true,
      value: { ID: 7n, TTL: 49n, grantedTTL: 60n, keys: [utf8Encode('a')] },
    });
    expect(await timeToLive(7n, false, services)).toMatchObject({ ok: true, value: { keys: [] } });
  });

  test('of a lease that is not there is -1', async () => {
    for (const services of [here, there]) {
      expect(await timeToLive(9n, true, services)).toMatchObject({
        ok: true,
        value: { ID: 9n, TTL: -1n, grantedTTL: 0n, keys: [] },
      });
    }
  });

  test('without a leader is an error when the time for it is up', async () => {
    await grant(7n, 60n);
    follower.leader = undefined;
    const asked = timeToLive(7n, false, there);
    await cluster.clock.pass(REQUEST_TIMEOUT_MS + 100);
    expect(await asked).toEqual({ ok: false, error: serviceError('noLeader') });
  });
});

test('all leases, the soonest to expire first', async () => {
  for (const [id, ttlS] of [
    [1n, 30n],
    [2n, 10n],
    [3n, 20n],
  ] as const) {
    await grant(id, ttlS);
  }
  const listed = await here.leases.leaseLeases(create(LeaseLeasesRequestSchema), ANONYMOUS);
  expect(listed.ok && listed.value.leases.map(({ ID }) => ID)).toEqual([2n, 3n, 1n]);
});

describe('keep alive', () => {
  test.each(['leader', 'follower'] as const)('at the %s', async (where) => {
    await grant(7n, 5n);
    const stream = open(where === 'leader' ? here : there);
    for (let i = 0; i < 5; i++) {
      await cluster.clock.pass(4_000);
      stream.renew(7n);
    }
    await cluster.clock.pass(1_000);
    expect(stream.answers.map(({ ID, TTL }) => [ID, TTL])).toEqual(Array(5).fill([7n, 5n]));
    expect(leader.lessor.has(7n)).toBe(true);
    await cluster.clock.pass(6_000);
    expect(leader.lessor.has(7n)).toBe(false);
    expect(follower.lessor.has(7n)).toBe(false);
  });

  test('of a lease that is not there is answered with 0, and the stream goes on', async () => {
    await grant(7n, 5n);
    for (const services of [here, there]) {
      const stream = open(services);
      stream.renew(9n);
      await cluster.clock.pass(100);
      stream.renew(7n);
      await cluster.clock.pass(100);
      expect(stream.answers.map(({ TTL }) => TTL)).toEqual([0n, 5n]);
      expect(stream.ends).toEqual([]);
    }
  });

  test('the header is from before the renewal', async () => {
    await grant(7n, 5n);
    leader.duringBarrier = () => {
      cluster.applyNow({ type: 'put', request: putRequest('a') });
    };
    const stream = open(here);
    stream.renew(7n);
    await cluster.clock.pass(100);
    expect(leader.store.revision).toBe(2);
    expect(stream.answers).toMatchObject([{ header: { revision: 1n }, TTL: 5n }]);
  });

  test('leadership is confirmed before: one who lost it meanwhile does not renew', async () => {
    await grant(7n, 5n);
    leader.duringBarrier = () => cluster.elect(follower);
    const stream = open(here);
    stream.renew(7n);
    await cluster.clock.pass(1_000);
    // Found at the one who leads now.
    expect(leader.asked).toBe(1);
    expect(stream.answers).toMatchObject([{ TTL: 5n }]);
    expect(follower.lessor.remaining(7n, follower.nowTick)?.ttlS).toBeGreaterThanOrEqual(4);
  });

  test('one that is being revoked is waited for, and then gone', async () => {
    await grant(7n, 5n);
    const pending: (() => void)[] = [];
    cluster.isRevoking = false;
    await cluster.clock.pass(5_400);
    expect(leader.lessor.expired(leader.nowTick, 10)).toEqual([7n]);
    pending.push(() => void leader.propose({ type: 'leaseRevoke', id: 7n }));
    const streams = [open(here), open(there)];
    for (const stream of streams) stream.renew(7n);
    await cluster.clock.pass(1_000);
    for (const stream of streams) expect(stream.answers).toEqual([]);
    for (const revokeNow of pending) revokeNow();
    await cluster.clock.pass(100);
    for (const stream of streams) expect(stream.answers).toMatchObject([{ TTL: 0n }]);
  });

  test('one whose revoke is lost with the leader lives on at the next', async () => {
    await grant(7n, 5n);
    cluster.isRevoking = false;
    await cluster.clock.pass(5_400);
    leader.lessor.expired(leader.nowTick, 10);
    const stream = open(here);
    stream.renew(7n);
    await cluster.clock.pass(500);
    cluster.elect(follower);
    await cluster.clock.pass(500);
    expect(stream.answers).toMatchObject([{ TTL: 5n }]);
  });

  test('no answer from the leader: asked again, until the time is up', async () => {
    await grant(7n, 60n);
    cluster.isCut = true;
    const stream = open(there);
    stream.renew(7n);
    await cluster.clock.pass(500);
    expect(follower.asked).toBeGreaterThan(3);
    cluster.isCut = false;
    await cluster.clock.pass(100);
    expect(stream.answers).toMatchObject([{ TTL: 60n }]);
    cluster.isCut = true;
    stream.renew(7n);
    await cluster.clock.pass(REQUEST_TIMEOUT_MS + 100);
    expect(stream.ends).toEqual([serviceError('timeout')]);
  });

  test('a client that goes away is not asked for any more', async () => {
    await grant(7n, 60n);
    cluster.isCut = true;
    const stream = open(there);
    stream.renew(7n);
    await cluster.clock.pass(200);
    stream.source.closed();
    const { asked } = follower;
    await cluster.clock.pass(1_000);
    expect(follower.asked - asked).toBeLessThanOrEqual(1);
    expect(stream.ends).toEqual([]);
  });

  test('a stream that is half closed ends when all is answered', async () => {
    await grant(7n, 60n);
    const stream = open(here);
    stream.renew(7n);
    stream.source.halfClosed();
    expect(stream.ends).toEqual([]);
    await cluster.clock.pass(100);
    expect(stream.answers).toHaveLength(1);
    expect(stream.ends).toEqual([undefined]);
  });

  test('a stream that asks for too much at once is ended', async () => {
    const stream = open(here);
    for (let i = 0; i <= 10_000; i++) stream.renew(7n);
    expect(stream.ends).toEqual([serviceError('tooManyRequests')]);
    await cluster.clock.pass(100);
    expect(stream.answers).toEqual([]);
  });
});

describe('with users', () => {
  const user = { ...ANONYMOUS, commonName: 'u' };

  beforeEach(async () => {
    await grant(7n, 60n);
    await here.kv.put(putRequest('a', 'v', { lease: 7n }), ANONYMOUS);
    const auth = (request: AuthRequest) => cluster.applyNow({ type: 'auth', request });
    for (const name of ['root', 'u']) {
      auth({ type: 'userAdd', name, hashedPassword: '', noPassword: true });
    }
    auth({ type: 'roleAdd', name: 'root' });
    auth({ type: 'userGrantRole', user: 'root', role: 'root' });
    auth({ type: 'authEnable' });
  });

  test('nobody in particular may do nothing', async () => {
    const error = serviceError('userEmpty');
    const stream = open(here);
    stream.renew(7n);
    await settle();
    expect(stream.ends).toEqual([error]);
    expect(await grant(8n, 60n)).toEqual({ ok: false, error });
    expect(await revoke(7n)).toEqual({ ok: false, error });
    expect(await timeToLive(7n)).toEqual({ ok: false, error });
  });

  test('a lease is looked after, and its keys are seen, by who may write and read them', async () => {
    const { leases } = here;
    const error = serviceError('permissionDenied');
    const ttl = (keys: boolean) =>
      leases.leaseTimeToLive(create(LeaseTimeToLiveRequestSchema, { ID: 7n, keys }), user);
    const list = () => leases.leaseLeases(create(LeaseLeasesRequestSchema), user);
    const end = () => leases.leaseRevoke(create(LeaseRevokeRequestSchema, { ID: 7n }), user);
    const refused = open(here, user);
    refused.renew(7n);
    await settle();
    expect(refused.ends).toEqual([error]);
    expect(await ttl(true)).toEqual({ ok: false, error });
    expect((await ttl(false)).ok).toBe(true);
    expect(await list()).toEqual({ ok: false, error });
    expect(await end()).toEqual({ ok: false, error });

    const root = { ...ANONYMOUS, commonName: 'root' };
    const allowed = open(here, root);
    allowed.renew(7n);
    await settle();
    expect(allowed.answers).toMatchObject([{ TTL: 60n }]);
    expect((await leases.leaseLeases(create(LeaseLeasesRequestSchema), root)).ok).toBe(true);
  });
});

describe('a checkpoint', () => {
  beforeEach(() => {
    cluster = new LeaseCluster(10);
    [leader, follower] = cluster.members;
    here = cluster.servicesOf(leader);
    there = cluster.servicesOf(follower);
  });

  function checkpoint(): Promise<unknown> {
    const checkpoints = leader.lessor.dueCheckpoints(leader.nowTick, 10);
    expect(checkpoints).toMatchObject([{ id: 7n }]);
    return leader.propose({ type: 'leaseCheckpoint', checkpoints });
  }

  test('is taken back before a renewal is answered', async () => {
    await grant(7n, 60n);
    await cluster.clock.pass(40_000);
    await checkpoint();
    const stream = open(there);
    stream.renew(7n);
    await cluster.clock.pass(100);
    expect(stream.answers).toMatchObject([{ TTL: 60n }]);
    cluster.elect(follower);
    expect(follower.lessor.remaining(7n, follower.nowTick)?.ttlS).toBeGreaterThanOrEqual(60);
  });

  test('also one that is still on its way', async () => {
    await grant(7n, 60n);
    await cluster.clock.pass(40_000);
    const logged = checkpoint();
    const stream = open(here);
    stream.renew(7n);
    await logged;
    await cluster.clock.pass(100);
    expect(stream.answers).toMatchObject([{ TTL: 60n }]);
    cluster.elect(follower);
    expect(follower.lessor.remaining(7n, follower.nowTick)?.ttlS).toBeGreaterThanOrEqual(60);
  });

  test('otherwise the next leader goes on from it', async () => {
    await grant(7n, 60n);
    await cluster.clock.pass(40_000);
    await checkpoint();
    cluster.elect(follower);
    // What was left, rounded up, and an election timeout.
    const ttlS = follower.lessor.remaining(7n, follower.nowTick)?.ttlS;
    expect(ttlS).toBeGreaterThanOrEqual(20);
    expect(ttlS).toBeLessThanOrEqual(22);
  });
});
