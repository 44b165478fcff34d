/** The network of a run, and taking a node off it. */

import type Dockerode from 'dockerode';
import { tolerate } from './daemon.ts';
import type { Labels } from './owner.ts';

export function networkName(runId: string): string {
  return `storm-${runId}`;
}

/**
 * Makes a bridge network. The daemon gives a container a certain address, as it must get when its
 * cable is plugged in again, only in a subnet that was asked for: so the free one that the daemon
 * picks is asked for at once. Fails with `Pool overlaps` when somebody else was faster.
 */
export async function createNetwork(
  docker: Dockerode,
  name: string,
  labels: Labels,
): Promise<void> {
  const options = { Name: name, Driver: 'bridge', CheckDuplicate: true, Labels: { ...labels } };
  const picked = await docker.createNetwork(options);
  const { IPAM }: Dockerode.NetworkInspectInfo = await picked.inspect();
  await picked.remove();
  const [pool] = IPAM?.Config ?? [];
  await docker.createNetwork({
    ...options,
    IPAM: { Driver: 'default', Config: pool === undefined ? [] : [{ ...pool }] },
  });
}

/** Fine for a container that is not on the network. */
export async function disconnect(network: Dockerode.Network, containerId: string): Promise<void> {
  await tolerate(`pulling the cable of ${containerId}`, [], async () => {
    if (await isConnected(network, containerId)) {
      await network.disconnect({ Container: containerId, Force: true });
    }
  });
}

/** With the address that it had; fine for a container that is on the network. */
export async function connect(
  network: Dockerode.Network,
  containerId: string,
  ip: string,
): Promise<void> {
  await tolerate(`plugging in the cable of ${containerId}`, [], async () => {
    if (await isConnected(network, containerId)) return;
    await network.connect({
      Container: containerId,
      EndpointConfig: { IPAMConfig: { IPv4Address: ip } },
    });
  });
}

async function isConnected(network: Dockerode.Network, containerId: string): Promise<boolean> {
  const { Containers }: Dockerode.NetworkInspectInfo = await network.inspect();
  return Object.hasOwn(Containers ?? {}, containerId);
}
