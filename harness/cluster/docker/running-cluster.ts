/** A docker cluster that is up: names of nodes become nodes, names of peers their addresses. */

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type CapabilityReport,
  type Cluster,
  ClusterError,
  type DiskCounter,
  type Grudge,
  type LinkCounter,
} from '../cluster.ts';
import { WithoutSimFaults } from '../not-possible.ts';
import type { DockerNode } from './docker-node.ts';
import { removeRun } from './sweep.ts';

/** The contract of its methods is `Cluster`'s; a node that it does not have is a ClusterError. */
export class RunningCluster extends WithoutSimFaults implements Cluster {
  readonly backend = 'docker';
  readonly nodes: readonly DockerNode[];
  readonly capabilities: readonly CapabilityReport[];
  readonly environment: Cluster['environment'];
  readonly #runId: string;

  constructor(
    runId: string,
    nodes: readonly DockerNode[],
    capabilityReports: readonly CapabilityReport[],
    environment: Cluster['environment'],
  ) {
    super();
    this.#runId = runId;
    this.nodes = nodes;
    this.capabilities = capabilityReports;
    this.environment = environment;
  }

  async kill(node: string): Promise<void> {
    await this.#node(node).kill();
  }

  async start(node: string): Promise<void> {
    await this.#node(node).start();
  }

  async isRunning(node: string): Promise<boolean> {
    return this.#node(node).isRunning();
  }

  async pause(node: string): Promise<void> {
    await this.#node(node).pause();
  }

  async resume(node: string): Promise<void> {
    await this.#node(node).resume();
  }

  async setGrudge(grudge: Grudge): Promise<void> {
    const partition = this.capabilities.find(({ capability }) => capability === 'partition');
    // Nothing was ever cut, so there is nothing to heal.
    if (grudge.size === 0 && partition?.available === false) return;
    const sources = new Map<DockerNode, readonly string[]>(this.nodes.map((node) => [node, []]));
    for (const [node, from] of grudge) {
      sources.set(
        this.#node(node),
        [...from].map((peer) => this.#node(peer).ip),
      );
    }
    await Promise.all([...sources].map(([node, dropFrom]) => node.drop(dropFrom)));
  }

  async linkCounters(): Promise<readonly LinkCounter[]> {
    const perNode = await Promise.all(
      this.nodes.map(async (to) => {
        const counts = await to.dropCounts();
        const peers = this.nodes.filter((from) => from !== to);
        return peers.map((from) => ({
          from: from.name,
          to: to.name,
          dropped: counts[from.ip] ?? 0,
        }));
      }),
    );
    return perNode.flat();
  }

  async setFsyncDelay(node: string, delayMs: number): Promise<void> {
    await this.#node(node).setFsyncDelay(delayMs);
  }

  async diskCounter(node: string): Promise<DiskCounter> {
    return this.#node(node).diskCounter();
  }

  async collectLogs(directory: string): Promise<void> {
    await Promise.all(
      this.nodes.map(async (node) =>
        writeFile(join(directory, `${node.name}.log`), await node.log()),
      ),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await removeRun(this.#runId);
  }

  #node(name: string): DockerNode {
    const node = this.nodes.find((candidate) => candidate.name === name);
    if (node === undefined) throw new ClusterError(`no node ${name}`);
    return node;
  }
}
