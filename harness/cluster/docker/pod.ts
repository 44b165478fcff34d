/**
 * A node is two containers: a holder that owns the network namespace (address, published ports,
 * cuts) and a server that joins it. The server can die and come back without a port changing or a
 * cut healing.
 */

import type { HostConfig } from 'dockerode';
import { GenericContainer, type StartedTestContainer, type WaitStrategy } from 'testcontainers';
import type { Labels } from './owner.ts';
import { AGENT_COMMAND, PORTS } from './server-command.ts';

/** A container's log is cut to two files of this size: the newest lines stay. */
const LOG_FILE_SIZE_MAX = '50m';

/** Rights that a server needs for FUSE, and only for that. */
export const FUSE_HOST_CONFIG: Pick<HostConfig, 'Devices' | 'CapAdd' | 'SecurityOpt'> = {
  Devices: [{ PathOnHost: '/dev/fuse', PathInContainer: '/dev/fuse', CgroupPermissions: 'rwm' }],
  CapAdd: ['SYS_ADMIN'],
  SecurityOpt: ['apparmor=unconfined'],
};

export interface PodPart {
  readonly image: string;
  readonly containerName: string;
  readonly labels: Labels;
}

export interface Holder {
  readonly id: string;
  /** Address in the run's network; it stays for the holder's life. */
  readonly ip: string;
  /** Ports on this host's loopback; they stay as well. */
  readonly clientPort: number;
  readonly agentPort: number;
  readonly diskControlPort: number;
}

/** Starts a holder in the run's network. Its agent is still on the way when this resolves. */
export async function startHolder(
  part: PodPart,
  options: { readonly hostname: string; readonly network: string },
): Promise<Holder> {
  const ports = [PORTS.client, PORTS.agent, PORTS.diskControl];
  const started = await new PodContainer(part)
    .withCommand([...AGENT_COMMAND])
    .withHostname(options.hostname)
    .withNetworkMode(options.network)
    .withAddedCapabilities('NET_ADMIN')
    .withExposedPorts(...ports)
    .start();
  return {
    id: started.getId(),
    ip: started.getIpAddress(options.network),
    clientPort: started.getMappedPort(PORTS.client),
    agentPort: started.getMappedPort(PORTS.agent),
    diskControlPort: started.getMappedPort(PORTS.diskControl),
  };
}

/** Starts a server in the holder's namespace; resolves with its id when it is launched. */
export async function startServer(
  part: PodPart,
  options: {
    readonly holderId: string;
    readonly command: readonly string[];
    readonly fuse: boolean;
  },
): Promise<string> {
  const container = new PodContainer(part)
    .withCommand([...options.command])
    .withNetworkMode(`container:${options.holderId}`);
  if (options.fuse) container.allowFuse();
  const started: StartedTestContainer = await container.start();
  return started.getId();
}

/** What a node's containers share, and what GenericContainer has no option for. */
class PodContainer extends GenericContainer {
  constructor({ image, containerName, labels }: PodPart) {
    super(image);
    this.withName(containerName)
      .withLabels(labels)
      .withAutoCleanup(false)
      .withWaitStrategy(LAUNCHED);
  }

  allowFuse(): void {
    Object.assign(this.hostConfig, FUSE_HOST_CONFIG);
  }

  protected override async beforeContainerCreated(): Promise<void> {
    // As PID 1 a program without signal handlers could not be terminated.
    this.hostConfig.Init = true;
    this.hostConfig.LogConfig = {
      Type: 'json-file',
      Config: { 'max-size': LOG_FILE_SIZE_MAX, 'max-file': '2' },
    };
    // Published on the loopback only: the servers have no access control.
    for (const bindings of Object.values<{ HostIp?: string }[]>(
      this.hostConfig.PortBindings ?? {},
    )) {
      for (const binding of bindings) binding.HostIp = '127.0.0.1';
    }
  }
}

/** Started is enough: readiness is the caller's to judge, for it differs between the parts. */
const LAUNCHED: WaitStrategy = {
  waitUntilReady: async () => undefined,
  withStartupTimeout: () => LAUNCHED,
  isStartupTimeoutSet: () => true,
  getStartupTimeout: () => 0,
};
