/** What the tests with a daemon share: whether they can run, and how they talk to the members. */

import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ClusterConfig, ClusterNode } from '../../harness/cluster/cluster.ts';
import { connectDaemon, probeDocker } from '../../harness/cluster/docker/daemon.ts';

/** How long a cluster may take to get where a test wants it; generous, nothing is measured. */
const EVENTUALLY_MS = 25_000;
/** A member that has not answered by then does not serve. */
const CALL_TIMEOUT_MS = 1_000;

/** The etcd on the PATH, or undefined. */
export function findEtcd(): string | undefined {
  const directories = (process.env.PATH ?? '').split(delimiter);
  return directories.map((directory) => join(directory, 'etcd')).find((path) => existsSync(path));
}

/** In one line why no cluster can be run here; undefined when one can. */
export async function dockerBlocker(): Promise<string | undefined> {
  const probe = await probeDocker();
  if (!probe.available) return probe.detail;
  return findEtcd() === undefined ? 'no etcd on the PATH' : undefined;
}

export function etcdConfig(
  runId: string,
  memberCount: number,
  runDirectory: string,
): ClusterConfig {
  return {
    runId,
    memberCount,
    heartbeatMs: 50,
    electionMs: 500,
    runDirectory,
    target: { kind: 'etcd', path: findEtcd() ?? '' },
    serverFlags: [],
  };
}

/** How many containers and networks of a run there are. */
export async function leftovers(runId: string): Promise<number> {
  const { docker } = await connectDaemon();
  const filters = { label: [`stormraft.run=${runId}`] };
  const containers = await docker.listContainers({ all: true, filters });
  return containers.length + (await docker.listNetworks({ filters })).length;
}

/** Repeats until the condition gives a value; fails the test when it never does. */
export async function eventually<T>(
  what: string,
  condition: () => Promise<T | undefined>,
): Promise<T> {
  const deadlineMs = Date.now() + EVENTUALLY_MS;
  while (Date.now() < deadlineMs) {
    const value = await condition().catch(() => undefined);
    if (value !== undefined) return value;
    await sleep(50);
  }
  throw new Error(`never: ${what}`);
}

/** One call of etcd's JSON gateway; rejects on silence and on any error. */
async function call(
  node: ClusterNode,
  path: string,
  body: unknown,
): Promise<Record<string, unknown>> {
  const response = await fetch(`${node.clientUrl}${path}`, {
    method: 'POST',
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(CALL_TIMEOUT_MS),
  });
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  return (await response.json()) as Record<string, unknown>;
}

export async function put(node: ClusterNode, key: string, value: string): Promise<void> {
  await call(node, '/v3/kv/put', { key: btoa(key), value: btoa(value) });
}

/** A linearizable read. */
export async function get(node: ClusterNode, key: string): Promise<string | undefined> {
  const { kvs } = await call(node, '/v3/kv/range', { key: btoa(key) });
  const [first] = (kvs ?? []) as readonly { readonly value: string }[];
  return first === undefined ? undefined : atob(first.value);
}

/** Whether the node answers at all, and says that it leads. */
export async function leads(node: ClusterNode): Promise<boolean> {
  const { header, leader } = await call(node, '/v3/maintenance/status', {});
  return (header as { readonly member_id: string }).member_id === leader;
}

/** The one of these nodes that leads. */
export function findLeader(nodes: readonly ClusterNode[]): Promise<ClusterNode> {
  return eventually('a leader', async () => {
    const leading = await Promise.all(nodes.map((node) => leads(node).catch(() => false)));
    return nodes.find((_, index) => leading[index]);
  });
}
