/** The cluster of a simulation: its members and everything that can be done to them. */
import { assert } from '../../src/lib/assert.ts';
import type { Random } from '../../src/ports/random.ts';
import {
  type Capability,
  type CapabilityReport,
  type Cluster,
  ClusterError,
  type ClusterNode,
  type DiskCounter,
  type DiskFault,
  type DiskFaultTally,
  type Grudge,
  type LinkCounter,
} from '../cluster/cluster.ts';
import type { DirectedQuality, LinkQuality } from '../network/link-quality.ts';
import { type LinkTally, sumTallies } from '../network/link-tally.ts';
import { damage } from './disk/damage.ts';
import { FaultAtlas } from './disk/fault-atlas.ts';
import type { SimNetwork } from './network.ts';
import { clientUrl, type SimNode, WAL_DIRECTORY } from './node.ts';

const CAPABILITIES: readonly Capability[] = [
  'kill',
  'pause',
  'partition',
  'slow-disk',
  'flaky-links',
  'link-delay',
  'link-loss',
  'cable-pull',
  'disk-stall',
  'disk-error',
  'disk-lie',
  'disk-damage',
  'clock',
  'slow-process',
];

export interface SimClusterParts {
  readonly nodes: readonly SimNode[];
  readonly network: SimNetwork;
  /** Draws how kills end and what damage hits. */
  readonly random: Random;
  /** Of the kills, so many per cent leave the page cache alone. */
  readonly processKillPercent: number;
  /** The run wants promises broken: disks may lie, any number of copies may be destroyed. */
  readonly allowsAll: boolean;
  /** Worth writing down with the run. */
  readonly environment: Cluster['environment'];
}

export class SimCluster implements Cluster {
  readonly backend = 'sim';
  readonly nodes: readonly ClusterNode[];
  readonly capabilities: readonly CapabilityReport[] = CAPABILITIES.map((capability) => ({
    capability,
    available: true,
    detail: 'simulated',
  }));
  readonly environment: Cluster['environment'];
  readonly atlas: FaultAtlas;
  readonly #parts: SimClusterParts;
  readonly #baseRates: ReadonlyMap<string, number>;

  constructor(parts: SimClusterParts) {
    this.#parts = parts;
    const { nodes, allowsAll } = parts;
    this.environment = [{ name: 'members', value: 'simulated' }, ...parts.environment];
    this.nodes = nodes.map(({ name }) => ({ name, clientUrl: clientUrl(name) }));
    this.atlas = new FaultAtlas(nodes.length, { allowsAll });
    this.#baseRates = new Map(nodes.map(({ name, time }) => [name, time.rate]));
  }

  async kill(node: string): Promise<void> {
    const { random, processKillPercent } = this.#parts;
    const target = this.node(node);
    // A lie only shows when the power goes.
    const keepsCache = random.below(100) < processKillPercent && !target.faults.isLying;
    target.kill({ keepsCache });
  }

  async start(node: string): Promise<void> {
    this.node(node).start();
  }

  async isRunning(node: string): Promise<boolean> {
    return this.node(node).life !== undefined;
  }

  async pause(node: string): Promise<void> {
    const { life } = this.node(node);
    if (life === undefined) throw new ClusterError(`${node} is dead and cannot be suspended`);
    life.process.pause();
  }

  async resume(node: string): Promise<void> {
    this.node(node).life?.process.resume();
  }

  async setGrudge(grudge: Grudge): Promise<void> {
    this.#parts.network.setGrudge(grudge);
  }

  async linkCounters(): Promise<readonly LinkCounter[]> {
    return this.#parts.network.counters();
  }

  async setFsyncDelay(node: string, delayMs: number): Promise<void> {
    this.node(node).faults.setSyncDelay(delayMs);
  }

  async diskCounter(node: string): Promise<DiskCounter> {
    return this.node(node).faults.counter();
  }

  async setLinkQuality(
    quality: LinkQuality,
    except: readonly DirectedQuality[] = [],
  ): Promise<void> {
    this.#parts.network.links.setFault(quality, except);
  }

  async setLinkDistances(links: readonly DirectedQuality[]): Promise<void> {
    this.#parts.network.links.setDistances(links);
  }

  async linkTally(): Promise<LinkTally> {
    return sumTallies([this.#parts.network.tally]);
  }

  /** Messages travel alone here: there is no connection to reset. */
  async resetConnections(): Promise<void> {
    throw new ClusterError('connection-reset: simulated links have no connections');
  }

  async pullCable(node: string): Promise<void> {
    this.#parts.network.setPulled(this.node(node).name, true);
  }

  async plugCable(node: string): Promise<void> {
    this.#parts.network.setPulled(this.node(node).name, false);
  }

  async setDiskFault(node: string, fault: DiskFault): Promise<void> {
    const isSimulated = ['none', 'stall', 'error', 'lie'].includes(fault.type);
    if (!isSimulated || (fault.type === 'stall' && fault.operation !== undefined)) {
      throw new ClusterError(`${fault.type}: no fault of simulated disks`);
    }
    if (fault.type === 'lie' && !this.atlas.mayLie) {
      throw new ClusterError('a lying disk breaks what Raft rests on; ask for lying-disk by name');
    }
    this.node(node).faults.set(fault);
  }

  async diskFaultTally(node: string): Promise<DiskFaultTally> {
    return this.node(node).faults.tally();
  }

  async damageDisk(
    node: string,
    how: 'bit-rot' | 'misdirected-write',
  ): Promise<string | undefined> {
    const { device, life } = this.node(node);
    assert(life === undefined, 'only the disk of a dead member is damaged');
    if (!this.atlas.mayDestroy(node)) return undefined;
    const what = damage(device, how, WAL_DIRECTORY, this.#parts.random);
    if (what !== undefined) this.atlas.noteDestroyed(node);
    return what;
  }

  /** A kill takes the page cache with it as often as the run wants it; no more was asked for. */
  failPower(): Promise<never> {
    return Promise.reject(new ClusterError('power-failure: of simulated members it is a kill'));
  }

  async setClock(node: string, change: { driftPercent: number; jumpMs: number }): Promise<void> {
    const { time } = this.node(node);
    const base = this.#baseRates.get(node) ?? 1;
    time.setRate(base * (1 + change.driftPercent / 100));
    time.jump(change.jumpMs);
  }

  async clockOffsetMs(node: string): Promise<number> {
    return this.node(node).time.offsetMs();
  }

  async setSlowness(node: string, delayMs: number): Promise<void> {
    this.node(node).setSlowness(delayMs * 1e6);
  }

  async collectLogs(): Promise<void> {
    // Members say what matters as facts, which are in the trace.
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const node of this.#parts.nodes) node.kill({ keepsCache: true });
  }

  node(name: string): SimNode {
    const node = this.#parts.nodes.find((candidate) => candidate.name === name);
    assert(node !== undefined, `no simulated member ${name}`);
    return node;
  }
}
