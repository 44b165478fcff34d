import type { MemberId } from '../lib/ids.ts';

/**
 * The network between members. `PeerMessage` is the raft message type; ports know no raft.
 *
 * Contract: each message is delivered at most once, unchanged, or lost without notice. Two
 * messages on the same lane to the same peer are not reordered while a connection lasts;
 * across lanes and reconnects they may be. At most once matters: a forwarded proposal that
 * arrived twice would be applied twice.
 */
export interface Network<PeerMessage> {
  /**
   * Queues for `to` and returns at once. Full queues drop the message and report the peer
   * unreachable. Small urgent messages (heartbeats, votes) never queue behind bulk ones.
   */
  send(to: MemberId, message: PeerMessage): void;
  /**
   * Asks a peer and resolves with its answer; undefined: none came in time, or it is away. Never
   * rejects, never asks twice; whether the peer acted on it is unknown without an answer.
   */
  ask(to: MemberId, question: Uint8Array, timeoutMs: number): Promise<Uint8Array | undefined>;
  /** Since when (Clock.nowNs) the peer has been connected without a break; undefined: it is not. */
  connectedSinceNs(peer: MemberId): number | undefined;
  /** Everybody there is now, this member included; connections to others end. */
  setPeers(peers: readonly PeerUrls[]): void;
  /** Called once, before any message may arrive. */
  listen(handlers: NetworkHandlers<PeerMessage>): void;
  close(): Promise<void>;
}

export interface NetworkHandlers<PeerMessage> {
  onMessage(message: PeerMessage): void;
  /** A message to the peer was lost as far as this side can tell. */
  onUnreachable(peer: MemberId): void;
  /** The peer's host answers that nothing listens there: its process is most likely gone. */
  onRefused(peer: MemberId): void;
  /** The transfer of a snapshot to the peer ended; false: try again later. */
  onSnapshotSent(peer: MemberId, delivered: boolean): void;
  /** A peer says that this member was removed from the cluster. */
  onRemoved(): void;
  /** A peer asks; undefined: no answer, as if it had been lost. */
  onAsk(from: MemberId, question: Uint8Array): Promise<Uint8Array | undefined>;
}

export interface PeerUrls {
  readonly id: MemberId;
  /** Tried in turn. */
  readonly peerUrls: readonly string[];
}
