/**
 * The docker backend: every member in containers of its own, on a network of the run's own. Made
 * with testcontainers, hurt with the daemon's API (kill, pause) and with the programs inside the
 * nodes (cuts, fsync delays). This file brings it up; running-cluster.ts is what comes of it.
 */

import {
  type CapabilityReport,
  type Cluster,
  type ClusterConfig,
  ClusterError,
} from '../cluster.ts';
import { simOnlyReports } from '../not-possible.ts';
import type { OnProgress } from './base-image.ts';
import { connectDaemon, type Daemon } from './daemon.ts';
import { type DiskProbe, probeDisk } from './disk-probe.ts';
import { DockerNode, type FilterReport } from './docker-node.ts';
import { ensureImage, type NodeImage } from './image.ts';
import { currentOwner, runLabels } from './owner.ts';
import type { Holder, PodPart } from './pod.ts';
import { RunningCluster } from './running-cluster.ts';
import { serverCommand } from './server-command.ts';
import { removeRun } from './sweep.ts';

/** More members than anybody runs; an agent can drop that many sources. */
const MEMBERS_MAX = 64;

export interface DockerOptions {
  /** Told one line at every step that may take long (pulling or building an image). */
  readonly onProgress?: OnProgress;
}

/**
 * Makes the image when needed (the first time half a minute without a registry), then network,
 * holders and servers; resolves when the servers are launched. Disposing the cluster removes
 * all but the image. Throws ClusterError; nothing of the run is left then.
 */
export async function openDockerCluster(
  config: ClusterConfig,
  options: DockerOptions = {},
): Promise<Cluster> {
  if (!/^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,60}$/.test(config.runId)) {
    throw new ClusterError(`run id ${config.runId} cannot be part of a container's name`);
  }
  if (!(config.memberCount >= 1 && config.memberCount <= MEMBERS_MAX)) {
    throw new ClusterError(`${config.memberCount} members: 1 to ${MEMBERS_MAX} can be run`);
  }
  const daemon = await connectDaemon();
  const onProgress = options.onProgress ?? ((): void => undefined);
  try {
    const image = await ensureImage(daemon.docker, config.target, onProgress);
    return await launch(daemon, image, config);
  } catch (cause) {
    await removeRun(config.runId);
    if (cause instanceof ClusterError) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ClusterError(`run ${config.runId} cannot be started: ${reason}`, { cause });
  }
}

interface NamedHolder extends Holder {
  readonly name: string;
}

async function launch(daemon: Daemon, image: NodeImage, config: ClusterConfig): Promise<Cluster> {
  const { client, docker } = daemon;
  const labels = runLabels(config.runId, currentOwner());
  const [holders, disk, info] = await settled([
    startHolders(daemon, image, config),
    probeDisk(docker, image.name, labels),
    docker.info(),
  ]);
  const nodes = await settled(
    holders.map((holder) => startNode(daemon, image, config, { holder, holders, disk })),
  );
  const filters = await settled(nodes.map((node) => node.filter()));
  const filter = filters.find(({ available }) => !available) ?? filters[0];
  if (filter === undefined) throw new ClusterError('a cluster without members');
  return new RunningCluster(config.runId, nodes, capabilities(filter, disk), [
    { name: 'docker', value: client.info.containerRuntime.serverVersion },
    { name: 'system', value: `${info.OperatingSystem}, kernel ${info.KernelVersion}` },
    { name: 'storage driver', value: info.Driver },
    { name: 'image', value: `${image.name} on ${image.base}` },
    { name: 'packet filter', value: filter.detail },
    { name: 'disk', value: `${disk.available ? 'FUSE before the ' : ''}container layer` },
  ]);
}

async function startHolders(
  { client }: Daemon,
  image: NodeImage,
  config: ClusterConfig,
): Promise<readonly NamedHolder[]> {
  const { startHolder } = await import('./pod.ts');
  const network = `storm-${config.runId}`;
  const labels = runLabels(config.runId, currentOwner());
  // The daemon picks a free subnet; an address stays as long as its holder lives.
  await client.network.create({ Name: network, Driver: 'bridge', Labels: { ...labels } });
  const names = Array.from({ length: config.memberCount }, (_, index) => `n${index + 1}`);
  return settled(
    names.map(async (name) => {
      const part = podPart(image, config, `${name}-holder`);
      return { name, ...(await startHolder(part, { hostname: name, network })) };
    }),
  );
}

async function startNode(
  { docker }: Daemon,
  image: NodeImage,
  config: ClusterConfig,
  pods: {
    readonly holder: NamedHolder;
    readonly holders: readonly NamedHolder[];
    readonly disk: DiskProbe;
  },
): Promise<DockerNode> {
  const { startServer } = await import('./pod.ts');
  const { holder, holders, disk } = pods;
  const id = await startServer(podPart(image, config, holder.name), {
    holderId: holder.id,
    command: serverCommand(config, holder, { members: holders, slowDisk: disk.available }),
    fuse: disk.available,
  });
  return new DockerNode(holder.name, holder, { server: docker.getContainer(id), disk });
}

function podPart(image: NodeImage, config: ClusterConfig, name: string): PodPart {
  return {
    image: image.name,
    containerName: `storm-${config.runId}-${name}`,
    labels: runLabels(config.runId, currentOwner()),
  };
}

function capabilities(filter: FilterReport, disk: DiskProbe): readonly CapabilityReport[] {
  return [
    { capability: 'kill', available: true, detail: "SIGKILL to the server's container" },
    { capability: 'pause', available: true, detail: "freezing the server's container" },
    {
      capability: 'partition',
      available: filter.available,
      detail: filter.available ? `${filter.detail}, DROP by source` : filter.detail,
    },
    {
      capability: 'slow-disk',
      available: disk.available,
      detail: disk.available ? 'FUSE before the data directory' : disk.reason,
    },
    ...simOnlyReports('docker'),
  ];
}

/** All results, or the first failure once every call has ended: cleaning up must miss nothing. */
async function settled<T extends readonly unknown[] | []>(
  calls: T,
): Promise<{ -readonly [K in keyof T]: Awaited<T[K]> }> {
  await Promise.allSettled(calls);
  return Promise.all(calls);
}
