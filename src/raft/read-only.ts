/**
 * Linearizable reads without log entries (thesis 6.4): a leader that has committed in its term
 * notes its commit index, proves with one round of heartbeats that it still led afterwards,
 * and only then gives the index out.
 *
 * Rounds are numbered within one leadership. Heartbeats carry the newest round; an answer to
 * round n confirms every round ≤ n, so lost answers cost nothing once a later one arrives.
 */
import { assert } from '../lib/assert.ts';
import type { Index, MemberId } from '../lib/ids.ts';
import { jointQuorumValue, type VoterSets } from './quorum.ts';

/** Reads that one leader keeps waiting; more are refused, and asked again by their members. */
export const PENDING_READS_MAX = 16_384;

export interface ReadRequest {
  readonly from: MemberId;
  readonly context: number;
}

export interface ReadRound {
  readonly round: number;
  /** Commit index when the newest of `requests` arrived. */
  index: Index;
  readonly requests: ReadRequest[];
}

export class ReadOnly {
  /** Arrived before the leader knew what is committed. */
  #postponed: ReadRequest[] = [];
  /** Waiting for a quorum, oldest first. */
  #rounds: ReadRound[] = [];
  readonly #acknowledged: Map<MemberId, number> = new Map();
  #newestRound = 0;
  /** The newest round's heartbeats have not left this member: it may still take reads. */
  #open = false;
  #pendingCount = 0;

  get pendingCount(): number {
    return this.#pendingCount;
  }

  /** For heartbeats: the newest unconfirmed round, or 0 when no read waits. */
  get context(): number {
    return this.#rounds.length > 0 ? this.#newestRound : 0;
  }

  full(): boolean {
    return this.#pendingCount >= PENDING_READS_MAX;
  }

  postpone(request: ReadRequest): void {
    assert(!this.full(), 'read-only: postponed while full');
    this.#postponed.push(request);
    this.#pendingCount++;
  }

  takePostponed(): readonly ReadRequest[] {
    const taken = this.#postponed;
    this.#postponed = [];
    this.#pendingCount -= taken.length;
    assert(this.#pendingCount >= 0, 'read-only: negative count');
    return taken;
  }

  /** Adds to the open round, or starts one; true: its heartbeats must be sent now. */
  add(request: ReadRequest, commit: Index): boolean {
    assert(!this.full(), 'read-only: added while full');
    this.#pendingCount++;
    const newest = this.#rounds.at(-1);
    if (this.#open && newest !== undefined) {
      assert(commit >= newest.index, 'read-only: commit went back');
      newest.index = commit;
      newest.requests.push(request);
      return false;
    }
    this.#newestRound++;
    this.#rounds.push({ round: this.#newestRound, index: commit, requests: [request] });
    this.#open = true;
    return true;
  }

  /** The heartbeats leave now: a read that arrives later needs a round that starts later. */
  close(): void {
    this.#open = false;
  }

  /** A member answered a heartbeat of `round`. Rounds of the future are a malformed message. */
  acknowledge(from: MemberId, round: number): void {
    if (round > this.#newestRound) return;
    if (round > (this.#acknowledged.get(from) ?? 0)) this.#acknowledged.set(from, round);
  }

  /** Removes and returns the rounds that a majority has confirmed, `self` included. */
  takeConfirmed(voters: VoterSets, self: MemberId): readonly ReadRound[] {
    if (this.#rounds.length === 0) return [];
    const confirmed = jointQuorumValue(voters, (voter) =>
      voter === self ? this.#newestRound : (this.#acknowledged.get(voter) ?? 0),
    );
    let count = 0;
    while (count < this.#rounds.length && this.#rounds[count]!.round <= confirmed) {
      this.#pendingCount -= this.#rounds[count]!.requests.length;
      count++;
    }
    assert(this.#pendingCount >= 0, 'read-only: negative count');
    return this.#rounds.splice(0, count);
  }
}
