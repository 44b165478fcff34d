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
}
