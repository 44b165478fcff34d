/** Members that only send and receive, on a simulated network. */

import { GOOD_LINKS, type LinkQuality } from '../../harness/network/link-quality.ts';
import { seededRandom } from '../../harness/seeded-random.ts';
import { SimLoop } from '../../harness/sim/loop.ts';
import { MemberNames } from '../../harness/sim/member-names.ts';
import { type Fate, SimNetwork, type Station } from '../../harness/sim/network.ts';
import type { SimNetworkOptions } from '../../harness/sim/plan.ts';
import { SimProcess } from '../../harness/sim/process.ts';
import type { MemberId } from '../../src/lib/ids.ts';
import type { Network } from '../../src/ports/network.ts';
import { simpleConf } from '../../src/raft/conf-state.ts';
import { RaftLog } from '../../src/raft/log.ts';
import type { Message, MsgHeartbeat, MsgProp, SnapshotMeta } from '../../src/raft/message.ts';
import type { SnapshotSink, SnapshotSource } from '../../src/snap/snapshot-files.ts';

export const MS = 1e6;

export const PERFECT: LinkQuality = GOOD_LINKS;

export interface FateRecord {
  readonly message: Message;
  readonly fate: Fate;
}

/** What happened at one life of a member. */
export interface Life {
  readonly id: MemberId;
  readonly process: SimProcess;
  readonly port: Network<Message>;
  readonly received: Message[];
  readonly receivedMs: number[];
  readonly refused: MemberId[];
  readonly unreachable: MemberId[];
  readonly snapshotsSent: { readonly to: MemberId; readonly delivered: boolean }[];
  /** When, in ms. */
  readonly toldRemoved: number[];
}

export interface LifeOptions {
  readonly source?: SnapshotSource;
  readonly sink?: SnapshotSink;
}

export class NetworkBench {
  readonly loop: SimLoop = new SimLoop();
  readonly sent: Message[] = [];
  readonly fates: FateRecord[] = [];
  /** Whom everybody takes for removed. */
  readonly removed: Set<MemberId> = new Set();
  readonly network: SimNetwork;

  constructor(options: Partial<SimNetworkOptions> = {}, members = 3) {
    this.network = new SimNetwork({
      loop: this.loop,
      random: seededRandom(1),
      network: { latencyUs: [100, 1_000], clientLatencyUs: [1, 1], encodes: false, ...options },
      names: new MemberNames(members),
      hooks: {
        onSend: (message) => this.sent.push(message),
        onFate: (message, fate) => this.fates.push({ message, fate }),
      },
    });
  }

  start(id: MemberId, options: LifeOptions = {}): Life {
    const process = new SimProcess({
      loop: this.loop,
      random: seededRandom(2),
      afterEach: () => undefined,
      onError: (error) => {
        throw error;
      },
    });
    const { source = NO_SNAPSHOT, sink = NO_SINK } = options;
    const station: Omit<Station, 'joinedNs'> = {
      id,
      name: `n${id}`,
      process,
      source,
      sink,
      handlers: undefined,
      nowNs: () => this.loop.nowNs,
      log: () => EMPTY_LOG,
      knows: () => true,
      isRemoved: (of) => this.removed.has(of),
    };
    const port = this.network.join(station);
    const life: Life = {
      id,
      process,
      port,
      received: [],
      receivedMs: [],
      refused: [],
      unreachable: [],
      snapshotsSent: [],
      toldRemoved: [],
    };
    port.listen({
      onMessage: (message) => {
        life.received.push(message);
        life.receivedMs.push(this.loop.nowNs / MS);
      },
      onRefused: (peer) => life.refused.push(peer),
      onUnreachable: (peer) => life.unreachable.push(peer),
      onSnapshotSent: (to, delivered) => life.snapshotsSent.push({ to, delivered }),
      onRemoved: () => life.toldRemoved.push(this.loop.nowNs / MS),
      onAsk: async (from, question) => Uint8Array.of(Number(from), ...question),
    });
    return life;
  }

  kill(life: Life): void {
    life.process.kill();
    this.network.leave(life.id);
  }

  /** Nothing from `from` reaches `to`. */
  cut(from: MemberId, to: MemberId): void {
    this.network.setGrudge(new Map([[`n${to}`, new Set([`n${from}`])]]));
  }

  async pass(durationMs: number): Promise<void> {
    const { loop } = this;
    await loop.drive(new Promise<void>((resolve) => loop.schedule(durationMs * MS, resolve)));
  }

  fatesOf(type: Message['type']): Fate[] {
    return this.fates.filter(({ message }) => message.type === type).map(({ fate }) => fate);
  }
}

/** On the lane of small messages; `context` tells them apart. */
export function heartbeat(from: MemberId, to: MemberId, context: number): MsgHeartbeat {
  return { type: 'MsgHeartbeat', from, to, term: 1, commit: 0, context };
}

/** On the lane of entries. */
export function proposal(from: MemberId, to: MemberId, value: number): MsgProp {
  const entries = [{ type: 'normal' as const, data: Uint8Array.of(value) }];
  return { type: 'MsgProp', from, to, term: 0, entries };
}

export function contextsOf(messages: readonly Message[]): number[] {
  return messages.flatMap((message) => (message.type === 'MsgHeartbeat' ? [message.context] : []));
}

export const SNAPSHOT: SnapshotMeta = {
  index: 5,
  term: 1,
  confState: simpleConf([1n, 2n, 3n]),
};

/** A checkpoint that is `bytes`. */
export function snapshotOf(bytes: Uint8Array): SnapshotSource & { closed: number } {
  const source = {
    closed: 0,
    open: async () => ({
      meta: SNAPSHOT,
      sizeBytes: bytes.length,
      readAt: async (offset: number, lengthBytes: number) =>
        bytes.subarray(offset, offset + lengthBytes),
      close: async () => {
        source.closed += 1;
      },
    }),
  };
  return source;
}

/** Where snapshots arrive. */
export class MemorySink implements SnapshotSink {
  readonly written: number[] = [];
  finished = 0;
  aborted = 0;
  /** What `write` waits for. */
  readonly #disk: () => Promise<void>;

  constructor(disk: () => Promise<void> = async () => undefined) {
    this.#disk = disk;
  }

  async create(): Promise<Awaited<ReturnType<SnapshotSink['create']>>> {
    return {
      write: async (bytes) => {
        await this.#disk();
        this.written.push(...bytes);
      },
      finish: async () => {
        this.finished += 1;
      },
      abort: async () => {
        this.aborted += 1;
      },
    };
  }
}

const NO_SNAPSHOT: SnapshotSource = {
  open: () => Promise.reject(new Error('there is no checkpoint yet')),
};
const NO_SINK: SnapshotSink = { create: () => Promise.reject(new Error('nobody sends any')) };

const EMPTY_LOG: RaftLog = new RaftLog({
  snapshot: { index: 0, term: 0 },
  entries: [],
  commit: 0,
  applied: 0,
});
