/** Removal by label: of one run, and of what dead owners left behind. */

import { setTimeout as sleep } from 'node:timers/promises';
import type Dockerode from 'dockerode';
import { connectDaemon, statusOf, tolerate } from './daemon.ts';
import {
  currentOwner,
  isOwnerGone,
  type Labels,
  ownerOf,
  processStartTime,
  RUN_LABEL,
} from './owner.ts';

/** Tries at a network whose last container somebody else is still removing, 200 ms apart. */
const NETWORK_TRIES = 20;
const NETWORK_RETRY_MS = 200;

/** The daemon ends what a killed harness has asked for: that may turn up while this removes. */
const PASSES_MAX = 5;

export interface Removed {
  readonly containers: number;
  readonly networks: number;
}

/**
 * Removes the containers and networks of every run whose owner is dead; living runs stay. Call it
 * at the start of a program: after a `kill -9` nobody else cleans up. Throws ClusterError.
 */
export async function sweepDocker(): Promise<Removed> {
  const { docker } = await connectDaemon();
  const self = currentOwner();
  return removeWhere(docker, RUN_LABEL, (labels) => {
    const owner = ownerOf(labels);
    return owner !== undefined && isOwnerGone(owner, self, processStartTime);
  });
}

/** Removes everything of one run, whoever owns it. Throws ClusterError. */
export async function removeRun(runId: string): Promise<Removed> {
  const { docker } = await connectDaemon();
  return removeWhere(docker, `${RUN_LABEL}=${runId}`, () => true);
}

async function removeWhere(
  docker: Dockerode,
  label: string,
  wanted: (labels: Labels) => boolean,
): Promise<Removed> {
  const removed = { containers: 0, networks: 0 };
  for (let pass = 1; pass <= PASSES_MAX; pass++) {
    const { containers, networks, volumes } = await removeOnce(docker, label, wanted);
    removed.containers += containers;
    removed.networks += networks;
    if (containers + networks + volumes === 0) break;
  }
  return removed;
}

async function removeOnce(
  docker: Dockerode,
  label: string,
  wanted: (labels: Labels) => boolean,
): Promise<Removed & { readonly volumes: number }> {
  const filters = { label: [label] };
  const [containers, networks] = await Promise.all([
    docker.listContainers({ all: true, filters }),
    docker.listNetworks({ filters }),
  ]);
  const doomed = containers.filter((container) => wanted(container.Labels));
  const doomedNetworks = networks.filter((network) => wanted(network.Labels ?? {}));
  // 404: gone meanwhile. 409: somebody else is removing it.
  await Promise.all(
    doomed.map(({ Id }) =>
      tolerate(`removing container ${Id}`, [404, 409], () =>
        docker.getContainer(Id).remove({ force: true, v: true }),
      ),
    ),
  );
  await Promise.all(doomedNetworks.map(({ Id }) => removeNetwork(docker, Id)));
  // A container takes its own along; these are of containers that never came to be.
  const { Volumes } = await docker.listVolumes({ filters: JSON.stringify(filters) });
  const volumes = (Volumes ?? []).filter((volume) => wanted(volume.Labels ?? {}));
  await Promise.all(
    volumes.map(({ Name }) =>
      tolerate(`removing volume ${Name}`, [404, 409], () => docker.getVolume(Name).remove()),
    ),
  );
  return {
    containers: doomed.length,
    networks: doomedNetworks.length,
    volumes: volumes.length,
  };
}

/** A network can only go once nothing is attached to it: until then the daemon answers 403. */
async function removeNetwork(docker: Dockerode, id: string): Promise<void> {
  const remove = (): Promise<void> => docker.getNetwork(id).remove();
  for (let tried = 1; tried < NETWORK_TRIES; tried++) {
    try {
      return await remove();
    } catch (error) {
      if (statusOf(error) !== 403) break;
      await sleep(NETWORK_RETRY_MS);
    }
  }
  await tolerate(`removing network ${id}`, [404], remove);
}
