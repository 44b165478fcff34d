import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { seededRandom } from '../../harness/seeded-random.ts';
import { SimClients } from '../../harness/sim/client.ts';
import { LeasePromises } from '../../harness/sim/lease-promises.ts';
import { SimLoop } from '../../harness/sim/loop.ts';
import { clientUrl, type SimNode } from '../../harness/sim/node.ts';
import { Oracle } from '../../harness/sim/oracle/oracle.ts';
import { SimProcess } from '../../harness/sim/process.ts';
import { SimWorld } from '../../harness/sim/world.ts';
import { deleteRangeRequest, putRequest, rangeRequest } from '../../src/client/requests.ts';
import type { KvService } from '../../src/service/kv.ts';
import type { AuthChange } from '../../workloads/full-client.ts';
import type { KvClient } from '../../workloads/kv-client.ts';
import { shortPlan } from './short-plan.ts';

const MS = 1e6;
const LIMIT = { timeoutMs: 1_000 };
const PUT = putRequest({ key: 'a', value: '1' });

/** A member whose service does what a test says. */
function fakeNode(loop: SimLoop, kv: Partial<KvService>): SimNode {
  const process = new SimProcess({
    loop,
    random: seededRandom(1),
    afterEach: () => undefined,
    onError: (error) => {
      throw error;
    },
  });
  const member = { machine: { applied: 0 } };
  const life = { process, serving: { services: { kv }, member }, onEnd: new Set<() => void>() };
  return { name: 'n1', life } as unknown as SimNode;
}

describe('a client of a member that', () => {
  function connect(kv: Partial<KvService>) {
    const loop = new SimLoop();
    const node = fakeNode(loop, kv);
    const wrong: string[] = [];
    const client = new SimClients({
      loop,
      random: seededRandom(1),
      latencyUs: [1_000, 1_000],
      nodes: [node],
      oracle: new Oracle(),
      leases: new LeasePromises(() => 0),
      watchUntakenMax: 8,
      onWrong: (_, { detail }) => wrong.push(detail),
    }).connect(clientUrl('n1'));
    return { loop, node, client, wrong };
  }

  test('dies before its answer is there does not get it later', async () => {
    const { promise, resolve } = Promise.withResolvers<Awaited<ReturnType<KvService['put']>>>();
    const { loop, node, client, wrong } = connect({ put: () => promise });
    loop.schedule(5 * MS, () => {
      for (const end of node.life!.onEnd) end();
      node.life!.onEnd.clear();
      const header = { clusterId: 1n, memberId: 1n, revision: 99, raftTerm: 1 };
      resolve({ ok: true, value: { header, result: { prevKv: undefined } } });
    });
    const reply = await loop.drive(client.put(PUT, LIMIT));
    expect(reply).toMatchObject({ ok: false, error: { message: 'connection lost' } });
    // Nobody saw that it was wrong, either.
    expect(wrong).toEqual([]);
  });

  test('throws does not know what became of it, and the throw is told', async () => {
    const failing = () => Promise.reject(new Error('planted'));
    const { loop, client, wrong } = connect({ put: failing });
    const reply = await loop.drive(client.put(PUT, LIMIT));
    expect(reply).toMatchObject({ ok: false, error: { definite: false } });
    expect(wrong).toEqual(['the service threw Error: planted']);
  });

  test('answers what cannot be compared ends the simulation', async () => {
    const { loop, client } = connect({ put: async () => ({ ok: true, value: {} }) as never });
    await expect(loop.drive(client.put(PUT, LIMIT))).rejects.toThrow('revision');
  });
});

/** One member that serves, and a client of it a millisecond away. */
describe('a client', () => {
  let world: SimWorld;
  let node: SimNode;
  let client: KvClient;
  let wrong: string[];

  beforeEach(async () => {
    world = new SimWorld(shortPlan({ memberCount: 1 }));
    [node] = world.nodes as [SimNode];
    wrong = [];
    client = clientsWith(world.oracle).connect(clientUrl('n1'));
    node.start();
    await pass(1_000);
  });

  afterEach(() => {
    expect(world.failure).toBeUndefined();
  });

  function clientsWith(oracle: Oracle): SimClients {
    return new SimClients({
      loop: world.loop,
      random: seededRandom(1),
      latencyUs: [1_000, 1_000],
      nodes: world.nodes,
      oracle,
      leases: new LeasePromises(() => 0),
      watchUntakenMax: 8,
      onWrong: (where, { detail }) => wrong.push(`${where.name}: ${detail}`),
    });
  }

  function pass(durationMs: number): Promise<void> {
    const { loop } = world;
    return loop.drive(new Promise((resolve) => loop.schedule(durationMs * MS, resolve)));
  }

  function at(delayMs: number, act: () => void): void {
    world.loop.schedule(delayMs * MS, act);
  }

  /** How a put ends, and after how long. */
  async function putTook(options = LIMIT) {
    const startNs = world.loop.nowNs;
    const reply = await world.loop.drive(client.put(PUT, options));
    const tookMs = (world.loop.nowNs - startNs) / MS;
    if (reply.ok) return { tookMs, reply };
    const { definite, message } = reply.error;
    return { tookMs, definite, message };
  }

  test('is answered by the real service, after both ways of the link', async () => {
    const { tookMs, reply } = await putTook();
    expect(reply?.ok).toBe(true);
    expect(tookMs).toBeGreaterThan(2);
    const read = await world.loop.drive(client.range(rangeRequest({ key: 'a' }), LIMIT));
    if (!read.ok) throw new Error(read.error.message);
    expect(read.value.result.kvs).toMatchObject([{ value: Uint8Array.of(0x31) }]);
    expect(read.value.header.revision).toBe(2);
    const removed = await world.loop.drive(
      client.deleteRange(deleteRangeRequest({ key: 'a' }), LIMIT),
    );
    expect(removed).toMatchObject({ ok: true, value: { result: { deleted: 1 } } });
    const txn = { compare: [], success: [], failure: [] };
    expect(await world.loop.drive(client.txn(txn, LIMIT))).toMatchObject({ ok: true });
    expect(wrong).toEqual([]);
  });

  test('logs in when it is asked who it is, and a user again after a new password', async () => {
    const { loop } = world;
    const root = clientsWith(world.oracle).connect(clientUrl('n1'));
    const made = async (change: AuthChange) => loop.drive(root.changeAuth(change, LIMIT));
    for (const change of [
      { type: 'userAdd', user: 'root' },
      { type: 'grantRole', user: 'root', role: 'root' },
      { type: 'userAdd', user: 'alice' },
      { type: 'enable' },
    ] as const satisfies readonly AuthChange[]) {
      expect(await made(change)).toMatchObject({ ok: true });
    }
    expect(await putTook()).toMatchObject({ reply: { ok: true } });
    const alice = root.as('alice');
    const denied = { ok: false, error: { message: 'etcdserver: permission denied' } };
    expect(await loop.drive(alice.put(PUT, LIMIT))).toMatchObject(denied);
    expect(await made({ type: 'userPassword', user: 'alice' })).toMatchObject({ ok: true });
    expect(await loop.drive(alice.put(PUT, LIMIT))).toMatchObject(denied);
    expect(wrong).toEqual([]);
  });

  test('puts an alarm on and off, and is refused for certain meanwhile', async () => {
    const { loop } = world;
    const full = clientsWith(world.oracle).connect(clientUrl('n1'));
    const alarm = async (action: 'list' | 'activate' | 'deactivate', memberId: bigint) => {
      const reply = await loop.drive(full.alarm({ action, memberId }, LIMIT));
      if (!reply.ok) throw new Error(reply.error.message);
      return reply.value.result.memberIds;
    };
    expect(await alarm('activate', 7n)).toEqual([7n]);
    expect(await putTook()).toMatchObject({
      definite: true,
      message: 'etcdserver: mvcc: database space exceeded',
    });
    expect(await alarm('list', 0n)).toEqual([7n]);
    expect(await alarm('deactivate', 0n)).toEqual([]);
    expect(await alarm('deactivate', 7n)).toEqual([7n]);
    expect(await alarm('list', 0n)).toEqual([]);
    expect(await putTook()).toMatchObject({ reply: { ok: true } });
    expect(wrong).toEqual([]);
  });

  test('is told by the service what it refuses', async () => {
    const request = putRequest({ key: '', value: '1' });
    const reply = await world.loop.drive(client.put(request, LIMIT));
    expect(reply).toMatchObject({ ok: false, error: { definite: true } });
    if (!reply.ok) expect(reply.error.message).toContain('key');
  });

  test('is refused for certain by a member that is dead, or still starts', async () => {
    node.kill({ keepsCache: true });
    const refused = { tookMs: 2, definite: true, message: 'connection refused' };
    expect(await putTook()).toEqual(refused);
    node.start();
    await world.cluster.setDiskFault('n1', { type: 'stall' });
    expect(await putTook()).toEqual(refused);
    expect(world.oracle.revision).toBe(1);
  });

  test('does not know what became of a request whose member is killed over it', async () => {
    at(1.001, () => node.kill({ keepsCache: true }));
    const { tookMs, definite, message } = await putTook();
    expect({ definite, message }).toEqual({ definite: false, message: 'connection lost' });
    expect(tookMs).toBeCloseTo(2.001, 6);
  });

  test('does not hear what a member decides that dies over its sync, and starts again', async () => {
    const answered = client.put(PUT, LIMIT);
    await world.cluster.setFsyncDelay('n1', 50);
    at(40, () => node.kill({ keepsCache: true }));
    at(41, () => node.start());
    const reply = await world.loop.drive(answered);
    expect(reply).toMatchObject({ ok: false, error: { definite: false } });
    await pass(500);
    expect(wrong).toEqual([]);
  });

  test('does not know what became of a request that nobody answers in time', async () => {
    node.life?.process.pause();
    const { tookMs, definite, message } = await putTook({ timeoutMs: 30 });
    expect({ tookMs, definite, message }).toEqual({
      tookMs: 30,
      definite: false,
      message: 'deadline exceeded',
    });
    const committed = world.oracle.committed;
    node.life?.process.resume();
    await pass(100);
    expect(world.oracle.committed).toBe(committed + 1);
    expect(wrong).toEqual([]);
  });

  test('is not the only one to learn of a wrong answer', async () => {
    const forgetful = clientsWith(new Oracle()).connect(clientUrl('n1'));
    const reply = await world.loop.drive(forgetful.put(PUT, LIMIT));
    expect(reply.ok).toBe(true);
    expect(wrong).toHaveLength(1);
    expect(wrong[0]).toMatch(/^n1: put .*an answer from the future/);
    wrong = [];
    await world.loop.drive(forgetful.range(rangeRequest({ key: 'a' }), LIMIT));
    expect(wrong[0]).toMatch(/^n1: range .*an answer from the future/);
  });

  test('probes say who leads, and whether a member answers', async () => {
    const probe = clientsWith(world.oracle).probe();
    const [known] = world.cluster.nodes;
    const status = await world.loop.drive(probe.status(known!, 100));
    expect(status).toMatchObject({ isLeader: true });
    expect(status!.commitIndex).toBe(world.oracle.committed);
    expect(await world.loop.drive(probe.linearizableRead(known!, 100))).toBe(true);
    node.kill({ keepsCache: true });
    expect(await world.loop.drive(probe.status(known!, 100))).toBeUndefined();
    expect(await world.loop.drive(probe.linearizableRead(known!, 100))).toBe(false);
  });

  test('needs an address of a member', () => {
    expect(() => clientsWith(world.oracle).connect('sim://n9')).toThrow('no simulated member');
  });
});
