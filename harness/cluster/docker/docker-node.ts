/** One node of a docker cluster: what can be done to it and asked of it. */

import { setTimeout as sleep } from 'node:timers/promises';
import type Dockerode from 'dockerode';
import { ClusterError, type ClusterNode, type DiskCounter } from '../cluster.ts';
import type { DropCounts } from './agent/rules.ts';
import {
  type ControlCall,
  controlCall,
  controlDone,
  numbersIn,
  parseAnswer,
  requireDone,
} from './control-call.ts';
import { tolerate } from './daemon.ts';
import type { DiskProbe } from './disk-probe.ts';
import { demuxLogs } from './log-frames.ts';
import type { Holder } from './pod.ts';

/** How long a program inside a node may take to answer for the first time, and between tries. */
const READY_TIMEOUT_MS = 20_000;
const READY_RETRY_MS = 25;
/** A killed process that holds a disk request may need its time; more means that it hangs. */
const KILL_TIMEOUT_MS = 30_000;

/** What the agent's packet filter is, or why the node's links cannot be cut. */
export interface FilterReport {
  readonly available: boolean;
  readonly detail: string;
}

export class DockerNode implements ClusterNode {
  readonly name: string;
  readonly clientUrl: string;
  /** Address in the run's network, where the agents of the other nodes see it. */
  readonly ip: string;
  readonly #server: Dockerode.Container;
  readonly #agentUrl: string;
  readonly #diskUrl: string;
  readonly #disk: DiskProbe;
  /** The delay that is wanted: a disk starts at 0 with the server's container. */
  #fsyncDelayMs = 0;

  constructor(
    name: string,
    holder: Holder,
    { server, disk }: { readonly server: Dockerode.Container; readonly disk: DiskProbe },
  ) {
    this.name = name;
    this.ip = holder.ip;
    this.clientUrl = `http://127.0.0.1:${holder.clientPort}`;
    this.#agentUrl = `http://127.0.0.1:${holder.agentPort}`;
    this.#diskUrl = `http://127.0.0.1:${holder.diskControlPort}`;
    this.#server = server;
    this.#disk = disk;
  }

  /** Kills -9 also what is paused (the daemon thaws it); resolves when nothing of it runs. */
  async kill(): Promise<void> {
    const kill = (): Promise<unknown> => this.#server.kill({ signal: 'SIGKILL' });
    await tolerate(`killing ${this.name}`, [409], kill);
    const abortSignal = AbortSignal.timeout(KILL_TIMEOUT_MS);
    await tolerate(`waiting for the end of ${this.name}`, [], () =>
      this.#server.wait({ condition: 'not-running', abortSignal }),
    );
  }

  async start(): Promise<void> {
    await tolerate(`starting ${this.name}`, [304], () => this.#server.start());
    if (this.#fsyncDelayMs > 0) await this.#applyFsyncDelay();
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
    // Not only then: an earlier resume may have failed at this.
    if (this.#disk.available) await this.#applyFsyncDelay();
  }

  /** Replaces what the node drops; resolves when the agent's filter has changed. */
  async drop(dropFrom: readonly string[]): Promise<void> {
    const url = `${this.#agentUrl}/grudge`;
    await controlDone({ method: 'PUT', url, body: { dropFrom } });
  }

  /** Packets that the node has dropped since its holder started, by source address. */
  async dropCounts(): Promise<DropCounts> {
    return numbersIn(await controlDone({ method: 'GET', url: `${this.#agentUrl}/counters` }));
  }

  /** Waits for the agent, which starts with the node, and asks what it cuts with. */
  async filter(): Promise<FilterReport> {
    const url = `${this.#agentUrl}/health`;
    const answer = await this.#whenListening(() => controlCall({ method: 'GET', url }));
    const { mechanism, error } = parseAnswer(answer);
    return answer.status === 200
      ? { available: true, detail: String(mechanism) }
      : { available: false, detail: String(error) };
  }

  async setFsyncDelay(delayMs: number): Promise<void> {
    if (!(delayMs >= 0)) throw new ClusterError(`an fsync delay of ${delayMs} ms`);
    if (!this.#disk.available) {
      if (delayMs === 0) return;
      throw new ClusterError(`slow-disk is not available: ${this.#disk.reason}`);
    }
    this.#fsyncDelayMs = delayMs;
    await this.#applyFsyncDelay();
  }

  async diskCounter(): Promise<DiskCounter> {
    const url = `${this.#diskUrl}/counters`;
    const { syncs, delayedSyncs, delayedMeanMs } = numbersIn(
      await controlDone({ method: 'GET', url }),
    );
    if (syncs === undefined || delayedSyncs === undefined || delayedMeanMs === undefined) {
      throw new ClusterError(`${url}: not a disk counter`);
    }
    return { syncs, delayedSyncs, delayedMeanMs };
  }

  /** All that the server has written to its two output streams, over all its lives. */
  async log(): Promise<Buffer> {
    return demuxLogs(await this.#server.logs({ stdout: true, stderr: true }));
  }

  async #state(): Promise<Dockerode.ContainerInspectInfo['State']> {
    return (await this.#server.inspect()).State;
  }

  /** A dead or paused disk gets its delay when it is back. */
  async #applyFsyncDelay(): Promise<void> {
    const url = `${this.#diskUrl}/fsync-delay`;
    // What is wanted may change while the disk does not listen.
    const call = (): ControlCall => ({
      method: 'PUT',
      url,
      body: { delayMs: this.#fsyncDelayMs },
    });
    const answer = await this.#whenListening(async () => {
      const { Running, Paused } = await this.#state();
      return !Running || Paused ? undefined : controlCall(call());
    });
    if (answer !== undefined) requireDone(call(), answer);
  }

  /** Tries again until the program inside listens, for a limited time. */
  async #whenListening<T>(call: () => Promise<T>): Promise<T> {
    const deadlineMs = Date.now() + READY_TIMEOUT_MS;
    for (;;) {
      try {
        return await call();
      } catch (error) {
        if (Date.now() > deadlineMs) throw error;
        await sleep(READY_RETRY_MS);
      }
    }
  }
}
