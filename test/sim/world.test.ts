import { describe, expect, test } from 'vitest';
import { SimWorld } from '../../harness/sim/world.ts';
import { putRequest } from '../../src/client/requests.ts';
import { makeLeader } from './crafted-member.ts';
import { shortPlan } from './short-plan.ts';

/** A multiple of the heartbeats that go unanswered before that is a failure. */
const LONG_CUT_MS = 2_000;

/** Three members that have elected a leader and written something. */
async function serving(): Promise<SimWorld> {
  const world = new SimWorld(shortPlan());
  for (const node of world.nodes) node.start();
  await pass(world, 2_000);
  for (const value of ['1', '2', '3']) {
    const request = putRequest({ key: 'a', value });
    const reply = world.clients.connect('sim://n2').put(request, { timeoutMs: 1_000 });
    expect((await world.loop.drive(reply)).ok).toBe(true);
  }
  await pass(world, 500);
  return world;
}

function pass({ loop }: SimWorld, durationMs: number): Promise<void> {
  return loop.drive(new Promise((resolve) => loop.schedule(durationMs * 1e6, resolve)));
}

function memberOf(world: SimWorld, name: string) {
  const member = world.cluster.node(name).life?.serving?.member;
  if (member === undefined) throw new Error(`${name} does not serve`);
  return member;
}

function leaderOf(world: SimWorld) {
  const leader = world.nodes.find(({ name }) => memberOf(world, name).core.role.type === 'leader');
  if (leader === undefined) throw new Error('nobody leads');
  return leader;
}

/** No message between the members arrives any more. */
async function cutAll({ nodes, cluster }: SimWorld): Promise<void> {
  const names = nodes.map(({ name }) => name);
  await cluster.setGrudge(new Map(names.map((name) => [name, new Set(names)])));
}

describe('real members', () => {
  test('break nothing, also over kills and power failures', async () => {
    const world = await serving();
    for (const [at, node] of world.nodes.entries()) {
      node.kill({ keepsCache: at % 2 === 0 });
      await pass(world, 300);
      node.start();
      await pass(world, 1_000);
    }
    world.compareAll();
    expect(world.failure).toBeUndefined();
    expect(world.invariants.maxCommitted).toBeGreaterThan(6);
    expect(world.invariants.maxCommitted).toBe(world.oracle.committed);
    for (const { name } of world.nodes) {
      expect(memberOf(world, name).machine.applied).toBe(world.oracle.committed);
    }
  });

  test('whose store is changed behind their back are found out', async () => {
    const world = await serving();
    memberOf(world, 'n3').machine.store.put(putRequest({ key: 'b', value: 'x' }));
    world.compareAll();
    expect(world.failure).toMatchObject({ by: 'oracle', name: 'state' });
    expect(world.failure?.detail).toContain('n3');
    await expect(world.failed).resolves.toBe(world.failure);
  });

  test('that lead without having been elected are found out', async () => {
    const world = await serving();
    const leader = leaderOf(world);
    const usurper = world.nodes.find((node) => node !== leader)!;
    const core = memberOf(world, usurper.name).core as {
      term: number;
      vote: bigint;
      role: unknown;
    };
    const { role } = memberOf(world, leader.name).core;
    if (role.type !== 'leader') throw new Error('nobody leads');
    const [, progress] = [...role.progress][0]!;
    core.vote = usurper.id;
    const peers = world.nodes.filter((node) => node !== usurper);
    core.role = { ...role, progress: new Map(peers.map(({ id }) => [id, progress])) };
    await pass(world, 100);
    expect(world.failure).toMatchObject({ by: 'invariant', name: 'election safety' });
  });

  test('that lead a term of their own without votes are found out', async () => {
    const world = await serving();
    const usurper = world.nodes.find((node) => node !== leaderOf(world))!;
    makeLeader(memberOf(world, usurper.name));
    await pass(world, 100);
    expect(world.failure).toMatchObject({ by: 'invariant', name: 'elected by a majority' });
    expect(world.failure?.detail).toContain(`by ${usurper.name} alone`);
  });

  test('that lead on without contact are found out, and those that step down are not', async () => {
    const sound = await serving();
    await cutAll(sound);
    await pass(sound, LONG_CUT_MS);
    expect(sound.failure).toBeUndefined();
    const stubborn = await serving();
    const { name } = leaderOf(stubborn);
    Object.assign(memberOf(stubborn, name).core.config, { checkQuorum: false });
    await pass(stubborn, LONG_CUT_MS);
    expect(stubborn.failure).toBeUndefined();
    await cutAll(stubborn);
    await pass(stubborn, LONG_CUT_MS);
    expect(stubborn.failure).toMatchObject({ by: 'invariant', name: 'contact' });
    expect(stubborn.failure?.detail).toContain(`${name} leads`);
  });

  test('that know other members than the rest are found out', async () => {
    const world = await serving();
    const { membership } = memberOf(world, 'n3').machine;
    membership.setAttributes({ memberId: 1n, name: 'n1', clientUrls: ['http://elsewhere'] });
    world.compareAll();
    expect(world.failure).toMatchObject({ by: 'invariant', name: 'membership' });
  });

  test('that stop by themselves are a failure, but not if their disk refused them', async () => {
    const refused = await serving();
    await refused.cluster.setDiskFault('n1', { type: 'error', operation: 'write', code: 'EIO' });
    const request = putRequest({ key: 'a', value: '4' });
    await refused.loop.drive(
      refused.clients.connect('sim://n2').put(request, { timeoutMs: 1_000 }),
    );
    await pass(refused, 500);
    expect(refused.cluster.node('n1').life).toBeUndefined();
    expect(refused.failure).toBeUndefined();
    const broken = await serving();
    const { core } = memberOf(broken, 'n1');
    core.log.commitTo = () => {
      throw new Error('planted');
    };
    await broken.loop.drive(broken.clients.connect('sim://n2').put(request, { timeoutMs: 1_000 }));
    await pass(broken, 1_000);
    expect(broken.failure).toMatchObject({ by: 'death', name: 'a member stopped' });
    expect(broken.failure?.detail).toContain('planted');
  });
});

test('only the first failure counts, in one line', () => {
  const world = new SimWorld(shortPlan());
  world.fail({ by: 'liveness', name: 'progress', detail: 'two\nlines' });
  world.fail({ by: 'checker', name: 'register', detail: 'later' });
  expect(world.failure).toEqual({ by: 'liveness', name: 'progress', detail: 'two lines', atNs: 0 });
});
