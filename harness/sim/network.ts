/**
 * The network between simulated members: directed links with latency, loss, duplication,
 * reordering and cuts. It uses all the freedom of the Network port, and more where links are
 * told to repeat or reorder messages, which Raft must bear.
 *
 * Forwarded proposals are never duplicated: the port promises at most once. While a member is
 * dead its host refuses connections, and the others are told so as often as the real transport
 * dials again.
 */
import { assert } from '../../src/lib/assert.ts';
import type { MemberId } from '../../src/lib/ids.ts';
import type { Network, NetworkHandlers } from '../../src/ports/network.ts';
import type { Random } from '../../src/ports/random.ts';
import type { RaftLog } from '../../src/raft/log.ts';
import type { Message, MsgSnap } from '../../src/raft/message.ts';
import type { SnapshotSink, SnapshotSource } from '../../src/snap/snapshot-files.ts';
import { decodePeerMessage, encodePeerMessage } from '../../src/wire/peer-message.ts';
import type { Grudge, LinkCounter } from '../cluster/cluster.ts';
import { drawDelayMs } from '../network/draw-delay.ts';
import type { LinkQuality } from '../network/link-quality.ts';
import { LinkSettings } from '../network/link-settings.ts';
import { drawNs } from './draw-ns.ts';
import type { SimLoop } from './loop.ts';
import type { MemberNames } from './member-names.ts';
import type { SimNetworkOptions } from './plan.ts';
import type { SimProcess } from './process.ts';
import { copySnapshot } from './snapshot-copy.ts';
import type { MessageTrace } from './trace.ts';

/** How a message ended. */
export type Fate = MessageTrace['fate'];

export interface SimNetworkHooks {
  /** Before the message leaves the member, which holds `log`; for the invariants. */
  onSend(message: Message, log: RaftLog): void;
  onFate(message: Message, fate: Fate, sentNs: number): void;
}

/** One life of a member, as the network sees it. */
export interface Station {
  readonly id: MemberId;
  readonly name: string;
  readonly process: SimProcess;
  readonly source: SnapshotSource;
  readonly sink: SnapshotSink;
  readonly joinedNs: number;
  handlers: NetworkHandlers<Message> | undefined;
  /** Of the machine's own clock. */
  readonly nowNs: () => number;
  readonly log: () => RaftLog;
  /** Whether it would dial the member. */
  readonly knows: (id: MemberId) => boolean;
  readonly isRemoved: (id: MemberId) => boolean;
}

interface Link {
  dropped: number;
  /** By lane: nothing on it arrives before this. */
  readonly notBeforeNs: { control: number; bulk: number };
}

/** A snapshot's file on its way. */
interface Transfer {
  readonly to: MemberId;
  end(delivered: boolean): void;
}

/** What a message sets off in its member is a step of its state machine. */
const SYNCHRONOUS = { isSynchronous: true } as const;
/** How often the real transport dials again, in ms; it is told of a refusal each time. */
const REDIAL_MS = 25;
/** A sender hears of a lost message once in so many: when its connection breaks over it. */
const UNREACHABLE_ONE_IN = 8;
/** A transfer that has not ended by then has failed. */
const TRANSFER_LIMIT_MS = 10_000;

export class SimNetwork {
  readonly #loop: SimLoop;
  readonly #random: Random;
  readonly #options: SimNetworkOptions;
  readonly #hooks: SimNetworkHooks;
  readonly #stations = new Map<MemberId, Station>();
  readonly #names: MemberNames;
  readonly #links = new Map<string, Link>();
  /** Whom each life dials again, time after time. */
  readonly #dialling = new WeakMap<Station, Set<MemberId>>();
  readonly #transfers = new Set<Transfer>();
  #grudge: Grudge = new Map();
  #grudgeSinceNs = 0;
  readonly #pulled = new Set<string>();
  readonly links: LinkSettings = new LinkSettings();
  readonly tally: {
    carried: number;
    lost: number;
    duplicated: number;
    delayed: number;
    delayedSumMs: number;
  } = { carried: 0, lost: 0, duplicated: 0, delayed: 0, delayedSumMs: 0 };

  constructor(options: {
    readonly loop: SimLoop;
    readonly random: Random;
    readonly network: SimNetworkOptions;
    readonly names: MemberNames;
    readonly hooks: SimNetworkHooks;
  }) {
    this.#loop = options.loop;
    this.#random = options.random;
    this.#options = options.network;
    this.#names = options.names;
    this.#hooks = options.hooks;
  }

  /** A member has started; its port. */
  join(joining: Omit<Station, 'joinedNs'>): Network<Message> {
    const station: Station = { ...joining, joinedNs: this.#loop.nowNs };
    this.#stations.set(station.id, station);
    this.#dialling.set(station, new Set());
    for (const other of this.#names.ids()) {
      if (!this.#stations.has(other)) this.#redial(station, other);
    }
    return {
      send: (to, message) => this.#send(station, to, message),
      ask: (to, question, timeoutMs) => this.#ask(station, to, { question, timeoutMs }),
      connectedSinceNs: (peer) => this.#connectedSinceNs(station, peer),
      // Everybody can reach everybody; whom to talk to is up to raft. New ones are dialled.
      setPeers: (peers) => {
        for (const { id } of peers) if (!this.#stations.has(id)) this.#redial(station, id);
      },
      listen: (handlers) => {
        assert(station.handlers === undefined, 'listen is called once');
        station.handlers = handlers;
      },
      close: async () => undefined,
    };
  }

  /** The member's process is gone. */
  leave(id: MemberId): void {
    const station = this.#stations.get(id);
    if (station === undefined) return;
    this.#stations.delete(id);
    for (const transfer of this.#transfers) if (transfer.to === id) transfer.end(false);
    for (const other of this.#stations.values()) this.#redial(other, id);
  }

  setGrudge(grudge: Grudge): void {
    this.#grudge = grudge;
    this.#grudgeSinceNs = this.#loop.nowNs;
  }

  /** The member is off the network, or back; the other cuts stay. */
  setPulled(name: string, isPulled: boolean): void {
    if (this.#pulled.has(name) === isPulled) return;
    if (isPulled) this.#pulled.add(name);
    else this.#pulled.delete(name);
    this.#grudgeSinceNs = this.#loop.nowNs;
  }

  counters(): LinkCounter[] {
    return [...this.#links].map(([key, { dropped }]) => {
      const [from, to] = key.split(' ');
      return { from: from!, to: to!, dropped };
    });
  }

  /** Until somebody listens there again, or the one who dials is gone. */
  #redial(from: Station, to: MemberId): void {
    const dialling = this.#dialling.get(from)!;
    if (dialling.has(to)) return;
    dialling.add(to);
    this.#loop.schedule(REDIAL_MS * 1e6, () => {
      dialling.delete(to);
      if (this.#stations.has(to) || this.#stations.get(from.id) !== from) return;
      if (!from.knows(to)) return;
      const isOpen = !this.#isCut(from.id, to) && !this.#isCut(to, from.id);
      from.process.schedule(0, () => {
        if (isOpen) from.handlers?.onRefused(to);
        else from.handlers?.onUnreachable(to);
      });
      this.#redial(from, to);
    });
  }

  /** Question and answer are each lost like any message. */
  #ask(
    from: Station,
    to: MemberId,
    { question, timeoutMs }: { readonly question: Uint8Array; readonly timeoutMs: number },
  ): Promise<Uint8Array | undefined> {
    return new Promise((resolve) => {
      from.process.schedule(timeoutMs * 1e6, () => resolve(undefined));
      this.#passes(from.id, to, () => {
        const station = this.#stations.get(to);
        if (station?.handlers === undefined || station.isRemoved(from.id)) return;
        station.process.schedule(0, () => {
          void station.handlers?.onAsk(from.id, question).then((answer) => {
            if (answer === undefined) return;
            this.#passes(to, from.id, () => from.process.schedule(0, () => resolve(answer)));
          });
        });
      });
    });
  }

  #passes(from: MemberId, to: MemberId, arrive: () => void): void {
    const isLost = this.#random.below(100) < this.#qualityOf(from, to).lossPercent;
    this.#loop.schedule(this.#latencyNs(), () => {
      if (!isLost && !this.#isCut(from, to)) arrive();
    });
  }

  #connectedSinceNs(from: Station, peer: MemberId): number | undefined {
    const station = this.#stations.get(peer);
    const isOpen = !this.#isCut(from.id, peer) && !this.#isCut(peer, from.id);
    if (station === undefined || !isOpen) return undefined;
    const sinceNs = Math.max(from.joinedNs, station.joinedNs, this.#grudgeSinceNs);
    return from.nowNs() - (this.#loop.nowNs - sinceNs);
  }

  #send(from: Station, to: MemberId, message: Message): void {
    assert(message.type !== 'MsgStorageAppendResp', 'storage responses stay on their member');
    // What its last callback set off may still run.
    if (from.process.state === 'dead') return;
    this.#hooks.onSend(message, from.log());
    if (message.type === 'MsgSnap') return this.#sendSnapshot(from, to, message);
    const random = this.#random;
    const quality = this.#qualityOf(from.id, to);
    // Drawn in any case, so that a changed fault does not move every later draw.
    const [loss, twice, late] = [random.below(100), random.below(100), random.below(1_000_001)];
    if (quality.lossPercent > 0) this.tally.carried += 1;
    if (loss < quality.lossPercent) {
      this.tally.lost += 1;
      return this.#lose(from, to, message, 'lost');
    }
    const delayNs = this.#delayNs(quality, late);
    if (delayNs > 0) {
      this.tally.delayed += 1;
      this.tally.delayedSumMs += delayNs / 1e6;
    }
    this.#carry(from, to, message, delayNs);
    if (twice >= quality.duplicatePercent || message.type === 'MsgProp') return;
    this.tally.duplicated += 1;
    this.#carry(from, to, message, delayNs + this.#latencyNs());
  }

  #carry(from: Station, to: MemberId, message: Message, delayNs: number): void {
    const link = this.#link(from.id, to);
    const lane = message.type === 'MsgApp' || message.type === 'MsgProp' ? 'bulk' : 'control';
    const sentNs = this.#loop.nowNs;
    let arrivalNs = sentNs + this.#latencyNs() + delayNs;
    const { reorders } = this.#qualityOf(from.id, to);
    if (!reorders) arrivalNs = Math.max(arrivalNs, link.notBeforeNs[lane]);
    link.notBeforeNs[lane] = Math.max(arrivalNs, link.notBeforeNs[lane]);
    const carried = this.#options.encodes ? overTheWire(message) : message;
    const arrive = (): void => this.#arrive(from, to, carried, sentNs);
    this.#loop.schedule(arrivalNs - sentNs, arrive, SYNCHRONOUS);
  }

  #arrive(from: Station, to: MemberId, message: Message, sentNs: number): void {
    if (this.#isCut(from.id, to)) {
      this.#link(from.id, to).dropped += 1;
      return this.#lose(from, to, message, 'cut', sentNs);
    }
    const station = this.#stations.get(to);
    if (station?.handlers === undefined) return this.#lose(from, to, message, 'dead', sentNs);
    if (station.isRemoved(from.id)) return this.#refuseRemoved(from, to, message, sentNs);
    station.process.deliver(() => {
      this.#hooks.onFate(message, 'delivered', sentNs);
      station.handlers?.onMessage(message);
    });
  }

  /** Who was removed is told so by whoever knows, in place of being let in. */
  #refuseRemoved(from: Station, to: MemberId, message: Message, sentNs: number): void {
    this.#hooks.onFate(message, 'dead', sentNs);
    this.#passes(to, from.id, () => {
      from.process.schedule(0, () => from.handlers?.onRemoved());
    });
  }

  #lose(from: Station, to: MemberId, message: Message, fate: Fate, sentNs?: number): void {
    this.#hooks.onFate(message, fate, sentNs ?? this.#loop.nowNs);
    if (this.#random.below(UNREACHABLE_ONE_IN) !== 0) return;
    from.process.schedule(this.#latencyNs(), () => from.handlers?.onUnreachable(to));
  }

  /** The file travels beside the message, which is delivered once the file is sound there. */
  #sendSnapshot(from: Station, to: MemberId, message: MsgSnap): void {
    const sentNs = this.#loop.nowNs;
    const end = (delivered: boolean): void => {
      if (!this.#transfers.delete(transfer)) return;
      if (!delivered) this.#hooks.onFate(message, 'lost', sentNs);
      from.process.schedule(this.#latencyNs(), () => from.handlers?.onSnapshotSent(to, delivered));
    };
    const transfer: Transfer = { to, end };
    this.#transfers.add(transfer);
    this.#loop.schedule(TRANSFER_LIMIT_MS * 1e6, () => end(false));
    // Where messages get lost, connections break, and a file is many messages long.
    const { lossPercent } = this.#qualityOf(from.id, to);
    const breaks = this.#random.below(100) < lossPercent;
    let pieces = 0;
    const station = (): Station | undefined => {
      pieces += 1;
      const isOpen = !this.#isCut(from.id, to) && !this.#isCut(to, from.id);
      return isOpen && !(breaks && pieces > 1) ? this.#stations.get(to) : undefined;
    };
    copySnapshot(message, {
      source: from.source,
      receiver: station,
      pause: () => from.process.sleep(this.#latencyNs()),
    }).then(
      (delivered) => {
        if (!this.#transfers.has(transfer)) return;
        const receiver = station();
        if (delivered === undefined || receiver?.handlers === undefined) return end(false);
        receiver.process.schedule(0, () => {
          this.#hooks.onFate(delivered, 'delivered', sentNs);
          receiver.handlers?.onMessage(delivered);
        });
        end(true);
      },
      () => end(false),
    );
  }

  #link(from: MemberId, to: MemberId): Link {
    const key = `${this.#nameOf(from)} ${this.#nameOf(to)}`;
    const known = this.#links.get(key);
    if (known !== undefined) return known;
    const link: Link = { dropped: 0, notBeforeNs: { control: 0, bulk: 0 } };
    this.#links.set(key, link);
    return link;
  }

  #isCut(from: MemberId, to: MemberId): boolean {
    const [source, target] = [this.#nameOf(from), this.#nameOf(to)];
    if (this.#pulled.has(source) || this.#pulled.has(target)) return true;
    return this.#grudge.get(target)?.has(source) === true;
  }

  #qualityOf(from: MemberId, to: MemberId): LinkQuality {
    return this.links.of(this.#nameOf(from), this.#nameOf(to));
  }

  /** `late`, in [0, 1e6], was drawn already; other distributions take draws of their own. */
  #delayNs(quality: LinkQuality, late: number): number {
    const { delayMs, jitterMs, distribution } = quality;
    if (distribution !== 'uniform') return Math.round(drawDelayMs(this.#random, quality) * 1e6);
    const leastNs = Math.round((delayMs - jitterMs) * 1e6);
    return Math.max(0, leastNs + Math.round((2 * jitterMs * 1e6 * late) / 1e6));
  }

  #nameOf(id: MemberId): string {
    return this.#names.of(id);
  }

  #latencyNs(): number {
    return drawNs(this.#random, this.#options.latencyUs);
  }
}

/** As the receiver decodes it: nothing is shared with the sender. */
function overTheWire(message: Message): Message {
  assert(message.type !== 'MsgStorageAppendResp', 'storage responses stay on their member');
  const decoded = decodePeerMessage(encodePeerMessage(message));
  assert(decoded.ok, 'what a member sends can be read');
  return decoded.value;
}
