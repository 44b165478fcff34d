/** One node of a docker cluster: what can be done to it and asked of it. */

import type Dockerode from 'dockerode';
import type { ClientTls } from '../../../src/client/connection.ts';
import type { ClusterNode, DiskFault, PowerLoss, PowerLossReport } from '../cluster.ts';
import { STOP_MS } from '../member-control.ts';
import { tolerate } from './daemon.ts';
import type { DiskProbe } from './disk-probe.ts';
import { demuxLogs } from './log-frames.ts';
import { NodeDisk } from './node-disk.ts';
import { NodeFailpoints } from './node-failpoints.ts';
import { NodeLinks } from './node-links.ts';
import { NodeResources } from './node-resources.ts';
import type { Holder } from './pod.ts';

/** A killed process that holds a disk request may need its time; more means that it hangs. */
const KILL_TIMEOUT_MS = 30_000;

export class DockerNode implements ClusterNode {
  readonly name: string;
  readonly clientUrl: string;
  readonly tls?: ClientTls;
  /** Address in the run's network, where the agents of the other nodes see it. */
  readonly ip: string;
  readonly links: NodeLinks;
  readonly disk: NodeDisk;
  readonly resources: NodeResources;
  readonly failpoints: NodeFailpoints;
  readonly #server: Dockerode.Container;

  constructor(
    name: string,
    holder: Holder,
    {
      server,
      disk,
      network,
      container,
      machineMemoryBytes,
      diskBase = { type: 'none' },
      tls,
    }: {
      readonly server: Dockerode.Container;
      readonly disk: DiskProbe;
      readonly network: Dockerode.Network;
      /** The holder's. */
      readonly container: Dockerode.Container;
      /** Of the daemon's machine. */
      readonly machineMemoryBytes: () => Promise<number>;
      readonly diskBase?: DiskFault;
      readonly tls?: ClientTls;
    },
  ) {
    this.name = name;
    this.ip = holder.ip;
    this.clientUrl = `${tls === undefined ? 'http' : 'https'}://${holder.host}:${holder.clientPort}`;
    if (tls !== undefined) this.tls = tls;
    this.links = new NodeLinks(holder, network);
    const url = `http://${holder.host}:${holder.diskControlPort}`;
    this.disk = new NodeDisk({ name, url, probe: disk, server, holder: container, base: diskBase });
    this.#server = server;
    this.failpoints = new NodeFailpoints(name, container, server);
    this.resources = new NodeResources({
      name,
      server,
      machineMemoryBytes,
      agentUrl: this.links.agentUrl,
      isCut: () => this.links.isPulled,
    });
  }

  /** Kills -9 also what is paused (the daemon thaws it); resolves when nothing of it runs. */
  async kill(): Promise<void> {
    await this.disk.dying();
    const kill = (): Promise<unknown> => this.#server.kill({ signal: 'SIGKILL' });
    await tolerate(`killing ${this.name}`, [409], kill);
    const abortSignal = AbortSignal.timeout(KILL_TIMEOUT_MS);
    await tolerate(`waiting for the end of ${this.name}`, [], () =>
      this.#server.wait({ condition: 'not-running', abortSignal }),
    );
  }

  /** SIGTERM, and SIGKILL if it still runs after {@link STOP_MS}. */
  async stop(): Promise<'ended' | 'killed'> {
    if (!(await this.isRunning())) return 'ended';
    await this.resume();
    const term = (): Promise<unknown> => this.#server.kill({ signal: 'SIGTERM' });
    await tolerate(`stopping ${this.name}`, [409], term);
    const abortSignal = AbortSignal.timeout(STOP_MS);
    try {
      await this.#server.wait({ condition: 'not-running', abortSignal });
      return 'ended';
    } catch {
      await this.kill();
      return 'killed';
    }
  }

  async start(): Promise<void> {
    await this.disk.starting();
    await tolerate(`starting ${this.name}`, [304], () => this.#server.start());
    await this.disk.started();
    await this.resources.clock.returned();
  }

  async isRunning(): Promise<boolean> {
    return (await this.#state()).Running;
  }

  async pause(): Promise<void> {
    if ((await this.#state()).Paused) return;
    await tolerate(`pausing ${this.name}`, [], () => this.#server.pause());
  }

  async resume(): Promise<void> {
    if ((await this.#state()).Paused) {
      await tolerate(`resuming ${this.name}`, [], () => this.#server.unpause());
    }
    await this.disk.resumed();
    await this.resources.clock.returned();
  }

  /** Nothing of the server runs when this resolves. */
  async failPower(loss: PowerLoss): Promise<PowerLossReport> {
    const report = await this.disk.failPower(loss);
    await this.kill();
    return report;
  }

  /** All that the server has written to its two output streams, over all its lives. */
  async log(): Promise<Buffer> {
    return demuxLogs(await this.#server.logs({ stdout: true, stderr: true }));
  }

  async #state(): Promise<Dockerode.ContainerInspectInfo['State']> {
    return (await this.#server.inspect()).State;
  }
}
