/** A cluster without servers: remembers what was done to it and answers accordingly. */
import {
  type Backend,
  type CapabilityReport,
  type Cluster,
  ClusterError,
  type ClusterNode,
  type DiskCounter,
  type DiskFault,
  type DiskFaultTally,
  type Grudge,
  type LinkCounter,
  type PowerLoss,
  type PowerLossReport,
} from '../../harness/cluster/cluster.ts';
import type { TlsControl } from '../../harness/cluster/tls-files.ts';
import type { MemberProbe } from '../../harness/member-probe.ts';
import { cutLinks } from '../../harness/nemesis/grudge.ts';
import {
  type DirectedLink,
  type DirectedQuality,
  GOOD_LINKS,
  type LinkQuality,
} from '../../harness/network/link-quality.ts';
import { type LinkTally, NO_TALLY } from '../../harness/network/link-tally.ts';
import { nodeNames } from '../../harness/plan.ts';
import type { Environment } from '../../harness/store.ts';
import { sleep } from '../../harness/timing.ts';
import type { Clock } from '../../src/ports/clock.ts';

/** Ways in which a fault may fail to bite. */
export interface FakeFlaws {
  readonly killDoesNothing?: boolean;
  readonly pauseDoesNothing?: boolean;
  readonly grudgeDoesNothing?: boolean;
  readonly slowDiskDoesNothing?: boolean;
  readonly flakyLinksDoNothing?: boolean;
  readonly resetsDoNothing?: boolean;
  readonly pullDoesNothing?: boolean;
  readonly diskFaultDoesNothing?: boolean;
  readonly powerStays?: boolean;
  readonly slownessDoesNothing?: boolean;
  /** Of a change of clock only this is done. */
  readonly clockDoesOnly?: 'nothing' | 'jump' | 'drift';
  /** What a member does whose writes or syncs are refused; it stops by default. */
  readonly onDiskError?: 'goes on' | 'stops late';
  readonly damageIsForbidden?: boolean;
  /** What a member does on a damaged log; by default it refuses to start. */
  readonly onDamage?: 'starts' | 'refuses late' | 'is silent';
  /** `inject` of these calls is refused. */
  readonly refuses?: readonly ('kill' | 'pause' | 'setGrudge')[];
  /** So many first heals of a partition are refused. */
  refusedHeals?: number;
  /** Members that run and answer nothing. */
  readonly silent?: readonly string[];
  /** Members that answer no linearizable read, ever. */
  readonly unreadable?: readonly string[];
}

interface FakeTally {
  stalled: number;
  refused: number;
  lied: number;
  rotten: number;
}

export const ALL_CAPABILITIES: readonly CapabilityReport[] = (
  [
    ...(['kill', 'pause', 'partition', 'slow-disk', 'flaky-links', 'disk-stall'] as const),
    ...([
      'disk-error',
      'disk-lie',
      'disk-damage',
      'read-only-disk',
      'disk-latency',
      'power-failure',
      'read-rot',
      'tls',
      'clock',
      'slow-process',
    ] as const),
    ...(['link-delay', 'link-loss', 'link-rate', 'connection-reset', 'cable-pull'] as const),
  ] as const
).map((capability) => ({ capability, available: true, detail: 'fake' }));

export class FakeCluster implements Cluster {
  readonly backend: Backend = 'process';
  readonly nodes: readonly ClusterNode[] = nodeNames(3).map((name) => ({
    name,
    clientUrl: `http://fake/${name}`,
  }));
  readonly environment: Environment = [{ name: 'target', value: 'fake' }];
  readonly capabilities: readonly CapabilityReport[];
  readonly flaws: FakeFlaws;
  /** Everything asked for, in order, e.g. `kill n1`. */
  readonly calls: string[] = [];
  readonly dead: Set<string> = new Set();
  readonly paused: Set<string> = new Set();
  readonly delays: Map<string, number> = new Map();
  readonly diskFaults: Map<string, DiskFault> = new Map();
  readonly damaged: Set<string> = new Set();
  readonly slowness: Map<string, number> = new Map();
  links: LinkQuality = GOOD_LINKS;
  /** Links with a quality of their own. */
  exceptions: readonly DirectedQuality[] = [];
  distances: readonly DirectedQuality[] = [];
  readonly pulled: Set<string> = new Set();
  /** Given by tests of a cluster that talks over TLS. */
  tls?: TlsControl;
  /** Needed by faults that take time or change it. */
  clock: Clock | undefined;
  leader = 'n2';
  grudge: Grudge = new Map();
  disposed = false;
  #polls = 0;
  #resets = 0;
  readonly #tallies = new Map<string, FakeTally>();
  readonly #clocks = new Map<string, { driftPercent: number; offsetMs: number; sinceNs: number }>();

  constructor(flaws: FakeFlaws = {}, capabilities: readonly CapabilityReport[] = ALL_CAPABILITIES) {
    this.flaws = flaws;
    this.capabilities = capabilities;
  }

  /** Nothing that was broken is still broken, but for members dead on damaged disks. */
  get isWhole(): boolean {
    const slow = [...this.delays.values()].some((delayMs) => delayMs > 0);
    const badDisk = [...this.diskFaults.values()].some(({ type }) => type !== 'none');
    const slowed = [...this.slowness.values()].some((delayMs) => delayMs > 0);
    const skewed = [...this.#clocks.values()].some(
      ({ driftPercent, offsetMs }) => driftPercent !== 0 || Math.abs(offsetMs) >= 1,
    );
    const isBad = this.links !== GOOD_LINKS || this.exceptions.length > 0;
    const isCut = this.grudge.size > 0 || isBad || this.pulled.size > 0;
    const lost = [...this.dead].some((node) => !this.damaged.has(node));
    return !lost && this.paused.size === 0 && !isCut && !slow && !badDisk && !slowed && !skewed;
  }

  async kill(node: string): Promise<void> {
    this.#call('kill', node);
    if (this.flaws.killDoesNothing !== true) this.dead.add(node);
  }

  async start(node: string): Promise<void> {
    this.calls.push(`start ${node}`);
    const { onDamage } = this.flaws;
    const isBad = this.damaged.has(node) || this.diskFaults.get(node)?.type === 'rot';
    const isRefused = isBad && onDamage !== 'starts' && onDamage !== 'is silent';
    if (!isRefused || onDamage === 'refuses late') this.dead.delete(node);
    if (isRefused && onDamage === 'refuses late')
      this.#clockOf().after(300, () => this.dead.add(node));
  }

  async isRunning(node: string): Promise<boolean> {
    return !this.dead.has(node);
  }

  async pause(node: string): Promise<void> {
    this.#call('pause', node);
    if (this.flaws.pauseDoesNothing !== true) this.paused.add(node);
  }

  async resume(node: string): Promise<void> {
    this.calls.push(`resume ${node}`);
    this.paused.delete(node);
  }

  async setGrudge(grudge: Grudge): Promise<void> {
    if (grudge.size > 0) this.#call('setGrudge', '');
    else if ((this.flaws.refusedHeals ?? 0) > 0) {
      this.flaws.refusedHeals = (this.flaws.refusedHeals ?? 0) - 1;
      throw new ClusterError('heal refused');
    }
    this.grudge = grudge;
  }

  async linkCounters(): Promise<readonly LinkCounter[]> {
    this.#polls++;
    const dropped = this.flaws.grudgeDoesNothing === true ? 0 : this.#polls;
    return cutLinks(this.grudge).map((link) => ({ ...link, dropped }));
  }

  async setFsyncDelay(node: string, delayMs: number): Promise<void> {
    this.delays.set(node, delayMs);
  }

  async diskCounter(node: string): Promise<DiskCounter> {
    const delayMs = this.delays.get(node) ?? 0;
    if (this.diskFaults.get(node)?.type === 'latency') {
      const delayed = this.flaws.diskFaultDoesNothing === true ? 0 : 10;
      return { syncs: 100, delayedSyncs: delayed, delayedMeanMs: delayed * 20 };
    }
    const works = delayMs > 0 && this.flaws.slowDiskDoesNothing !== true;
    return { syncs: 100, delayedSyncs: works ? 10 : 0, delayedMeanMs: works ? delayMs : 0 };
  }

  async setLinkQuality(
    quality: LinkQuality,
    except: readonly DirectedQuality[] = [],
  ): Promise<void> {
    const isGood = quality === GOOD_LINKS && except.length === 0;
    this.calls.push(isGood ? 'good links' : 'flaky links');
    this.links = quality;
    this.exceptions = except;
  }

  async setLinkDistances(links: readonly DirectedQuality[]): Promise<void> {
    this.distances = links;
  }

  async linkTally(): Promise<LinkTally> {
    this.#polls++;
    const works = this.flaws.flakyLinksDoNothing !== true;
    const grown = (asked: number): number => (works && asked > 0 ? this.#polls : 0);
    const quality = this.exceptions[0]?.quality ?? this.links;
    const { lossPercent, duplicatePercent, delayMs, rateBytesPerS } = quality;
    const delayed = grown(delayMs);
    return {
      ...NO_TALLY,
      carried: 10 * grown(lossPercent),
      lost: grown(lossPercent),
      duplicated: grown(duplicatePercent),
      delayed,
      delayedSumMs: delayed * delayMs,
      thinBytes: grown(rateBytesPerS) * rateBytesPerS,
      thinMs: grown(rateBytesPerS) * 1_000,
      resets: this.#resets,
    };
  }

  async resetConnections(links: readonly DirectedLink[]): Promise<void> {
    this.calls.push(`reset ${links.length} links`);
    if (this.flaws.resetsDoNothing !== true) this.#resets++;
  }

  async pullCable(node: string): Promise<void> {
    this.calls.push(`pull ${node}`);
    this.pulled.add(node);
  }

  async plugCable(node: string): Promise<void> {
    this.calls.push(`plug ${node}`);
    this.pulled.delete(node);
  }

  async setDiskFault(node: string, fault: DiskFault): Promise<void> {
    this.calls.push(`disk ${node} ${fault.type}`);
    this.diskFaults.set(node, fault);
    const stops = fault.type === 'error' || fault.type === 'read-only';
    if (!stops || this.flaws.diskFaultDoesNothing === true) return;
    if (this.flaws.onDiskError === undefined) this.dead.add(node);
    if (this.flaws.onDiskError === 'stops late') {
      this.#clockOf().after(1_200, () => this.dead.add(node));
    }
  }

  async diskFaultTally(node: string): Promise<DiskFaultTally> {
    const { type } = this.diskFaults.get(node) ?? { type: 'none' };
    if (type !== 'none' && this.flaws.diskFaultDoesNothing !== true) {
      const tally = this.#tallyOf(node);
      if (type === 'stall') tally.stalled++;
      if (type === 'error' || type === 'read-only') tally.refused++;
      if (type === 'lie') tally.lied++;
      if (type === 'rot') tally.rotten++;
    }
    return { ...this.#tallyOf(node) };
  }

  async damageDisk(node: string, how: string): Promise<string | undefined> {
    this.calls.push(`${how} ${node}`);
    if (!this.dead.has(node)) throw new ClusterError(`${node} runs`);
    const isLastCopy = this.damaged.size + 1 > (this.nodes.length - 1) / 2;
    if (this.flaws.damageIsForbidden === true || isLastCopy) return undefined;
    this.damaged.add(node);
    return 'record 3';
  }

  async failPower(node: string, { keeps }: PowerLoss): Promise<PowerLossReport> {
    this.calls.push(`power ${node} ${keeps}`);
    if (this.flaws.powerStays !== true) this.dead.add(node);
    return { changes: 2, bytes: 700, torn: keeps === 'torn' ? 1 : 0, names: 1 };
  }

  async setClock(node: string, change: { driftPercent: number; jumpMs: number }): Promise<void> {
    const offsetMs = await this.clockOffsetMs(node);
    const { clockDoesOnly } = this.flaws;
    const jumps = clockDoesOnly === undefined || clockDoesOnly === 'jump';
    const drifts = clockDoesOnly === undefined || clockDoesOnly === 'drift';
    this.#clocks.set(node, {
      driftPercent: drifts ? change.driftPercent : 0,
      offsetMs: offsetMs + (jumps || change.driftPercent === 0 ? change.jumpMs : 0),
      sinceNs: this.#clockOf().nowNs(),
    });
  }

  async clockOffsetMs(node: string): Promise<number> {
    const now = this.#clocks.get(node);
    if (now === undefined) return 0;
    const elapsedMs = (this.#clockOf().nowNs() - now.sinceNs) / 1e6;
    return now.offsetMs + (now.driftPercent / 100) * elapsedMs;
  }

  async setSlowness(node: string, delayMs: number): Promise<void> {
    this.slowness.set(node, delayMs);
  }

  async collectLogs(): Promise<void> {}

  async [Symbol.asyncDispose](): Promise<void> {
    this.disposed = true;
  }

  answers(node: string): boolean {
    const isMute = this.flaws.onDamage !== 'starts' && this.damaged.has(node);
    const isOff = this.pulled.has(node) && this.flaws.pullDoesNothing !== true;
    const isSilent = isOff || isMute || this.flaws.silent?.includes(node) === true;
    return !isSilent && !this.dead.has(node) && !this.paused.has(node);
  }

  /** How late the member is with an answer. */
  async lateness(node: string): Promise<void> {
    const delayMs = this.slowness.get(node) ?? 0;
    if (delayMs === 0 || this.flaws.slownessDoesNothing === true) return;
    await sleep(this.#clockOf(), delayMs / 2);
  }

  #tallyOf(node: string): FakeTally {
    const tally = this.#tallies.get(node) ?? { stalled: 0, refused: 0, lied: 0, rotten: 0 };
    this.#tallies.set(node, tally);
    return tally;
  }

  #clockOf(): Clock {
    if (this.clock === undefined) throw new Error('this fake cluster has no clock');
    return this.clock;
  }

  #call(what: 'kill' | 'pause' | 'setGrudge', node: string): void {
    this.calls.push(`${what} ${node}`.trim());
    if (this.flaws.refuses?.includes(what)) throw new ClusterError(`${what} refused`);
  }
}

/** Asks a {@link FakeCluster}. */
export function fakeProbe(cluster: FakeCluster): MemberProbe {
  return {
    async status({ name }) {
      if (!cluster.answers(name)) return undefined;
      await cluster.lateness(name);
      return { isLeader: name === cluster.leader, term: 2, commitIndex: 7, appliedIndex: 7 };
    },
    async linearizableRead({ name }) {
      return cluster.answers(name) && cluster.flaws.unreadable?.includes(name) !== true;
    },
    async metricsText() {
      return undefined;
    },
    close() {},
  };
}
