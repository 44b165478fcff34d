import type { MemberId } from '../lib/ids.ts';

/** What went to and came from the other members since the start, for metrics. */
export interface PeerCounters {
  sentBytes: number;
  receivedBytes: number;
  /** Messages that found no connection, or no room. */
  sendFailures: number;
  /** Times that a connection was lost. */
  disconnects: number;
}

/** Told of what happens to connections as it happens; nothing depends on it. */
export interface NetworkObserver {
  /** From a message, on the lane where none is long, to the word that it was read. */
  onRoundTrip(peer: MemberId, latencyNs: number): void;
  onSnapshotSent(peer: MemberId, success: boolean, latencyNs: number): void;
  onSnapshotReceived(peer: MemberId, success: boolean, latencyNs: number): void;
}

/** Kept for members that left, too: there are few, and a counter never falls. Not for strangers. */
export class PeerTable {
  readonly #counters = new Map<MemberId, PeerCounters>();

  of(peer: MemberId): PeerCounters {
    const known = this.#counters.get(peer);
    if (known !== undefined) return known;
    const counters = { sentBytes: 0, receivedBytes: 0, sendFailures: 0, disconnects: 0 };
    this.#counters.set(peer, counters);
    return counters;
  }

  forget(peer: MemberId): void {
    this.#counters.delete(peer);
  }
}
