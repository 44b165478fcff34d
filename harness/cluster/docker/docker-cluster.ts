/**
 * The docker backend: every member in containers of its own, on a network of the run's own. Made
 * with testcontainers, hurt with the daemon's API (kill, pause) and with the programs inside the
 * nodes (cuts, fsync delays). This file brings it up; running-cluster.ts is what comes of it.
 */

import { LocalSideCluster, sideReport } from '../../administration/side-member.ts';
import { containerLinkReports } from '../../network/link-capabilities.ts';
import { refuseNoEtcd } from '../../targets/etcd-version.ts';
import {
  type CapabilityReport,
  type Cluster,
  type ClusterConfig,
  ClusterError,
} from '../cluster.ts';
import { diskReports } from '../disk-capabilities.ts';
import { failpointReport } from '../failpoint-control.ts';
import { controlReports } from '../member-control.ts';
import { simOnlyReports } from '../not-possible.ts';
import { choosePorts } from '../process/ports.ts';
import { type ClusterTls, tlsReport } from '../tls-files.ts';
import type { OnProgress } from './base-image.ts';
import { connectDaemon, type Daemon } from './daemon.ts';
import { type DiskProbe, probeDisk } from './disk-probe.ts';
import { DockerNode } from './docker-node.ts';
import { ensureImage, type NodeImage } from './image.ts';
import { createNetwork, networkName } from './network.ts';
import type { FilterReport } from './node-links.ts';
import { dockerResourceReports } from './node-resources.ts';
import { currentOwner, runLabels } from './owner.ts';
import type { Holder, PodPart } from './pod.ts';
import { RunningCluster } from './running-cluster.ts';
import { joinable, serverCommand } from './server-command.ts';
import { removeRun } from './sweep.ts';
import { secureHolders } from './tls-volume.ts';

/** More members than anybody runs; an agent can drop that many sources. */
const MEMBERS_MAX = 64;

/** Others may take a port or a subnet between choosing and using it. */
const LAUNCH_ATTEMPTS_MAX = 3;
const TAKEN = /address already in use|port is already allocated|[Pp]ool overlaps/;

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
  await refuseNoEtcd(config.target);
  const onProgress = options.onProgress ?? ((): void => undefined);
  for (let attempt = 1; ; attempt++) {
    try {
      const image = await ensureImage(daemon.docker, config.target, onProgress);
      return await launch(daemon, image, config, attempt);
    } catch (cause) {
      await removeRun(config.runId);
      const reason = cause instanceof Error ? cause.message : String(cause);
      if (attempt < LAUNCH_ATTEMPTS_MAX && TAKEN.test(reason)) {
        onProgress('a port or a subnet was taken meanwhile: starting over with others');
      } else if (cause instanceof ClusterError) {
        throw cause;
      } else {
        throw new ClusterError(`run ${config.runId} cannot be started: ${reason}`, { cause });
      }
    }
  }
}

interface NamedHolder extends Holder {
  readonly name: string;
}

async function launch(
  daemon: Daemon,
  image: NodeImage,
  config: ClusterConfig,
  attempt: number,
): Promise<Cluster> {
  const { client, docker } = daemon;
  const labels = runLabels(config.runId, currentOwner());
  const [holders, disk, info, imageDetails] = await settled([
    startHolders(daemon, image, config, attempt),
    probeDisk(docker, image.name, labels),
    docker.info(),
    docker.getImage(image.name).inspect(),
  ]);
  if (config.disk !== undefined && !disk.available) {
    throw new ClusterError(`a synthetic disk needs FUSE: ${disk.reason}`);
  }
  const tls = config.tls === true ? await secureHolders(docker, holders) : undefined;
  const nodes = await settled(
    holders.map((holder) => startNode(daemon, image, config, { holder, holders, disk, tls })),
  );
  const { runId, target, runDirectory } = config;
  const side = new LocalSideCluster({ target, runId, directory: runDirectory });
  const filters = await settled(nodes.map((node) => node.links.filter()));
  const filter =
    filters.find(({ available }) => !available) ??
    filters.find(({ linksProblem }) => linksProblem !== undefined) ??
    filters[0];
  if (filter === undefined) throw new ClusterError('a cluster without members');
  return new RunningCluster(
    { runId, side, ...(tls && { tls }) },
    nodes,
    capabilities(filter, disk, config),
    [
      { name: 'docker', value: client.info.containerRuntime.serverVersion },
      { name: 'system', value: `${info.OperatingSystem}, kernel ${info.KernelVersion}` },
      { name: 'storage driver', value: info.Driver },
      { name: 'image', value: `${image.name} on ${image.base}` },
      { name: 'image id', value: imageDetails.Id },
      { name: 'packet filter', value: filter.detail },
      { name: 'disk', value: disk.available ? 'FUSE before a volume' : 'container layer' },
    ],
  );
}

async function startHolders(
  { docker }: Daemon,
  image: NodeImage,
  config: ClusterConfig,
  attempt: number,
): Promise<readonly NamedHolder[]> {
  const { startHolder } = await import('./pod.ts');
  const network = networkName(config.runId);
  await createNetwork(docker, network, runLabels(config.runId, currentOwner()));
  const names = Array.from({ length: config.memberCount }, (_, index) => `n${index + 1}`);
  const ports = await choosePorts(3 * names.length, `${config.runId} ${attempt}`);
  const backing = config.disk === undefined ? 'disk' : 'memory';
  return settled(
    names.map(async (name, index) => {
      const part = podPart(image, config, `${name}-holder`);
      const [client, agent, diskControl] = ports.slice(3 * index);
      const hostPorts = [client!, agent!, diskControl!] as const;
      return {
        name,
        ...(await startHolder(part, { hostname: name, network, hostPorts, backing })),
      };
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
    readonly tls: ClusterTls | undefined;
  },
): Promise<DockerNode> {
  const { startServer } = await import('./pod.ts');
  const { holder, holders, disk, tls } = pods;
  const id = await startServer(podPart(image, config, holder.name), {
    holderId: holder.id,
    command: joinable(
      serverCommand(config, holder, { members: holders, slowDisk: disk.available }),
    ),
    fuse: disk.available,
    sharesVolume: tls !== undefined,
  });
  const network = docker.getNetwork(networkName(config.runId));
  return new DockerNode(holder.name, holder, {
    server: docker.getContainer(id),
    disk,
    network,
    container: docker.getContainer(holder.id),
    diskBase: config.disk?.fault,
    machineMemoryBytes: async () => (await docker.info()).MemTotal,
    ...(tls !== undefined && { tls: tls.client }),
  });
}

function podPart(image: NodeImage, config: ClusterConfig, name: string): PodPart {
  return {
    image: image.name,
    containerName: `storm-${config.runId}-${name}`,
    labels: runLabels(config.runId, currentOwner()),
  };
}

function capabilities(
  filter: FilterReport,
  disk: DiskProbe,
  config: ClusterConfig,
): readonly CapabilityReport[] {
  const { target, tls: isSecure = false } = config;
  return [
    { capability: 'kill', available: true, detail: "SIGKILL to the server's container" },
    { capability: 'pause', available: true, detail: "freezing the server's container" },
    {
      capability: 'partition',
      available: filter.available,
      detail: filter.available ? `${filter.detail}, DROP by source` : filter.detail,
    },
    ...diskReports(disk.available, disk.available ? 'FUSE before a volume' : disk.reason),
    ...containerLinkReports(filter),
    ...controlReports(
      "SIGTERM to the server's container",
      {
        available: disk.available,
        detail: disk.available ? "the holder's volume" : disk.reason,
      },
      sideReport(target),
    ),
    tlsReport(isSecure),
    ...dockerResourceReports(config),
    failpointReport(config, 'GOFAIL_HTTP of the server, asked from its pod'),
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
