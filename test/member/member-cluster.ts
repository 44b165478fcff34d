import { seededRandom } from '../../harness/seeded-random.ts';
import type { MemberId } from '../../src/lib/ids.ts';
import type { MemberConfig } from '../../src/member/config.ts';
import { logFact } from '../../src/member/facts.ts';
import { DEFAULT_LIMITS } from '../../src/member/limits.ts';
import { Member } from '../../src/member/member.ts';
import type { MemberInfo } from '../../src/member/node.ts';
import { recover } from '../../src/member/recover.ts';
import { StartedMember } from '../../src/member/started-member.ts';
import { Storage } from '../../src/member/storage.ts';
import { timingOf } from '../../src/member/timing.ts';
import { DEFAULT_WATCH_LIMITS } from '../../src/mvcc/watch-hub.ts';
import type { Network, NetworkHandlers, PeerUrls } from '../../src/ports/network.ts';
import { RAFT_DEFAULTS } from '../../src/raft/config.ts';
import type { Message } from '../../src/raft/message.ts';
import { KeptLog } from '../support/kept-log.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { MemoryDisk } from '../support/memory-disk.ts';
import { copySnapshot, SNAP } from './copy-snapshot.ts';

/** Whole members, the real code, over disks in memory, a network of calls, and manual time. */
export class MemberCluster {
  readonly clock: ManualClock = new ManualClock();
  readonly ids: readonly MemberId[];
  readonly disks: Map<MemberId, MemoryDisk> = new Map();
  readonly fatal: string[] = [];
  /** Messages between these two are lost, in both directions. */
  readonly cut: Set<MemberId> = new Set();
  readonly #running = new Map<MemberId, Running>();
  readonly #random;
  readonly #snapshotCount: number;

  constructor(options: { size: number; seed: number; snapshotCount?: number }) {
    this.ids = Array.from({ length: options.size }, (_, position) => BigInt(position + 1));
    this.#random = seededRandom(options.seed);
    this.#snapshotCount = options.snapshotCount ?? 1_000_000;
    for (const id of this.ids) this.disks.set(id, new MemoryDisk());
  }

  static async start(options: {
    size: number;
    seed: number;
    snapshotCount?: number;
  }): Promise<MemberCluster> {
    const cluster = new MemberCluster(options);
    for (const id of cluster.ids) await cluster.start(id);
    await cluster.untilLed();
    return cluster;
  }

  member(id: MemberId): StartedMember {
    return this.#running.get(id)!.member;
  }

  log(id: MemberId): readonly string[] {
    return this.#running.get(id)!.log.lines;
  }

  leader(): MemberId | undefined {
    const [first] = [...this.#running.values()].filter(
      ({ id, member }) => member.status().leader === id && !this.cut.has(id),
    );
    return first?.id;
  }

  /** Passes time until one member leads and the others know it. */
  async untilLed(): Promise<MemberId> {
    for (let ms = 0; ms < 20_000; ms += 10) {
      await this.clock.pass(10);
      const leader = this.leader();
      const followers = [...this.#running.values()].filter(({ id }) => !this.cut.has(id));
      if (
        leader !== undefined &&
        followers.every(({ member }) => member.status().leader === leader)
      ) {
        return leader;
      }
    }
    throw new Error('no leader in 20 s');
  }

  /** Lets time pass until the call is answered. */
  async answer<Value>(call: Promise<Value>): Promise<Value> {
    let done = false;
    const settled = call.finally(() => {
      done = true;
    });
    while (!done) await this.clock.pass(1);
    return settled;
  }

  async start(id: MemberId): Promise<void> {
    const disk = this.disks.get(id)!;
    const { clock } = this;
    const log = new KeptLog();
    const outcome = await recover({
      disk,
      clock,
      walDirectory: '/member/wal',
      snapDirectory: SNAP,
      segmentBytesMax: 64 * 1024,
      memberId: id,
      clusterId: 99n,
      initialMembers: this.ids.map(infoOf),
      fresh: 'newCluster',
      onSync: () => undefined,
    });
    if (!outcome.ok) throw new Error(outcome.error);
    const { recovered, wal } = outcome.value;
    const storage = new Storage({ disk, clock, snapDirectory: SNAP, wal });
    const config: MemberConfig = {
      memberId: id,
      clusterId: 99n,
      name: `n${id}`,
      clientUrls: [`http://c:${id}`],
      timing: timingOf(100, 1000),
      limits: DEFAULT_LIMITS,
      raft: RAFT_DEFAULTS,
      leaseCheckpointS: 300,
      watch: DEFAULT_WATCH_LIMITS,
      compaction: { mode: 'off' },
      snapshotCount: this.#snapshotCount,
      catchupEntries: Math.min(5, this.#snapshotCount),
    };
    const member = new StartedMember(
      new Member(config, recovered, this.#random.fork(`${id} ${clock.nowNs()}`)),
      config,
      {
        clock,
        network: new CallNetwork(this, id),
        storage,
        log,
        observer: { onFact: (fact) => logFact(log, fact), onProposalFailed: () => undefined },
        random: this.#random.fork(`ids ${id} ${clock.nowNs()}`),
        onFatal: (what, cause) => this.fatal.push(`${id}: ${what}: ${String(cause)}`),
      },
    );
    const running: Running = { id, member, log, handlers: undefined };
    this.#running.set(id, running);
    member.start();
    await clock.settle();
  }

  /** kill -9: what was written but not synced is lost or torn. */
  async kill(id: MemberId): Promise<void> {
    const running = this.#running.get(id)!;
    this.#running.delete(id);
    this.disks.set(id, this.disks.get(id)!.afterPowerLoss(this.#random.fork(`kill ${id}`)));
    running.handlers = undefined;
    running.member.halt();
    await this.clock.settle();
  }

  listen(id: MemberId, handlers: NetworkHandlers<Message>): void {
    this.#running.get(id)!.handlers = handlers;
  }

  async ask(from: MemberId, to: MemberId, question: Uint8Array): Promise<Uint8Array | undefined> {
    if (this.cut.has(from) !== this.cut.has(to)) return undefined;
    return this.#running.get(to)?.handlers?.onAsk(from, question);
  }

  deliver(message: Message): void {
    if (this.cut.has(message.from) !== this.cut.has(message.to)) return;
    if (message.type === 'MsgSnap') void this.#transfer(message.from, message.to, message);
    else this.#running.get(message.to)?.handlers?.onMessage(message);
  }

  async #transfer(from: MemberId, to: MemberId, message: Extract<Message, { type: 'MsgSnap' }>) {
    const snapshot = await copySnapshot(this.disks.get(from)!, this.disks.get(to)!);
    this.#running.get(to)?.handlers?.onMessage({ ...message, snapshot });
    this.#running.get(from)?.handlers?.onSnapshotSent(to, true);
  }
}

class CallNetwork implements Network<Message> {
  readonly #cluster: MemberCluster;
  readonly #self: MemberId;
  peers: readonly PeerUrls[] = [];

  constructor(cluster: MemberCluster, self: MemberId) {
    this.#cluster = cluster;
    this.#self = self;
  }

  send(_to: MemberId, message: Message): void {
    this.#cluster.clock.soon(() => this.#cluster.deliver(message));
  }

  ask(to: MemberId, question: Uint8Array): Promise<Uint8Array | undefined> {
    return this.#cluster.ask(this.#self, to, question);
  }

  connectedSinceNs(): number {
    return 0;
  }

  setPeers(peers: readonly PeerUrls[]): void {
    this.peers = peers;
  }

  listen(handlers: NetworkHandlers<Message>): void {
    this.#cluster.listen(this.#self, handlers);
  }

  async close(): Promise<void> {}
}

interface Running {
  readonly id: MemberId;
  readonly member: StartedMember;
  readonly log: KeptLog;
  handlers: NetworkHandlers<Message> | undefined;
}

function infoOf(id: MemberId): MemberInfo {
  const peerUrls = [`http://p:${id}`];
  return { id, name: `n${id}`, peerUrls, clientUrls: [], isLearner: false };
}
