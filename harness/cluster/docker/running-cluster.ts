/** A docker cluster that is up: names of nodes become nodes, names of peers their addresses. */

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { SideCluster } from '../../administration/side-member.ts';
import type { DirectedLink } from '../../network/link-quality.ts';
import type { LinkSettings } from '../../network/link-settings.ts';
import { type LinkTally, sumTallies } from '../../network/link-tally.ts';
import { ShapedCluster } from '../../network/shaped-cluster.ts';
import { FaultAtlas } from '../../sim/disk/fault-atlas.ts';
import {
  type CapabilityReport,
  type Cluster,
  ClusterError,
  type DiskCounter,
  type DiskFault,
  type DiskFaultTally,
  type Grudge,
  type LinkCounter,
  type PowerLoss,
  type PowerLossReport,
} from '../cluster.ts';
import { noteLie } from '../disk-capabilities.ts';
import { type FailpointControl, Failpoints } from '../failpoint-control.ts';
import type { ResourceControl } from '../resource-control.ts';
import type { ClusterTls, TlsControl } from '../tls-files.ts';
import { DockerControl } from './docker-control.ts';
import type { DockerNode } from './docker-node.ts';
import { byName } from './node-resources.ts';
import { removeRun } from './sweep.ts';

/** The contract of its methods is `Cluster`'s; a node that it does not have is a ClusterError. */
export class RunningCluster extends ShapedCluster implements Cluster {
  readonly backend = 'docker';
  readonly nodes: readonly DockerNode[];
  readonly capabilities: readonly CapabilityReport[];
  readonly environment: Cluster['environment'];
  readonly control: DockerControl;
  readonly resources: ResourceControl;
  readonly failpoints?: FailpointControl;
  readonly tls?: TlsControl;
  readonly #runId: string;
  readonly #atlas: FaultAtlas;
  #wereLinksShaped = false;

  constructor(
    {
      runId,
      side,
      tls,
    }: { readonly runId: string; readonly side: SideCluster; readonly tls?: ClusterTls },
    nodes: readonly DockerNode[],
    capabilityReports: readonly CapabilityReport[],
    environment: Cluster['environment'],
  ) {
    super();
    this.#runId = runId;
    if (tls !== undefined) this.tls = tls;
    this.nodes = nodes;
    this.#atlas = new FaultAtlas(nodes.length, { allowsAll: false });
    this.capabilities = capabilityReports;
    this.environment = environment;
    this.resources = byName((name) => this.#node(name).resources);
    if (capabilityReports.some((each) => each.capability === 'failpoints' && each.available)) {
      this.failpoints = new Failpoints({
        request: async (name, request) => this.#node(name).failpoints.request(request),
        logTail: async (name) => this.#node(name).failpoints.logTail(),
      });
    }
    this.control = new DockerControl({
      node: (name) => this.#node(name),
      atlas: this.#atlas,
      side,
    });
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
    await Promise.all([...sources].map(([node, dropFrom]) => node.links.drop(dropFrom)));
  }

  async linkCounters(): Promise<readonly LinkCounter[]> {
    const perNode = await Promise.all(
      this.nodes.map(async (to) => {
        const counts = await to.links.dropCounts();
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

  async linkTally(): Promise<LinkTally> {
    return sumTallies(await Promise.all(this.nodes.map((node) => node.links.tally())));
  }

  /** By either end, with what comes from the other. */
  async resetConnections(links: readonly DirectedLink[]): Promise<void> {
    const peers = new Map<DockerNode, Set<string>>();
    for (const { from, to } of links) {
      const [source, target] = [this.#node(from), this.#node(to)];
      peers.set(target, (peers.get(target) ?? new Set<string>()).add(source.ip));
    }
    await Promise.all([...peers].map(([node, ips]) => node.links.reset([...ips])));
  }

  async pullCable(node: string): Promise<void> {
    await this.#node(node).links.pull();
  }

  async plugCable(node: string): Promise<void> {
    await this.#node(node).links.plug();
    await this.#node(node).resources.clock.returned();
  }

  async setClock(node: string, change: { driftPercent: number; jumpMs: number }): Promise<void> {
    await this.#node(node).resources.clock.change(change);
  }

  async clockOffsetMs(node: string): Promise<number> {
    return this.#node(node).resources.clock.offsetMs();
  }

  async setFsyncDelay(node: string, delayMs: number): Promise<void> {
    await this.#node(node).disk.setFsyncDelay(delayMs);
  }

  async diskCounter(node: string): Promise<DiskCounter> {
    return this.#node(node).disk.counter();
  }

  async setDiskFault(node: string, fault: DiskFault): Promise<void> {
    noteLie(this.#atlas, node, fault);
    await this.#node(node).disk.setFault(fault);
  }

  async diskFaultTally(node: string): Promise<DiskFaultTally> {
    return this.#node(node).disk.tally();
  }

  async damageDisk(
    node: string,
    how: 'bit-rot' | 'misdirected-write',
  ): Promise<string | undefined> {
    if (await this.isRunning(node)) throw new ClusterError(`${node} runs: kill it first`);
    if (!this.#atlas.mayDestroy(node)) return undefined;
    const what = await this.#node(node).disk.damage(how, `${this.#runId}/${node}`);
    if (what !== undefined) this.#atlas.noteDestroyed(node);
    return what;
  }

  async failPower(node: string, loss: PowerLoss): Promise<PowerLossReport> {
    return this.#node(node).failPower(loss);
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

  protected override async applyLinkSettings(settings: LinkSettings): Promise<void> {
    const links = settings.among(this.nodeNames());
    // Nothing was ever shaped, so there is nothing to heal.
    if (links.length === 0 && !this.#wereLinksShaped) return;
    this.#wereLinksShaped = true;
    await Promise.all(
      this.nodes.map((node) => {
        const peers = this.nodes.filter((peer) => peer !== node);
        return node.links.shape(
          peers.map((peer) => ({
            ip: peer.ip,
            incoming: settings.of(peer.name, node.name),
            outgoing: settings.of(node.name, peer.name),
          })),
        );
      }),
    );
  }

  #node(name: string): DockerNode {
    const node = this.nodes.find((candidate) => candidate.name === name);
    if (node === undefined) throw new ClusterError(`no node ${name}`);
    return node;
  }
}
