/** A cluster without servers: remembers what was done to it and answers accordingly. */
import {
  type Backend,
  type CapabilityReport,
  type Cluster,
  ClusterError,
  type ClusterNode,
  type DiskCounter,
  type Grudge,
  type LinkCounter,
} from '../../harness/cluster/cluster.ts';
import type { MemberProbe } from '../../harness/member-probe.ts';
import { cutLinks } from '../../harness/nemesis/grudge.ts';
import { nodeNames } from '../../harness/plan.ts';
import type { Environment } from '../../harness/store.ts';

/** Ways in which a fault may fail to bite. */
export interface FakeFlaws {
  readonly killDoesNothing?: boolean;
  readonly pauseDoesNothing?: boolean;
  readonly grudgeDoesNothing?: boolean;
  readonly slowDiskDoesNothing?: boolean;
  /** `inject` of these calls is refused. */
  readonly refuses?: readonly ('kill' | 'pause' | 'setGrudge')[];
  /** So many first heals of a partition are refused. */
  refusedHeals?: number;
  /** Members that run and answer nothing. */
  readonly silent?: readonly string[];
  /** Members that answer no linearizable read, ever. */
  readonly unreadable?: readonly string[];
}

export const ALL_CAPABILITIES: readonly CapabilityReport[] = (
  ['kill', 'pause', 'partition', 'slow-disk'] as const
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
  leader = 'n2';
  grudge: Grudge = new Map();
  disposed = false;
  #polls = 0;

  constructor(flaws: FakeFlaws = {}, capabilities: readonly CapabilityReport[] = ALL_CAPABILITIES) {
    this.flaws = flaws;
    this.capabilities = capabilities;
  }

  /** Nothing that was broken is still broken. */
  get isWhole(): boolean {
    const slow = [...this.delays.values()].some((delayMs) => delayMs > 0);
    return this.dead.size === 0 && this.paused.size === 0 && this.grudge.size === 0 && !slow;
  }

  async kill(node: string): Promise<void> {
    this.#call('kill', node);
    if (this.flaws.killDoesNothing !== true) this.dead.add(node);
  }

  async start(node: string): Promise<void> {
    this.calls.push(`start ${node}`);
    this.dead.delete(node);
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
    const works = delayMs > 0 && this.flaws.slowDiskDoesNothing !== true;
    return { syncs: 100, delayedSyncs: works ? 10 : 0, delayedMeanMs: works ? delayMs : 0 };
  }

  async collectLogs(): Promise<void> {}

  async [Symbol.asyncDispose](): Promise<void> {
    this.disposed = true;
  }

  answers(node: string): boolean {
    const isSilent = this.flaws.silent?.includes(node) === true;
    return !isSilent && !this.dead.has(node) && !this.paused.has(node);
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
