import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Cluster, ClusterNode, LinkCounter } from '../../harness/cluster/cluster.ts';
import { openDockerCluster } from '../../harness/cluster/docker/docker-cluster.ts';
import { sweepDocker } from '../../harness/cluster/docker/sweep.ts';
import {
  dockerBlocker,
  etcdConfig,
  eventually,
  findLeader,
  get,
  leads,
  leftovers,
  put,
} from './docker-lab.ts';

const blocker = await dockerBlocker();
/** Where the machine is ours to set up, a missing daemon is a failure and not a reason to skip. */
const mustRun = process.env.CI === 'true';
const title = blocker === undefined ? 'a docker cluster' : `a docker cluster (not run: ${blocker})`;
const runId = `test-${process.pid}-${Date.now().toString(36)}`;

/** What the links into a node have dropped, as `from` → packets. */
function droppedInto(node: ClusterNode, counters: readonly LinkCounter[]): Record<string, number> {
  const links = counters.filter(({ to }) => to === node.name);
  return Object.fromEntries(links.map(({ from, dropped }) => [from, dropped]));
}

test.runIf(mustRun)('a daemon and an etcd are there on CI', () => {
  expect(blocker).toBeUndefined();
});

describe.skipIf(blocker !== undefined)(title, () => {
  let directory = '';
  let cluster: Cluster;
  let nodes: readonly ClusterNode[] = [];

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'storm-docker-test-'));
    cluster = await openDockerCluster(etcdConfig(runId, 3, directory));
    nodes = cluster.nodes;
  });

  afterAll(async () => {
    await cluster?.[Symbol.asyncDispose]();
    await rm(directory, { recursive: true, force: true });
  });

  const isolate = (node: ClusterNode): ReadonlyMap<string, ReadonlySet<string>> => {
    const others = nodes.filter((other) => other !== node).map(({ name }) => name);
    return new Map([
      [node.name, new Set(others)],
      ...others.map((other) => [other, new Set([node.name])] as const),
    ]);
  };

  test('serves, and says what it can do and with what', async () => {
    await findLeader(nodes);
    await put(nodes[0]!, 'k', 'v');
    expect(await get(nodes[2]!, 'k')).toBe('v');
    expect(cluster.capabilities.map(({ capability }) => capability)).toEqual(
      expect.arrayContaining(['kill', 'pause', 'partition', 'slow-disk']),
    );
    for (const { detail } of cluster.capabilities) expect(detail).not.toBe('');
    expect(cluster.environment.map(({ name }) => name)).toContain('image');
  });

  test('keeps data and port of a member that is killed, twice, and started', async () => {
    const node = nodes[1]!;
    await put(node, 'kept', 'yes');
    await cluster.kill(node.name);
    expect(await cluster.isRunning(node.name)).toBe(false);
    await cluster.kill(node.name);
    await expect(leads(node)).rejects.toThrow();

    await cluster.start(node.name);
    expect(await cluster.isRunning(node.name)).toBe(true);
    await cluster.start(node.name);
    await eventually('the restarted member serves', () => get(node, 'kept'));
  });

  test('pauses a member: it is silent, then goes on', async () => {
    const node = nodes[2]!;
    await cluster.pause(node.name);
    await cluster.pause(node.name);
    expect(await cluster.isRunning(node.name)).toBe(true);
    await expect(leads(node)).rejects.toThrow();
    await cluster.resume(node.name);
    await cluster.resume(node.name);
    await eventually('the resumed member serves', () => get(node, 'kept'));
  });

  test('kills a paused member', async () => {
    const node = nodes[0]!;
    await cluster.pause(node.name);
    await cluster.kill(node.name);
    expect(await cluster.isRunning(node.name)).toBe(false);
    await cluster.resume(node.name);
    await cluster.start(node.name);
    await eventually('the member serves again', () => get(node, 'kept'));
  });

  test('isolates a leader, also across its restart, and heals', async () => {
    const old = await findLeader(nodes);
    const rest = nodes.filter((node) => node !== old);
    await cluster.setGrudge(isolate(old));
    await findLeader(rest);
    await expect(get(old, 'kept')).rejects.toThrow();
    const cut = await eventually('both links drop', async () => {
      const now = await cluster.linkCounters();
      return rest.every(({ name }) => droppedInto(old, now)[name]! > 0) ? now : undefined;
    });
    expect(cut).toHaveLength(6);

    await cluster.kill(old.name);
    await cluster.start(old.name);
    await eventually('the cut still drops', async () => {
      const now = droppedInto(old, await cluster.linkCounters());
      return rest.every(({ name }) => now[name]! > droppedInto(old, cut)[name]!) || undefined;
    });
    await expect(get(old, 'kept')).rejects.toThrow();

    await cluster.setGrudge(new Map());
    await eventually('the healed member serves', () => get(old, 'kept'));
    const healed = droppedInto(old, await cluster.linkCounters());
    for (const { name } of rest) {
      expect(healed[name]).toBeGreaterThanOrEqual(droppedInto(old, cut)[name]!);
    }
  });

  test('cuts one direction of one link', async () => {
    const leader = await findLeader(nodes);
    const [deaf, other] = nodes.filter((node) => node !== leader);
    const before = await cluster.linkCounters();
    await cluster.setGrudge(new Map([[deaf!.name, new Set([leader.name])]]));
    await eventually('the one link drops', async () => {
      const grown = (await cluster.linkCounters()).filter(
        ({ dropped }, index) => dropped > before[index]!.dropped,
      );
      return grown.some((link) => link.from === leader.name) || undefined;
    });
    const grown = (await cluster.linkCounters()).filter(
      ({ dropped }, index) => dropped > before[index]!.dropped,
    );
    expect(grown.map(({ from, to }) => `${from}>${to}`)).toEqual([`${leader.name}>${deaf!.name}`]);
    await cluster.setGrudge(new Map());
    await eventually('the other member serves', () => get(other!, 'kept'));
  });

  test('refuses nodes that it does not have', async () => {
    await expect(cluster.kill('n9')).rejects.toThrow('no node n9');
    await expect(cluster.setGrudge(new Map([['n1', new Set(['n9'])]]))).rejects.toThrow('n9');
  });

  test('delays the fsyncs of one disk, also after a restart', async ({ skip }) => {
    const slow = cluster.capabilities.find(({ capability }) => capability === 'slow-disk');
    if (slow?.available !== true) skip(`slow-disk: ${slow?.detail}`);
    const node = nodes[0]!;
    const delayed = (): Promise<number | undefined> =>
      eventually('a delayed fsync', async () => {
        await put(node, 'slow', 'disk');
        const { delayedSyncs, delayedMeanMs } = await cluster.diskCounter(node.name);
        return delayedSyncs > 0 ? delayedMeanMs : undefined;
      });
    await cluster.setFsyncDelay(node.name, 20);
    expect(await delayed()).toBeGreaterThan(0);
    expect((await cluster.diskCounter(nodes[1]!.name)).delayedSyncs).toBe(0);

    await cluster.kill(node.name);
    await cluster.start(node.name);
    expect(await delayed()).toBeGreaterThan(0);

    await cluster.kill(node.name);
    await cluster.setFsyncDelay(node.name, 0);
    await cluster.start(node.name);
    await eventually('the healed disk serves', () => get(node, 'slow'));
    await put(node, 'fast', 'disk');
    const { syncs, delayedSyncs } = await cluster.diskCounter(node.name);
    expect(syncs).toBeGreaterThan(0);
    expect(delayedSyncs).toBe(0);
    await expect(cluster.setFsyncDelay(node.name, -1)).rejects.toThrow('-1 ms');
  });

  test('collects a log per member', async () => {
    await cluster.collectLogs(directory);
    for (const { name } of nodes) {
      expect(await readFile(join(directory, `${name}.log`), 'utf8')).toContain('etcd');
    }
  });

  test('is left alone by the sweep, which removes the run of a killed owner', async () => {
    const orphanId = `${runId}-orphan`;
    const owner = spawn(
      process.execPath,
      [join(import.meta.dirname, 'orphan-owner.ts'), orphanId, directory],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    await once(owner.stdout, 'data');
    expect(await leftovers(orphanId)).toBe(3);
    owner.kill('SIGKILL');
    await once(owner, 'exit');

    const removed = await sweepDocker();
    expect(removed.containers).toBeGreaterThanOrEqual(2);
    expect(removed.networks).toBeGreaterThanOrEqual(1);
    expect(await leftovers(orphanId)).toBe(0);
    expect(await leftovers(runId)).toBe(7);
    await get(await findLeader(nodes), 'kept');
  });

  test('leaves nothing behind when it is disposed of, or cannot be opened', async () => {
    await cluster[Symbol.asyncDispose]();
    expect(await leftovers(runId)).toBe(0);
    await cluster[Symbol.asyncDispose]();

    const other = etcdConfig(`${runId}-bad`, 1, directory);
    await expect(openDockerCluster({ ...other, runId: 'no spaces' })).rejects.toThrow('run id');
    await expect(openDockerCluster({ ...other, memberCount: 0 })).rejects.toThrow('members');
    const target = { kind: 'etcd', path: join(directory, 'none') } as const;
    await expect(openDockerCluster({ ...other, target })).rejects.toThrow('no etcd at');
    expect(await leftovers(other.runId)).toBe(0);
  });
});
