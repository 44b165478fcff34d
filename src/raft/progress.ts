/**
 * What the leader knows of one follower, and how it feeds it:
 * - probe: the match is unknown, so one MsgApp at a time, until one is accepted;
 * - replicate: the match is known, so entries are pipelined without waiting;
 * - snapshot: the entries it needs are gone, so nothing until a snapshot has arrived.
 */
import { assert } from '../lib/assert.ts';
import type { Index } from '../lib/ids.ts';
import { type InflightLimits, Inflights } from './inflights.ts';

export type ProgressState =
  | {
      readonly type: 'probe';
      /** A probe is out: wait for its answer, or for a heartbeat's. */
      paused: boolean;
    }
  | {
      readonly type: 'replicate';
      readonly inflights: Inflights;
      /** Entries stay unacknowledged: send once more, even nothing, to see if one was lost. */
      recheck: boolean;
      /** `match` when a heartbeat was last answered. */
      matchAtHeartbeat: Index;
    }
  | { readonly type: 'snapshot'; readonly pendingSnapshot: Index };

/** Invariant: 0 ≤ match < next; entries in (match, next) are on their way. */
export interface Progress {
  /** The follower holds the leader's log durably through this index. */
  match: Index;
  /** First entry of the next MsgApp. */
  next: Index;
  /** Newest commit index that a MsgApp has told it; heartbeats repair a lost one. */
  sentCommit: Index;
  /** Heard from since the last quorum check. */
  recentActive: boolean;
  state: ProgressState;
}

/** A follower about which nothing is known yet. `next` is a guess, corrected by probing. */
export function newProgress(next: Index, options: { recentActive: boolean }): Progress {
  assert(next >= 1, 'progress: the first index is 1');
  return {
    match: 0,
    next,
    sentCommit: 0,
    recentActive: options.recentActive,
    state: { type: 'probe', paused: false },
  };
}

/** Back to one message at a time, from the known match or just after a delivered snapshot. */
export function becomeProbe(progress: Progress, options: { paused: boolean; next?: Index }): void {
  progress.next = Math.max(progress.match + 1, options.next ?? 0);
  progress.sentCommit = Math.min(progress.sentCommit, progress.next - 1);
  progress.state = { type: 'probe', paused: options.paused };
  assert(progress.match < progress.next, 'progress: match must stay below next');
}

export function becomeReplicate(progress: Progress, limits: InflightLimits): void {
  assert(progress.state.type !== 'replicate', 'progress: already replicating');
  progress.next = progress.match + 1;
  progress.sentCommit = Math.min(progress.sentCommit, progress.match);
  progress.state = {
    type: 'replicate',
    inflights: new Inflights(limits),
    recheck: false,
    matchAtHeartbeat: progress.match,
  };
}

export function becomeSnapshot(progress: Progress, pendingSnapshot: Index): void {
  assert(pendingSnapshot > progress.match, 'progress: the snapshot holds nothing new');
  progress.next = pendingSnapshot + 1;
  progress.sentCommit = Math.min(progress.sentCommit, pendingSnapshot);
  progress.state = { type: 'snapshot', pendingSnapshot };
}

/** Records an acknowledgement; true if it told something new. */
export function acknowledge(progress: Progress, index: Index): boolean {
  if (progress.state.type === 'replicate') progress.state.inflights.freeTo(index);
  if (index <= progress.match) return false;
  progress.match = index;
  progress.next = Math.max(progress.next, index + 1);
  assert(progress.match < progress.next, 'progress: match must stay below next');
  return true;
}

/**
 * Records that the follower refused the MsgApp after `rejected`; its log may agree at `hint`.
 * False: the refusal is stale (messages may be reordered) and nothing changes.
 */
export function reject(progress: Progress, rejected: Index, hint: Index): boolean {
  assert(progress.match < progress.next, 'progress: match must stay below next');
  if (progress.state.type === 'replicate') {
    if (rejected <= progress.match) return false;
    becomeProbe(progress, { paused: false });
    return true;
  }
  if (progress.state.type === 'snapshot' || rejected !== progress.next - 1) return false;
  // It denies what it acknowledged: it has lost entries, and may have old ones in their place. A
  // hint is a guess; to count less than it may hold is always safe.
  if (rejected <= progress.match) progress.match = 0;
  becomeProbe(progress, { paused: false, next: Math.max(1, Math.min(rejected, hint + 1)) });
  return true;
}
