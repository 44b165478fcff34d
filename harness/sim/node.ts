/**
 * A simulated machine: disk, clocks, and the lives of the member's process on it, one after the
 * other. A life is put together like the real server (src/server/start.ts), over these ports.
 */

import { assert } from '../../src/lib/assert.ts';
import type { ClusterId, MemberId } from '../../src/lib/ids.ts';
import type { AutoCompaction } from '../../src/member/auto-compaction.ts';
import type { MemberConfig } from '../../src/member/config.ts';
import type { MemberFact } from '../../src/member/input.ts';
import { DEFAULT_LIMITS } from '../../src/member/limits.ts';
import { Member } from '../../src/member/member.ts';
import type { MemberInfo } from '../../src/member/node.ts';
import { recover } from '../../src/member/recover.ts';
import { StartedMember } from '../../src/member/started-member.ts';
import { Storage } from '../../src/member/storage.ts';
import { timingOf } from '../../src/member/timing.ts';
import { DEFAULT_WATCH_LIMITS, type WatchLimits } from '../../src/mvcc/watch-hub.ts';
import type { Clock } from '../../src/ports/clock.ts';
import type { Random } from '../../src/ports/random.ts';
import { RAFT_DEFAULTS } from '../../src/raft/config.ts';
import type { RaftRestore } from '../../src/raft/raw-node.ts';
import {
  type AllServices,
  createServices,
  defaultServiceSettings,
} from '../../src/service/all-services.ts';
import { DEFAULT_WATCH_OPTIONS } from '../../src/service/watch.ts';
import { CHECKPOINT_NAME } from '../../src/snap/checkpoint-error.ts';
import { SnapshotExport } from '../../src/snap/snapshot-export.ts';
import { checkpointSink, checkpointSource, removeReceived } from '../../src/snap/snapshot-files.ts';
import { NodeTime, processClock } from './clock.ts';
import { describeFact } from './describe-fact.ts';
import { Device } from './disk/device.ts';
import { DiskFaults } from './disk/disk-faults.ts';
import { SimDisk } from './disk/sim-disk.ts';
import type { SimLoop } from './loop.ts';
import type { MemberNames } from './member-names.ts';
import type { SimNetwork } from './network.ts';
import { PlainHasher, plainDigest } from './plain-hasher.ts';
import type { SimMemberOptions, WorldPlan } from './plan.ts';
import { SimProcess } from './process.ts';
import { silentLog } from './silent-log.ts';

export const WAL_DIRECTORY = '/member/wal';
export const SNAP_DIRECTORY = '/member/snap';
export const CHECKPOINT_PATH: string = `${SNAP_DIRECTORY}/${CHECKPOINT_NAME}`;
const CLUSTER_ID: ClusterId = 0x5707n;

/** Between the word that it was removed and the end of the process (as the real server). */
const REMOVED_GRACE_MS = 1_000;

export type SimServices = AllServices;

/** One life of the member's process. */
export interface Life {
  readonly process: SimProcess;
  readonly disk: SimDisk;
  /** Once it has recovered. */
  serving: { readonly member: Member; readonly services: SimServices } | undefined;
  /** Operations that its disk had refused before this life. */
  readonly refusedBefore: number;
  /** Clients that wait for an answer of this life; called when it ends. */
  readonly onEnd: Set<() => void>;
}

export interface NodeEvents {
  recovered(node: SimNode, restore: RaftRestore): void;
  /** A member was made of what its disk kept, and has done nothing yet. */
  restored(node: SimNode, member: Member): void;
  /** The member's checkpoint was replaced. */
  checkpointed(node: SimNode): void;
  /** After each callback of the process. */
  stepped(node: SimNode, member: Member): void;
  /** The process ended by itself; `wasRefused`: after its disk had refused it something. */
  died(node: SimNode, how: { readonly reason: string; readonly wasRefused: boolean }): void;
  /** The others removed it, and its process has ended for good. */
  left(node: SimNode): void;
  fact(node: SimNode, text: string): void;
  disk(node: SimNode, text: string): void;
  /** A check of the simulation threw inside the process. */
  broken(error: unknown): void;
}

export interface NodeParts {
  readonly plan: WorldPlan;
  readonly loop: SimLoop;
  readonly network: SimNetwork;
  readonly names: MemberNames;
  readonly random: Random;
  readonly events: NodeEvents;
  /** Somebody reads the words for what disks do. */
  readonly tracesDisk: boolean;
}

export class SimNode {
  readonly name: string;
  readonly faults: DiskFaults = new DiskFaults();
  readonly time: NodeTime;
  readonly #parts: NodeParts;
  #id: MemberId;
  #device = new Device();
  #fresh: 'newCluster' | 'joinsCluster' = 'newCluster';
  /** No member: a spare machine, or one whose member was removed. */
  #isOut: boolean;
  #life: Life | undefined;
  #lives = 0;
  #slownessNs = 0;

  /** `isSpare`: it runs nothing until it is {@link join}ed. */
  constructor(id: MemberId, parts: NodeParts, isSpare = false) {
    this.#id = id;
    this.name = parts.names.of(id);
    this.#parts = parts;
    this.#isOut = isSpare;
    const driftPpm = parts.plan.clockDriftPpm[Number(id) - 1] ?? 0;
    this.time = new NodeTime(parts.loop, 1 + driftPpm / 1e6);
  }

  /** Of the member that is on this machine, or was last. */
  get id(): MemberId {
    return this.#id;
  }

  get device(): Device {
    return this.#device;
  }

  get isOut(): boolean {
    return this.#isOut;
  }

  /** An empty disk in place of the old one; its next life joins the cluster as a new member. */
  join(id: MemberId): void {
    assert(this.#life === undefined, 'only a dead machine gets another disk');
    this.#device = new Device();
    this.#id = id;
    this.#fresh = 'joinsCluster';
    this.#isOut = false;
  }

  /** Its member was removed: whatever runs ends, and nothing starts any more. */
  leave(): void {
    this.kill({ keepsCache: true });
    this.#isOut = true;
  }

  get life(): Life | undefined {
    return this.#life;
  }

  /** Launches the process unless it runs; it serves when it has recovered. */
  start(): void {
    if (this.#life !== undefined || this.#isOut) return;
    const { loop, plan, events, tracesDisk } = this.#parts;
    this.#lives += 1;
    const random = this.#parts.random.fork(`life ${this.#lives}`);
    const process = new SimProcess({
      loop,
      random: random.fork('slowness'),
      afterEach: () => {
        if (life.serving !== undefined) events.stepped(this, life.serving.member);
      },
      onError: (error) => events.broken(error),
    });
    process.setSlowness(this.#slownessNs);
    const disk = new SimDisk({
      device: this.device,
      faults: this.faults,
      options: plan.disk,
      random: random.fork('disk'),
      sleep: (delayNs) => process.sleep(delayNs),
      nowNs: () => loop.nowNs,
      onOperation: tracesDisk ? (text) => events.disk(this, text) : undefined,
    });
    const refusedBefore = this.faults.tally().refused;
    const life: Life = { process, disk, serving: undefined, refusedBefore, onEnd: new Set() };
    this.#life = life;
    this.#boot(life, random).catch((error: unknown) => this.#die(life, String(error)));
  }

  /** The process is gone at once; `keepsCache`: the machine stays up, its page cache with it. */
  kill(options: { readonly keepsCache: boolean }): void {
    const life = this.#life;
    if (life === undefined) return;
    this.#life = undefined;
    life.process.kill();
    const random = this.#parts.random.fork(`kill ${this.#lives}`);
    life.disk.abandon(random);
    if (!options.keepsCache) this.device.powerLoss(random);
    this.#parts.network.leave(this.#id);
    for (const end of life.onEnd) end();
    life.onEnd.clear();
  }

  /** Holds across restarts. */
  setSlowness(delayNs: number): void {
    this.#slownessNs = delayNs;
    this.#life?.process.setSlowness(delayNs);
  }

  async #boot(life: Life, random: Random): Promise<void> {
    const { plan, network, events } = this.#parts;
    const { disk, process } = life;
    const clock = processClock(process, this.time);
    const outcome = await recover({
      disk,
      clock,
      walDirectory: WAL_DIRECTORY,
      snapDirectory: SNAP_DIRECTORY,
      segmentBytesMax: plan.member.segmentBytesMax,
      memberId: this.#id,
      clusterId: CLUSTER_ID,
      initialMembers: initialMembers(plan),
      fresh: this.#fresh,
      onSync: () => undefined,
    });
    if (!outcome.ok) return this.#die(life, outcome.error);
    const { recovered, wal } = outcome.value;
    await removeReceived(disk, SNAP_DIRECTORY);
    events.recovered(this, recovered.raft);
    const config = this.#config();
    const member = new Member(config, recovered, random.fork('member'));
    const port = network.join({
      id: this.#id,
      name: this.name,
      process,
      source: checkpointSource(disk, SNAP_DIRECTORY),
      sink: checkpointSink(disk, SNAP_DIRECTORY),
      handlers: undefined,
      nowNs: () => clock.nowNs(),
      log: () => member.core.log,
      knows: (id) => knows(member, id),
      isRemoved: (id) => member.machine.membership.isRemoved(id),
    });
    const started = new StartedMember(member, config, {
      clock,
      network: port,
      storage: new Storage({
        disk,
        clock: pausing(clock, process, plan.member.pauseUs),
        snapDirectory: SNAP_DIRECTORY,
        wal,
        onCheckpoint: () => events.checkpointed(this),
        checkpointChunkBytes: plan.member.checkpointChunkBytes,
      }),
      log: silentLog,
      observer: {
        onFact: (fact) => this.#onFact(life, fact),
        onProposalFailed: () => undefined,
      },
      random: random.fork('ids'),
      onFatal: (what, cause) => this.#die(life, `${what}: ${String(cause)}`),
    });
    const services = this.#services(started, { clock, life, random });
    started.answerWith(services.answers);
    life.serving = { member, services };
    events.restored(this, member);
    started.start();
  }

  #services(
    started: StartedMember,
    {
      clock,
      life: { disk, process },
      random,
    }: { readonly clock: Clock; readonly life: Life; readonly random: Random },
  ): AllServices {
    const { plan, names } = this.#parts;
    const { pauseUs, checkpointChunkBytes, rangeKeysPerTurn } = plan.member;
    const settings = defaultServiceSettings(plan.electionMs);
    const newIds = random.fork('member ids');
    return createServices(
      started,
      {
        clock: pausing(clock, process, Math.min(pauseUs, SERVICE_PAUSE_US_MAX)),
        random: random.fork('services'),
        hasher: new PlainHasher(),
        signedTokens: undefined,
        snapshots: new SnapshotExport({
          disk,
          directory: SNAP_DIRECTORY,
          image: () => started.image(),
          pause: () => process.sleep(Math.min(pauseUs, EXPORT_PAUSE_US_MAX) * 1e3),
          chunkBytes: checkpointChunkBytes,
        }),
        newDigest: plainDigest,
        newMemberId: ([peerUrl]) => names.next(peerUrl ?? '', newIds),
      },
      {
        ...settings,
        limits: { ...settings.limits, rangeKeysPerTurnMax: rangeKeysPerTurn },
        quotaBytes: plan.member.quotaBytes || settings.quotaBytes,
        strictReconfigCheck: plan.member.strictReconfig,
        watch: {
          ...DEFAULT_WATCH_OPTIONS,
          progressIntervalMs: plan.member.watchProgressMs,
          fragmentBytes: plan.member.watchFragmentBytes,
        },
      },
    );
  }

  #onFact(life: Life, fact: MemberFact): void {
    this.#parts.events.fact(this, describeFact(fact));
    if (fact.type !== 'removedFromCluster') return;
    life.process.schedule(REMOVED_GRACE_MS * 1e6, () => {
      if (this.#life !== life) return;
      this.leave();
      this.#parts.events.left(this);
    });
  }

  /** By itself: the machine stays up. */
  #die(life: Life, reason: string): void {
    if (this.#life !== life) return;
    this.kill({ keepsCache: true });
    const wasRefused = this.faults.tally().refused > life.refusedBefore;
    this.#parts.events.died(this, { reason, wasRefused });
  }

  #config(): MemberConfig {
    const { plan } = this.#parts;
    const { snapshotCount, catchupEntries, maxMessageBytes } = plan.member;
    const { maxInflightMessages, maxCommittedBytesPerTurn, maxUncommittedBytes } = plan.member;
    return {
      memberId: this.#id,
      clusterId: CLUSTER_ID,
      name: this.name,
      clientUrls: [clientUrl(this.name)],
      timing: timingOf(plan.heartbeatMs, plan.electionMs),
      limits: { ...DEFAULT_LIMITS, compactedRowsPerTickMax: plan.member.compactedRowsPerTick },
      watch: watchLimits(plan.member),
      compaction: compactionOf(plan.member),
      leaseCheckpointS: plan.member.leaseCheckpointS,
      raft: {
        ...RAFT_DEFAULTS,
        maxMessageBytes,
        maxInflightMessages,
        maxCommittedBytesPerTurn,
        maxUncommittedBytes,
      },
      snapshotCount,
      catchupEntries,
    };
  }
}

/** The pieces of all large ranges wait for each other, and clients for them. */
const SERVICE_PAUSE_US_MAX = 200;
/** Clients wait for a snapshot, too. */
const EXPORT_PAUSE_US_MAX = 2_000;

/** A turn that is given to others takes so long. */
function pausing(clock: Clock, process: SimProcess, pauseUs: number): Clock {
  return { ...clock, soon: (callback) => void process.schedule(pauseUs * 1e3, callback) };
}

/** Where simulated clients find the member. */
export function clientUrl(name: string): string {
  return `sim://${name}`;
}

/** Where other members find it. */
export function peerUrl(name: string): string {
  return `http://${name}:2380`;
}

function initialMembers(plan: WorldPlan): MemberInfo[] {
  return Array.from({ length: plan.memberCount }, (_, at) => {
    const name = `n${at + 1}`;
    const peerUrls = [peerUrl(name)];
    return { id: BigInt(at + 1), name, peerUrls, clientUrls: [], isLearner: false };
  });
}

/** Whom it would dial; before its first entry is applied, whoever it was told of. */
function knows({ machine: { membership } }: Member, id: MemberId): boolean {
  return membership.list().length === 0 || membership.get(id) !== undefined;
}

function watchLimits({ watchRowsMax }: SimMemberOptions): WatchLimits {
  return {
    ...DEFAULT_WATCH_LIMITS,
    catchUpRowsMax: watchRowsMax,
    notifiedMax: Math.max(1, Math.floor(watchRowsMax / 4)),
    responseBytesMax: watchRowsMax * WATCH_ROW_BYTES,
  };
}

const WATCH_ROW_BYTES = 64;

function compactionOf({ compactEveryMs }: SimMemberOptions): AutoCompaction {
  if (compactEveryMs === 0) return { mode: 'off' };
  return { mode: 'periodic', periodMs: compactEveryMs };
}
