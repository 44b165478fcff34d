import { assert } from '../lib/assert.ts';
import { type ClusterId, formatId, type MemberId } from '../lib/ids.ts';
import type { Clock } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';
import type { Network, NetworkHandlers } from '../ports/network.ts';
import type { Message, MsgSnap } from '../raft/message.ts';
import type { SnapshotSink, SnapshotSource } from '../snap/snapshot-files.ts';
import { encodePeerMessage } from '../wire/peer-message.ts';
import { Acceptor } from './acceptor.ts';
import { type DialFailure, dial, type PeerAddress } from './dialler.ts';
import type { Lane } from './handshake.ts';
import { LaneSender } from './lane-sender.ts';
import { sendSnapshot } from './snapshot-transfer.ts';

/**
 * The real network between members: two lanes to every peer, so that a heartbeat never
 * waits behind a megabyte of entries, and a connection of its own for a snapshot.
 */
export class TcpNetwork implements Network<Message> {
  readonly #options: TcpNetworkOptions;
  readonly #peers = new Map<MemberId, Peer>();
  readonly #acceptor: Acceptor;
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
      isPeer: (id) => this.#peers.has(id),
      onMessage: (message) => this.#handlers?.onMessage(message),
    });
    for (const [id, address] of options.peers) {
      if (id !== self) this.#peers.set(id, this.#createPeer(id, address));
    }
  }

  /** Starts to accept; rejects with the system's error. Before `listen` nothing is delivered. */
  bind(address: PeerAddress): Promise<void> {
    return this.#acceptor.listen(address);
  }

  listen(handlers: NetworkHandlers<Message>): void {
    assert(this.#handlers === undefined, 'listen is called once');
    this.#handlers = handlers;
    for (const { lanes } of this.#peers.values()) {
      lanes.control.open();
      lanes.bulk.open();
    }
  }

  send(to: MemberId, message: Message): void {
    const peer = this.#peers.get(to);
    // Raft may still address a member that was just removed.
    if (peer === undefined) return;
    assert(message.type !== 'MsgStorageAppendResp', 'storage responses stay on their member');
    if (message.type === 'MsgSnap') return this.#sendSnapshot(peer, message);
    if (peer.lanes[laneOf(message)].send(encodePeerMessage(message))) return;
    // Not from within the caller's turn.
    this.#options.clock.soon(() => this.#handlers?.onUnreachable(to));
  }

  async close(): Promise<void> {
    this.#handlers = undefined;
    for (const { lanes } of this.#peers.values()) {
      lanes.control.close();
      lanes.bulk.close();
    }
    await this.#acceptor.close();
  }

  #createPeer(id: MemberId, address: PeerAddress): Peer {
    const lane = (name: 'control' | 'bulk'): LaneSender =>
      new LaneSender(
        {
          address,
          handshake: this.#handshake(id, name),
          clock: this.#options.clock,
          queueBytesMax: name === 'control' ? CONTROL_QUEUE_BYTES_MAX : BULK_QUEUE_BYTES_MAX,
          timeoutMs: this.#options.timeoutMs,
          redialMs: this.#options.redialMs,
        },
        {
          onLost: (reason) => this.#onLost(id, name, reason),
          onDialFailed: (failure) => this.#onDialFailed(id, failure),
        },
      );
    return {
      id,
      address,
      lanes: { control: lane('control'), bulk: lane('bulk') },
      sendingSnapshot: false,
      reported: undefined,
    };
  }

  #handshake(
    to: MemberId,
    lane: Lane,
  ): { clusterId: ClusterId; from: MemberId; to: MemberId; lane: Lane } {
    return { clusterId: this.#options.clusterId, from: this.#options.self, to, lane };
  }

  #onLost(id: MemberId, lane: string, reason: string): void {
    this.#options.log.warn('lost connection to peer', { peer: formatId(id), lane, reason });
    const peer = this.#peers.get(id);
    if (peer !== undefined) peer.reported = undefined;
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
    if (failure.kind === 'refused') this.#handlers?.onRefused(id);
    else this.#handlers?.onUnreachable(id);
  }

  #sendSnapshot(peer: Peer, message: MsgSnap): void {
    if (peer.sendingSnapshot) return;
    peer.sendingSnapshot = true;
    const done = (delivered: boolean): void => {
      peer.sendingSnapshot = false;
      this.#handlers?.onSnapshotSent(peer.id, delivered);
    };
    const { clock, timeoutMs, log, source } = this.#options;
    log.info('sending snapshot', { peer: formatId(peer.id), index: message.snapshot.index });
    dial(
      peer.address,
      this.#handshake(peer.id, 'snapshot'),
      { clock, timeoutMs },
      {
        onFailure: () => done(false),
        onReady: (socket) => {
          sendSnapshot(socket, message, source).then(done, (error: unknown) => {
            log.warn('snapshot not sent', { peer: formatId(peer.id), error: String(error) });
            done(false);
          });
        },
      },
    );
  }
}

/** Entries and proposals may be long; everything else is small and must not wait for them. */
function laneOf(message: Exclude<Message, { type: 'MsgSnap' }>): 'control' | 'bulk' {
  return message.type === 'MsgApp' || message.type === 'MsgProp' ? 'bulk' : 'control';
}

export interface TcpNetworkOptions {
  readonly self: MemberId;
  readonly clusterId: ClusterId;
  readonly peers: ReadonlyMap<MemberId, PeerAddress>;
  readonly clock: Clock;
  readonly log: Log;
  readonly source: SnapshotSource;
  readonly sink: SnapshotSink;
  /** Silence of a peer after which a connection is given up. */
  readonly timeoutMs: number;
  readonly redialMs: number;
}

interface Peer {
  readonly id: MemberId;
  readonly address: PeerAddress;
  readonly lanes: { readonly control: LaneSender; readonly bulk: LaneSender };
  sendingSnapshot: boolean;
  reported: DialFailure['kind'] | undefined;
}

const CONTROL_QUEUE_BYTES_MAX = 1024 * 1024;
const BULK_QUEUE_BYTES_MAX = 64 * 1024 * 1024;
