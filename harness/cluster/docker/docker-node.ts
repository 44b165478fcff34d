/** One node of a docker cluster: what can be done to it and asked of it. */

import type Dockerode from 'dockerode';
import type { ClusterNode, DiskFault, PowerLoss, PowerLossReport } from '../cluster.ts';
import { tolerate } from './daemon.ts';
import type { DiskProbe } from './disk-probe.ts';
import { demuxLogs } from './log-frames.ts';
import { NodeDisk } from './node-disk.ts';
import { NodeLinks } from './node-links.ts';
import type { Holder } from './pod.ts';

/** A killed process that holds a disk request may need its time; more means that it hangs. */
const KILL_TIMEOUT_MS = 30_000;

export class DockerNode implements ClusterNode {
  readonly name: string;
  readonly clientUrl: string;
  /** Address in the run's network, where the agents of the other nodes see it. */
  readonly ip: string;
  readonly links: NodeLinks;
  readonly disk: NodeDisk;
  readonly #server: Dockerode.Container;

  constructor(
    name: string,
    holder: Holder,
    {
      server,
      disk,
      network,
      container,
      diskBase = { type: 'none' },
    }: {
      readonly server: Dockerode.Container;
      readonly disk: DiskProbe;
      readonly network: Dockerode.Network;
      /** The holder's. */
      readonly container: Dockerode.Container;
      readonly diskBase?: DiskFault;
    },
  ) {
    this.name = name;
    this.ip = holder.ip;
    this.clientUrl = `http://127.0.0.1:${holder.clientPort}`;
    this.links = new NodeLinks(holder, network);
    const url = `http://127.0.0.1:${holder.diskControlPort}`;
    this.disk = new NodeDisk({ name, url, probe: disk, server, holder: container, base: diskBase });
    this.#server = server;
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

  async start(): Promise<void> {
    await tolerate(`starting ${this.name}`, [304], () => this.#server.start());
    await this.disk.started();
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
