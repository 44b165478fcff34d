/**
 * A node is two containers: a holder that owns the network namespace (address, published ports,
 * cuts) and a server that joins it. The server can die and come back without a port changing or a
 * cut healing.
 */

import type { HostConfig } from 'dockerode';
import { GenericContainer, type StartedTestContainer, type WaitStrategy } from 'testcontainers';
import { connectDaemon } from './daemon.ts';
import type { Labels } from './owner.ts';
import { AGENT_COMMAND, BACKING_ROOT, PORTS } from './server-command.ts';

/** A container's log is cut to two files of this size: the newest lines stay. */
const LOG_FILE_SIZE_MAX = '50m';

/** A member's data in memory: a synthetic disk is for short runs. */
const MEMORY_BACKING_SIZE = '1g';

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
  /** Where the ports below are, from here: the loopback, or the machine of a remote daemon. */
  readonly host: string;
  /** They stay as well. */
  readonly clientPort: number;
  readonly agentPort: number;
  readonly diskControlPort: number;
}

/** Starts a holder in the run's network. Its agent is still on the way when this resolves. */
export async function startHolder(
  part: PodPart,
  options: {
    readonly hostname: string;
    readonly network: string;
    /**
     * Free ports of the daemon's host; left out, the daemon picks some, and others when a cable
     * was pulled.
     */
    readonly hostPorts?: readonly [client: number, agent: number, diskControl: number];
    /** Where servers on this holder keep their data: a volume, on disk or in memory. */
    readonly backing?: 'disk' | 'memory';
  },
): Promise<Holder> {
  const inside = [PORTS.client, PORTS.agent, PORTS.diskControl];
  const ports = inside.map((container, at) => {
    const host = options.hostPorts?.[at];
    return host === undefined ? container : { container, host };
  });
  const container = new PodContainer(part)
    .withCommand([...AGENT_COMMAND])
    .withHostname(options.hostname)
    .withNetworkMode(options.network)
    .withAddedCapabilities('NET_ADMIN')
    .withExposedPorts(...ports);
  if (options.backing !== undefined) container.addBacking(options.backing, part.labels);
  const { ports: published } = await connectDaemon();
  const started: StartedTestContainer = await container.start();
  const mapped = inside.map((port) => started.getMappedPort(port));
  const [clientPort, agentPort, diskControlPort] = await published.reach(mapped);
  return {
    id: started.getId(),
    ip: started.getIpAddress(options.network),
    host: published.host,
    clientPort: clientPort!,
    agentPort: agentPort!,
    diskControlPort: diskControlPort!,
  };
}

/** Starts a server in the holder's namespace; resolves with its id when it is launched. */
export async function startServer(
  part: PodPart,
  options: {
    readonly holderId: string;
    readonly command: readonly string[];
    readonly fuse: boolean;
    /** The holder's volume is in it, whether it has a disk of ours or not. */
    readonly sharesVolume?: boolean;
  },
): Promise<string> {
  const container = new PodContainer(part)
    .withCommand([...options.command])
    .withNetworkMode(`container:${options.holderId}`);
  if (options.sharesVolume === true) container.shareVolume(options.holderId);
  if (options.fuse) container.allowFuse(options.holderId);
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

  /** With the files on the holder's volume, where they can be got at whatever the server does. */
  allowFuse(holderId: string): void {
    Object.assign(this.hostConfig, FUSE_HOST_CONFIG, { VolumesFrom: [holderId] });
  }

  shareVolume(holderId: string): void {
    Object.assign(this.hostConfig, { VolumesFrom: [holderId] });
  }

  /** A volume without a name: it goes with the container. */
  addBacking(kind: 'disk' | 'memory', labels: Labels): void {
    const options = { type: 'tmpfs', device: 'tmpfs', o: `size=${MEMORY_BACKING_SIZE}` };
    const driver = kind === 'memory' ? { DriverConfig: { Name: 'local', Options: options } } : {};
    const volume = {
      Type: 'volume',
      Source: '',
      Target: BACKING_ROOT,
      VolumeOptions: { Labels: { ...labels }, NoCopy: true, ...driver },
    };
    Object.assign(this.hostConfig, { Mounts: [volume] });
  }

  protected override async beforeContainerCreated(): Promise<void> {
    // As PID 1 a program without signal handlers could not be terminated.
    this.hostConfig.Init = true;
    this.hostConfig.LogConfig = {
      Type: 'json-file',
      Config: { 'max-size': LOG_FILE_SIZE_MAX, 'max-file': '2' },
    };
    const { bindIp } = (await connectDaemon()).ports;
    // Published on one address, the loopback mostly: the servers have no access control.
    for (const bindings of Object.values<{ HostIp?: string }[]>(
      this.hostConfig.PortBindings ?? {},
    )) {
      for (const binding of bindings) binding.HostIp = bindIp;
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
