import { assert } from '../lib/assert.ts';
import { type ClusterId, formatId, type MemberId } from '../lib/ids.ts';
import type { Clock } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';
import type { Network, NetworkHandlers, PeerUrls } from '../ports/network.ts';
import type { Message, MsgSnap } from '../raft/message.ts';
import type { SnapshotSink, SnapshotSource } from '../snap/snapshot-files.ts';
import { encodePeerMessage } from '../wire/peer-message.ts';
import { Acceptor, type OpenPeerTls } from './acceptor.ts';
import { type AskFrame, encodeAskFrame, Questions } from './asking.ts';
import { type ConnectTls, type DialFailure, dial, type PeerAddress } from './dialler.ts';
import type { Handshake, Lane } from './handshake.ts';
import { LaneSender } from './lane-sender.ts';
import { type NetworkObserver, type PeerCounters, PeerTable } from './peer-counters.ts';
import type { PeerPage } from './peer-page.ts';
import { sendSnapshot } from './snapshot-transfer.ts';

/**
 * The real network between members: two lanes to every peer, so that a heartbeat never
 * waits behind a megabyte of entries, and a connection of its own for a snapshot.
 */
export class TcpNetwork implements Network<Message> {
  readonly #options: TcpNetworkOptions;
  readonly #peers = new Map<MemberId, Peer>();
  /** As the list has them. Peers beside them are strangers, who called. */
  #members = new Set<MemberId>();
  readonly #acceptor: Acceptor;
  readonly #questions: Questions;
  readonly #counters = new PeerTable();
  #handlers: NetworkHandlers<Message> | undefined;

  constructor(options: TcpNetworkOptions) {
    this.#options = options;
    const { self, clusterId, clock, log, sink } = options;
    this.#acceptor = new Acceptor({
      self,
      clusterId,
      clock,
      log,
      sink,
      admits: (id, peerUrls) => this.#peers.has(id) || this.#meetStranger(id, peerUrls),
      // Before `listen` there is no member yet that could be asked.
      isRemoved: (id) => this.#handlers !== undefined && options.isRemoved(id),
      onGone: (id) => this.#forgetStranger(id),
      onMessage: (message) => this.#handlers?.onMessage(message),
      onReceived: (from, sizeBytes) => {
        this.#counters.of(from).receivedBytes += sizeBytes;
      },
      onSnapshotReceived: options.observer?.onSnapshotReceived,
      onAsk: (from, frame) => this.#onAsk(from, frame),
      page: (path) => (this.#handlers === undefined ? NOT_YET : options.page(path)),
      openTls: options.openTls,
      reusePort: options.reusePort,
      readTimeoutMs: options.readTimeoutMs,
    });
    this.#questions = new Questions(clock);
    for (const { id, peerUrls } of options.peers) {
      this.#members.add(id);
      if (id !== self) this.#meet(id, peerUrls);
    }
  }

  /** Starts to accept; rejects with the system's error. Before `listen` nothing is delivered. */
  bind(address: PeerAddress): Promise<void> {
    return this.#acceptor.listen(address);
  }

  listen(handlers: NetworkHandlers<Message>): void {
    assert(this.#handlers === undefined, 'listen is called once');
    this.#handlers = handlers;
    for (const { lanes } of this.#peers.values()) openLanes(lanes);
  }

  /**
   * Peers that stay keep their connections, unless they moved. Members that the list does not
   * have yet are kept too: this member may be behind, and be fed by just those.
   */
  setPeers(peers: readonly PeerUrls[]): void {
    const wanted = new Map(peers.map(({ id, peerUrls }) => [id, peerUrls]));
    this.#members = new Set(wanted.keys());
    for (const [id, peer] of this.#peers) {
      const urls = wanted.get(id);
      const isKept = urls === undefined ? !this.#options.isRemoved(id) : sameUrls(urls, peer);
      if (isKept) continue;
      this.#peers.delete(id);
      closeLanes(peer.lanes);
    }
    for (const [id, peerUrls] of wanted) {
      if (id !== this.#options.self && !this.#peers.has(id)) this.#meet(id, peerUrls);
    }
    this.#acceptor.hangUpOnRemoved();
  }

  /** May be a member of which this one has not heard yet. False: no room, or see `#meet`. */
  #meetStranger(id: MemberId, peerUrls: readonly string[]): boolean {
    const strangers = [...this.#peers.keys()].filter((peer) => !this.#members.has(peer));
    return strangers.length < STRANGERS_MAX && this.#meet(id, peerUrls);
  }

  /** Whoever is a member after all calls again. */
  #forgetStranger(id: MemberId): void {
    const peer = this.#peers.get(id);
    if (peer === undefined || this.#members.has(id)) return;
    this.#peers.delete(id);
    this.#counters.forget(id);
    closeLanes(peer.lanes);
  }

  /** False: none of its URLs can be dialled. */
  #meet(id: MemberId, peerUrls: readonly string[]): boolean {
    const address = this.#options.addressOf(peerUrls);
    if (address === undefined) return false;
    const peer = this.#createPeer(id, peerUrls, address);
    this.#peers.set(id, peer);
    if (this.#handlers !== undefined) openLanes(peer.lanes);
    return true;
  }

  ask(to: MemberId, question: Uint8Array, timeoutMs: number): Promise<Uint8Array | undefined> {
    const lane = this.#peers.get(to)?.lanes.bulk;
    const send = (frame: Uint8Array): boolean => lane?.send(frame) ?? false;
    return this.#questions.ask(to, question, { timeoutMs, send });
  }

  /** Of the members it is to be connected to now. */
  peers(): readonly ({ readonly id: MemberId; readonly connected: boolean } & PeerCounters)[] {
    return [...this.#peers.keys()].map((id) => {
      const connected = this.connectedSinceNs(id) !== undefined;
      return { id, connected, ...this.#counters.of(id) };
    });
  }

  connectedSinceNs(peer: MemberId): number | undefined {
    const lanes = this.#peers.get(peer)?.lanes;
    const [control, bulk] = [lanes?.control.readySinceNs, lanes?.bulk.readySinceNs];
    return control === undefined || bulk === undefined ? undefined : Math.max(control, bulk);
  }

  send(to: MemberId, message: Message): void {
    const peer = this.#peers.get(to);
    // Raft may still address a member that was just removed.
    if (peer === undefined) return;
    assert(message.type !== 'MsgStorageAppendResp', 'storage responses stay on their member');
    if (message.type === 'MsgSnap') return this.#sendSnapshot(peer, message);
    const bytes = encodePeerMessage(message);
    const counters = this.#counters.of(to);
    if (peer.lanes[laneOf(message)].send(bytes)) {
      counters.sentBytes += bytes.length;
      return;
    }
    counters.sendFailures += 1;
    // Not from within the caller's turn.
    this.#options.clock.soon(() => this.#handlers?.onUnreachable(to));
  }

  async close(): Promise<void> {
    this.#handlers = undefined;
    for (const { lanes } of this.#peers.values()) closeLanes(lanes);
    this.#questions.close();
    await this.#acceptor.close();
  }

  #onAsk(from: MemberId, frame: AskFrame): void {
    if (frame.type === 'answer') return this.#questions.answered(from, frame);
    const { number } = frame;
    // The bytes are a window on what the socket read.
    const asked = this.#handlers?.onAsk(from, new Uint8Array(frame.bytes));
    asked?.then(
      (bytes) => {
        if (bytes === undefined) return;
        // Without a connection the asker gives up by itself.
        this.#peers.get(from)?.lanes.bulk.send(encodeAskFrame({ type: 'answer', number, bytes }));
      },
      (error: unknown) => {
        this.#options.log.error('a question of a peer failed by a bug', { error: String(error) });
      },
    );
  }

  #createPeer(id: MemberId, peerUrls: readonly string[], address: PeerAddress): Peer {
    const lane = (name: 'control' | 'bulk'): LaneSender =>
      new LaneSender(
        {
          address,
          handshake: this.#handshake(id, name),
          connectTls: this.#options.connectTls,
          clock: this.#options.clock,
          queueBytesMax: name === 'control' ? CONTROL_QUEUE_BYTES_MAX : BULK_QUEUE_BYTES_MAX,
          timeoutMs: this.#options.timeoutMs,
          redialMs: this.#options.redialMs,
        },
        {
          onLost: (reason) => this.#onLost(id, name, reason),
          onDialFailed: (failure) => this.#onDialFailed(id, failure),
          onRoundTrip: (latencyNs) => {
            if (name === 'control') this.#options.observer?.onRoundTrip(id, latencyNs);
          },
        },
      );
    return {
      id,
      peerUrls,
      address,
      lanes: { control: lane('control'), bulk: lane('bulk') },
      sendingSnapshot: false,
      reported: undefined,
    };
  }

  #handshake(to: MemberId, lane: Lane): Handshake {
    const { clusterId, self: from, selfUrls: peerUrls } = this.#options;
    return { clusterId, from, to, lane, peerUrls };
  }

  #onLost(id: MemberId, lane: string, reason: string): void {
    this.#options.log.warn('lost connection to peer', { peer: formatId(id), lane, reason });
    const peer = this.#peers.get(id);
    if (peer !== undefined) peer.reported = undefined;
    this.#counters.of(id).disconnects += 1;
    this.#handlers?.onUnreachable(id);
  }

  /** Said once per outage: attempts repeat many times a second. */
  #onDialFailed(id: MemberId, failure: DialFailure): void {
    const peer = this.#peers.get(id);
    if (peer !== undefined && peer.reported !== failure.kind) {
      peer.reported = failure.kind;
      const { reason } = failure;
      this.#options.log.warn('cannot reach peer', { peer: formatId(id), reason });
    }
    if (failure.kind === 'removed') this.#handlers?.onRemoved();
    else if (failure.kind === 'refused') this.#handlers?.onRefused(id);
    else this.#handlers?.onUnreachable(id);
  }

  #sendSnapshot(peer: Peer, message: MsgSnap): void {
    if (peer.sendingSnapshot) return;
    peer.sendingSnapshot = true;
    const startNs = this.#options.clock.nowNs();
    const done = (delivered: boolean): void => {
      peer.sendingSnapshot = false;
      const { clock, observer } = this.#options;
      observer?.onSnapshotSent(peer.id, delivered, clock.nowNs() - startNs);
      this.#handlers?.onSnapshotSent(peer.id, delivered);
    };
    const { clock, timeoutMs, connectTls, log, source, writeTimeoutMs } = this.#options;
    log.info('sending snapshot', { peer: formatId(peer.id), index: message.snapshot.index });
    dial(
      peer.address,
      this.#handshake(peer.id, 'snapshot'),
      { clock, timeoutMs, connectTls },
      {
        onFailure: () => done(false),
        onReady: (socket) => {
          sendSnapshot(socket, message, source, writeTimeoutMs).then(done, (error: unknown) => {
            log.warn('snapshot not sent', { peer: formatId(peer.id), error: String(error) });
            done(false);
          });
        },
      },
    );
  }
}

function openLanes({ control, bulk }: Peer['lanes']): void {
  control.open();
  bulk.open();
}

function closeLanes({ control, bulk }: Peer['lanes']): void {
  control.close();
  bulk.close();
}

/** Entries and proposals may be long; everything else is small and must not wait for them. */
function laneOf(message: Exclude<Message, { type: 'MsgSnap' }>): 'control' | 'bulk' {
  return message.type === 'MsgApp' || message.type === 'MsgProp' ? 'bulk' : 'control';
}

export interface TcpNetworkOptions {
  readonly self: MemberId;
  readonly clusterId: ClusterId;
  /** This member's own peer URLs. */
  readonly selfUrls: readonly string[];
  readonly isRemoved: (id: MemberId) => boolean;
  /** To begin with; more come and go by {@link TcpNetwork.setPeers}. */
  readonly peers: readonly PeerUrls[];
  /** Where to dial a member; undefined: none of its URLs can be dialled. */
  readonly addressOf: (peerUrls: readonly string[]) => PeerAddress | undefined;
  /** What members show each other over HTTP. */
  readonly page: (path: string) => PeerPage;
  /** For peers at `https://`; undefined: none can be dialled. */
  readonly connectTls?: ConnectTls;
  /** For own addresses at `https://`; undefined: there are none. */
  readonly openTls?: OpenPeerTls;
  readonly clock: Clock;
  readonly log: Log;
  readonly observer?: NetworkObserver;
  readonly source: SnapshotSource;
  readonly sink: SnapshotSink;
  /** Silence of a peer after which a connection is given up. */
  readonly timeoutMs: number;
  /** Silence of whoever dials or sends a snapshot, after which the connection closes. */
  readonly readTimeoutMs?: number;
  /** Without progress for so long, a snapshot that is being sent is given up. */
  readonly writeTimeoutMs?: number;
  /** --socket-reuse-port. */
  readonly reusePort?: boolean;
  readonly redialMs: number;
}

interface Peer {
  readonly id: MemberId;
  readonly peerUrls: readonly string[];
  readonly address: PeerAddress;
  readonly lanes: { readonly control: LaneSender; readonly bulk: LaneSender };
  sendingSnapshot: boolean;
  reported: DialFailure['kind'] | undefined;
}

function sameUrls(urls: readonly string[], peer: Peer): boolean {
  return urls.join() === peer.peerUrls.join();
}

/** At a time; others that claim to be members wait until one of them hangs up. */
const STRANGERS_MAX = 10;
const NOT_YET: PeerPage = { status: 503, headers: {}, body: 'not ready\n' };
const CONTROL_QUEUE_BYTES_MAX = 1024 * 1024;
const BULK_QUEUE_BYTES_MAX = 64 * 1024 * 1024;
