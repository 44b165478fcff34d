/**
 * Everything inside a simulation: loop, members, links, clients, and those who watch. The first
 * thing that goes wrong is remembered, and ends it.
 */
import { AssertionError } from '../../src/lib/assert.ts';
import type { LeaseId, MemberId } from '../../src/lib/ids.ts';
import type { Member } from '../../src/member/member.ts';
import { timingOf } from '../../src/member/timing.ts';
import type { Random } from '../../src/ports/random.ts';
import { describeMessage } from '../../src/raft/describe.ts';
import type { Message } from '../../src/raft/message.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { seededRandom } from '../seeded-random.ts';
import { CheckpointAudit } from './checkpoint-audit.ts';
import { SimClients } from './client.ts';
import { SimCluster } from './cluster.ts';
import { FastestClock } from './fastest-clock.ts';
import { Broken, SimInvariants } from './invariants.ts';
import { LeaderContact } from './leader-contact.ts';
import { LeasePromises } from './lease-promises.ts';
import { SimLoop } from './loop.ts';
import { MemberNames } from './member-names.ts';
import { MemberTracer } from './member-trace.ts';
import { SimNetwork } from './network.ts';
import { CHECKPOINT_PATH, type NodeEvents, SimNode } from './node.ts';
import { Oracle } from './oracle/oracle.ts';
import type { SimFailure } from './outcome.ts';
import type { WorldPlan } from './plan.ts';
import { SnapshotCrashes } from './snapshot-crashes.ts';
import type { MessageTrace, Tracer } from './trace.ts';
import { TraceHash } from './trace-hash.ts';

export interface WorldOptions {
  /** One that others use too; otherwise a new one. */
  readonly loop?: SimLoop;
  readonly tracer?: Tracer;
  /** Promises are to be broken: disks may lie, and any number of copies be destroyed. */
  readonly allowsAll?: boolean;
  /** Worth writing down with a run. */
  readonly environment?: Cluster['environment'];
}

export class SimWorld {
  readonly loop: SimLoop;
  readonly random: Random;
  readonly hash: TraceHash = new TraceHash();
  readonly oracle: Oracle;
  readonly names: MemberNames;
  /** Runs as fast as the fastest of the members' clocks. */
  readonly fastest: FastestClock;
  readonly invariants: SimInvariants;
  readonly nodes: readonly SimNode[];
  readonly cluster: SimCluster;
  readonly clients: SimClients;
  readonly snapshotCrashes: SnapshotCrashes;
  /** Resolves with the first failure. */
  readonly failed: Promise<SimFailure>;
  readonly #resolveFailed: (failure: SimFailure) => void;
  readonly #tracer: Tracer | undefined;
  readonly #members: MemberTracer | undefined;
  readonly #checkpoints: CheckpointAudit;
  #failure: SimFailure | undefined;

  constructor(
    plan: WorldPlan,
    { loop = new SimLoop(), tracer, allowsAll = false, environment = [] }: WorldOptions = {},
  ) {
    this.loop = loop;
    const { promise, resolve } = Promise.withResolvers<SimFailure>();
    this.failed = promise;
    this.#resolveFailed = resolve;
    this.#tracer = tracer;
    this.#members =
      tracer && new MemberTracer(tracer, this.loop, { plan, nameOf: (id) => this.names.of(id) });
    this.random = seededRandom(plan.seed).fork('sim');
    const machines = plan.memberCount + plan.spareCount;
    const ids = Array.from({ length: machines }, (_, at): MemberId => BigInt(at + 1));
    const names = new MemberNames(machines);
    this.names = names;
    const nameOf = (id: MemberId): string => names.of(id);
    this.oracle = new Oracle({ leaseTtlMinS: leaseTtlMinOf(plan) });
    this.#checkpoints = new CheckpointAudit(this.oracle);
    const leases = new LeasePromises(
      () => this.fastest.elapsedNs(),
      leaseExtensionOf(plan),
      (id) => leftAtLeader(this.nodes, id),
    );
    this.invariants = new SimInvariants(this.oracle, nameOf, {
      contact: new LeaderContact(plan),
      leases,
    });
    const network = new SimNetwork({
      loop,
      random: this.random.fork('network'),
      network: plan.network,
      names,
      hooks: {
        onSend: (message, log) => this.#guard(() => this.invariants.sending(message, log)),
        onFate: (message, fate, sentNs) => this.#onFate(message, fate, sentNs),
      },
    });
    this.nodes = ids.map((id) => {
      const random = this.random.fork(nameOf(id));
      const tracesDisk = tracer !== undefined;
      const events = this.#events();
      const isSpare = id > BigInt(plan.memberCount);
      const parts = { plan, loop, network, names, random, events, tracesDisk };
      return new SimNode(id, parts, isSpare);
    });
    this.fastest = new FastestClock(
      loop,
      this.nodes.map(({ time }) => time),
    );
    this.cluster = new SimCluster({
      nodes: this.nodes,
      network,
      random: this.random.fork('faults'),
      processKillPercent: plan.disk.processKillPercent,
      allowsAll,
      environment,
    });
    this.snapshotCrashes = new SnapshotCrashes({
      loop,
      cluster: this.cluster,
      random: this.random.fork('snapshot crashes'),
      disk: plan.disk,
    });
    this.clients = new SimClients({
      loop,
      random: this.random.fork('clients'),
      latencyUs: plan.network.clientLatencyUs,
      nodes: this.nodes,
      oracle: this.oracle,
      leases,
      watchUntakenMax: plan.member.watchUntakenMax,
      onWrong: (node, { name, detail }) => {
        const by = name === 'answer' ? 'oracle' : 'invariant';
        this.fail({ by, name, detail: `${node.name}: ${detail}` });
      },
    });
  }

  get failure(): SimFailure | undefined {
    return this.#failure;
  }

  /** The first one counts. */
  fail(failure: Omit<SimFailure, 'atNs'>): void {
    if (this.#failure !== undefined) return;
    const atNs = this.loop.nowNs;
    this.#failure = { ...failure, detail: failure.detail.replaceAll('\n', ' '), atNs };
    this.hash.text(`${failure.by} ${failure.name} ${failure.detail}`);
    this.#tracer?.trace({ type: 'failure', atNs, text: `${failure.name}: ${failure.detail}` });
    this.#resolveFailed(this.#failure);
  }

  /** Compares what every serving member holds with the model, now. */
  compareAll(): void {
    for (const node of this.nodes) {
      const member = node.life?.serving?.member;
      if (member !== undefined) this.#guard(() => this.invariants.compareNow(node.id, member));
    }
  }

  /** Something that was done to the cluster, for the hash and whoever reads along. */
  note(text: string): void {
    this.hash.text(text);
    this.#tracer?.trace({ type: 'fact', atNs: this.loop.nowNs, node: 'administrator', text });
  }

  /** A node's state changed from outside: killed, suspended, started. */
  traceNode(node: SimNode): void {
    this.#members?.note(node);
  }

  #events(): NodeEvents {
    return {
      recovered: (node, restore) => {
        this.#guard(() => this.invariants.restarted(node.id, restore));
      },
      restored: (node, member) => {
        this.#guard(() => this.invariants.restored(node.id, member));
      },
      checkpointed: (node) => void this.#lookInto(node),
      stepped: (node, member) => this.#stepped(node, member),
      left: (node) => {
        this.hash.text(`${node.name} left`);
        this.#onFact(node, 'left the cluster');
        this.#members?.note(node);
      },
      died: (node, { reason, wasRefused }) => this.#onDeath(node, reason, wasRefused),
      fact: (node, text) => this.#onFact(node, text),
      disk: (node, text) => {
        this.#tracer?.trace({ type: 'disk', atNs: this.loop.nowNs, node: node.name, text });
      },
      broken: (error) => {
        throw error;
      },
    };
  }

  async #lookInto(node: SimNode): Promise<void> {
    const read = (): Uint8Array => node.device.file(CHECKPOINT_PATH).read();
    const detail = await this.#checkpoints.written(node, read);
    if (detail === undefined) return;
    this.fail({ by: 'oracle', name: 'checkpoint', detail: `${node.name}: ${detail}` });
  }

  #stepped(node: SimNode, member: Member): void {
    if (this.#failure !== undefined) return;
    this.#guard(() => this.invariants.afterStep(node.id, member));
    this.clients.stepped(node, member);
    this.#members?.note(node);
  }

  #onDeath(node: SimNode, reason: string, wasRefused: boolean): void {
    this.hash.text(`${node.name} died ${reason}`);
    this.#onFact(node, `stopped: ${reason}`);
    this.#members?.note(node);
    const isDamaged = this.cluster.atlas.destroyed.has(node.name);
    // On a disk of a member that was removed nothing starts any more, as the server says itself.
    if (this.oracle.upkeep.removed.has(node.id)) return node.leave();
    if (isDamaged || wasRefused) return;
    this.fail({ by: 'death', name: 'a member stopped', detail: `${node.name}: ${reason}` });
  }

  #onFact(node: SimNode, text: string): void {
    this.hash.text(text);
    this.#tracer?.trace({ type: 'fact', atNs: this.loop.nowNs, node: node.name, text });
    if (!text.startsWith('unsafe')) return;
    this.fail({ by: 'invariant', name: 'unsafe', detail: `${node.name} reports ${text}` });
  }

  #onFate(message: Message, fate: MessageTrace['fate'], sentNs: number): void {
    const { hash } = this;
    if (fate === 'delivered') {
      this.invariants.delivered(message);
      if (message.type === 'MsgSnap') this.#snapshotArrived(message.to);
    }
    hash.number(this.loop.nowNs);
    hash.text(message.type);
    hash.number(Number(message.from) * 16 + Number(message.to));
    hash.number(message.term);
    if ('index' in message) hash.number(message.index);
    if ('entries' in message) hash.number(message.entries.length);
    hash.text(fate);
    this.#tracer?.trace({
      type: 'message',
      atNs: this.loop.nowNs,
      sentNs,
      from: this.names.of(message.from),
      to: this.names.of(message.to),
      kind: message.type,
      term: message.term,
      text: describeMessage(message),
      fate,
    });
  }

  #snapshotArrived(id: MemberId): void {
    const node = this.nodes.find((one) => one.id === id);
    if (node !== undefined) this.snapshotCrashes.arrived(node.name);
  }

  /** Runs a check; what it finds is a failure of the run and not an error of the member. */
  #guard(check: () => void): void {
    if (this.#failure !== undefined) return;
    try {
      check();
    } catch (error) {
      if (error instanceof Broken) {
        this.fail({ by: error.by, name: error.property, detail: error.message });
      } else if (error instanceof AssertionError) {
        // The core's own invariants.
        this.fail({ by: 'invariant', name: 'member', detail: error.message });
      } else throw error;
    }
  }
}

/** As members compute it. */
function leaseTtlMinOf({ heartbeatMs, electionMs }: WorldPlan): number {
  const { tickMs, electionTicks } = timingOf(heartbeatMs, electionMs);
  return Math.ceil((1.5 * electionTicks * tickMs) / 1_000);
}

/** As whoever was elected last counts it, in whole seconds. */
function leftAtLeader(nodes: readonly SimNode[], id: LeaseId): number | undefined {
  const leader = nodes
    .flatMap(({ life }) => life?.serving?.member ?? [])
    .filter(({ machine }) => machine.state.lessor.isPrimary)
    .reduce<Member | undefined>(
      (best, member) => (best !== undefined && best.core.term > member.core.term ? best : member),
      undefined,
    );
  return leader?.machine.state.lessor.remaining(id, leader.nowTick)?.ttlS;
}

/** What a new leader may add to a lease, in seconds: an election, and ticks that come late. */
function leaseExtensionOf({ heartbeatMs, electionMs }: WorldPlan): number {
  const { tickMs, electionTicks } = timingOf(heartbeatMs, electionMs);
  return ((electionTicks + LATE_TICKS) * tickMs) / 1_000;
}

/** As leases count them, and one for rounding. */
const LATE_TICKS = 4;
