/**
 * A simulated machine: disk, clocks, and the lives of the member's process on it, one after the
 * other. A life is put together like the real server (src/server/start.ts), over these ports.
 */
import { type ClusterId, formatId, type MemberId } from '../../src/lib/ids.ts';
import type { MemberConfig } from '../../src/member/config.ts';
import { DEFAULT_LIMITS } from '../../src/member/limits.ts';
import { Member } from '../../src/member/member.ts';
import type { MemberInfo } from '../../src/member/node.ts';
import { recover } from '../../src/member/recover.ts';
import { StartedMember } from '../../src/member/started-member.ts';
import { Storage } from '../../src/member/storage.ts';
import { timingOf } from '../../src/member/timing.ts';
import type { Random } from '../../src/ports/random.ts';
import { RAFT_DEFAULTS } from '../../src/raft/config.ts';
import type { RaftRestore } from '../../src/raft/raw-node.ts';
import { KvService } from '../../src/service/kv.ts';
import { MaintenanceService } from '../../src/service/maintenance.ts';
import { checkpointSink, checkpointSource, removeReceived } from '../../src/snap/snapshot-files.ts';
import { NodeTime, processClock } from './clock.ts';
import { describeFact } from './describe-fact.ts';
import { Device } from './disk/device.ts';
import { DiskFaults } from './disk/disk-faults.ts';
import { SimDisk } from './disk/sim-disk.ts';
import type { SimLoop } from './loop.ts';
import type { SimNetwork } from './network.ts';
import type { WorldPlan } from './plan.ts';
import { SimProcess } from './process.ts';
import { silentLog } from './silent-log.ts';

export const WAL_DIRECTORY = '/member/wal';
export const SNAP_DIRECTORY = '/member/snap';
const CLUSTER_ID: ClusterId = 0x5707n;

export interface SimServices {
  readonly kv: KvService;
  readonly maintenance: MaintenanceService;
}

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
  /** After each callback of the process. */
  stepped(node: SimNode, member: Member): void;
  /** The process ended by itself; `wasRefused`: after its disk had refused it something. */
  died(node: SimNode, how: { readonly reason: string; readonly wasRefused: boolean }): void;
  fact(node: SimNode, text: string): void;
  disk(node: SimNode, text: string): void;
  /** A check of the simulation threw inside the process. */
  broken(error: unknown): void;
}

export interface NodeParts {
  readonly plan: WorldPlan;
  readonly loop: SimLoop;
  readonly network: SimNetwork;
  readonly random: Random;
  readonly events: NodeEvents;
  /** Somebody reads the words for what disks do. */
  readonly tracesDisk: boolean;
}

export class SimNode {
  readonly id: MemberId;
  readonly name: string;
  readonly device: Device = new Device();
  readonly faults: DiskFaults = new DiskFaults();
  readonly time: NodeTime;
  readonly #parts: NodeParts;
  #life: Life | undefined;
  #lives = 0;
  #slownessNs = 0;

  constructor(id: MemberId, parts: NodeParts) {
    this.id = id;
    this.name = `n${id}`;
    this.#parts = parts;
    const driftPpm = parts.plan.clockDriftPpm[Number(id) - 1] ?? 0;
    this.time = new NodeTime(parts.loop, 1 + driftPpm / 1e6);
  }

  get life(): Life | undefined {
    return this.#life;
  }

  /** Launches the process unless it runs; it serves when it has recovered. */
  start(): void {
    if (this.#life !== undefined) return;
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
    this.#parts.network.leave(this.id);
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
      memberId: this.id,
      clusterId: CLUSTER_ID,
      initialMembers: initialMembers(plan),
      mayBootstrap: true,
      onSync: () => undefined,
    });
    if (!outcome.ok) return this.#die(life, outcome.error);
    const { recovered, wal } = outcome.value;
    await removeReceived(disk, SNAP_DIRECTORY);
    events.recovered(this, recovered.raft);
    const config = this.#config();
    const member = new Member(config, recovered, random.fork('member'));
    const port = network.join({
      id: this.id,
      name: this.name,
      process,
      source: checkpointSource(disk, SNAP_DIRECTORY),
      sink: checkpointSink(disk, SNAP_DIRECTORY),
      handlers: undefined,
      log: () => member.core.log,
    });
    const started = new StartedMember(member, config, {
      clock,
      network: port,
      storage: new Storage({ disk, clock, snapDirectory: SNAP_DIRECTORY, wal }),
      log: silentLog,
      observer: {
        onFact: (fact) => events.fact(this, describeFact(fact)),
        onProposalFailed: () => undefined,
      },
      random: random.fork('ids'),
      onFatal: (what, cause) => this.#die(life, `${what}: ${String(cause)}`),
    });
    const services = { kv: new KvService(started), maintenance: new MaintenanceService(started) };
    life.serving = { member, services };
    started.start();
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
    const { maxInflightMessages, maxCommittedBytesPerTurn } = plan.member;
    return {
      memberId: this.id,
      clusterId: CLUSTER_ID,
      name: this.name,
      clientUrls: [clientUrl(this.name)],
      timing: timingOf(plan.heartbeatMs, plan.electionMs),
      limits: DEFAULT_LIMITS,
      raft: {
        ...RAFT_DEFAULTS,
        maxMessageBytes,
        maxInflightMessages,
        maxCommittedBytesPerTurn,
      },
      snapshotCount,
      catchupEntries,
    };
  }
}

/** Where simulated clients find the member. */
export function clientUrl(name: string): string {
  return `sim://${name}`;
}

function initialMembers(plan: WorldPlan): MemberInfo[] {
  return Array.from({ length: plan.memberCount }, (_, at) => {
    const id = BigInt(at + 1);
    const peerUrls = [`http://peer-${formatId(id)}`];
    return { id, name: `n${id}`, peerUrls, clientUrls: [], isLearner: false };
  });
}
