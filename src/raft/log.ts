/**
 * The replicated log of one member, in memory since its compaction point.
 *
 * Positions, all inclusive:  base ≤ applied ≤ applying ≤ commit ≤ last  and  stable ≤ handed ≤ last
 * (while a received snapshot waits to be installed, applied and stable lie before base).
 *
 * - base: the last forgotten entry; the first that is there has index base + 1.
 * - handed: given to storage; stable: storage has confirmed it. Truncation lowers both.
 * - applying: handed out for application; applied: reported back.
 *
 * Stable and commit are independent: an entry that a majority holds elsewhere is committed and
 * may be applied here before this member's own disk has it (thesis 10.2.1), so a leader with a
 * slow disk stays useful. After a crash such an entry comes back from the others.
 */
import { assert } from '../lib/assert.ts';
import type { Index, Term } from '../lib/ids.ts';
import { LogEntries } from './log-entries.ts';
import type { Entry, SnapshotMeta } from './message.ts';

/** Counted for each entry besides its data in every byte limit: term, index, type, framing. */
export const ENTRY_OVERHEAD_BYTES = 24;

export function entrySizeBytes(entry: { readonly data: Uint8Array }): number {
  return entry.data.length + ENTRY_OVERHEAD_BYTES;
}

export function entriesSizeBytes(entries: readonly { readonly data: Uint8Array }[]): number {
  let sizeBytes = 0;
  for (const entry of entries) sizeBytes += entrySizeBytes(entry);
  return sizeBytes;
}

/** A leader's batch fits after (`logTerm`, `index`), or does not, or contradicts a committed entry. */
export type AppendResult =
  | { readonly type: 'accepted'; readonly last: Index }
  | { readonly type: 'mismatch' }
  | { readonly type: 'conflictsWithCommitted'; readonly index: Index };

interface PendingSnapshot {
  readonly meta: SnapshotMeta;
  handed: boolean;
}

export class RaftLog {
  #baseIndex: Index;
  #baseTerm: Term;
  readonly #entries: LogEntries;
  #handed: Index;
  #stable: Index;
  #unstableBytes = 0;
  #commit: Index;
  #applying: Index;
  #applied: Index;
  /** Received and not yet installed by storage: nothing is applied until it is. */
  #pendingSnapshot: PendingSnapshot | undefined;

  /** Everything restored is durable. `entries` follow `snapshot` without a gap. */
  constructor(restore: {
    snapshot: { readonly index: Index; readonly term: Term };
    entries: readonly Entry[];
    commit: Index;
    applied: Index;
  }) {
    const { snapshot, entries, commit, applied } = restore;
    this.#baseIndex = snapshot.index;
    this.#baseTerm = snapshot.term;
    this.#entries = new LogEntries(snapshot.index + 1);
    for (const entry of entries) this.#push(entry);
    this.#handed = this.lastIndex;
    this.#stable = this.lastIndex;
    this.#unstableBytes = 0;
    assert(commit >= snapshot.index, 'log: commit lies before the snapshot');
    assert(commit <= this.lastIndex, 'log: commit lies beyond the last entry');
    assert(applied >= snapshot.index, 'log: applied lies before the snapshot');
    assert(applied <= commit, 'log: applied lies beyond commit');
    this.#commit = commit;
    this.#applying = applied;
    this.#applied = applied;
  }

  get base(): Index {
    return this.#baseIndex;
  }
  get lastIndex(): Index {
    return this.#entries.endIndex - 1;
  }
  get lastTerm(): Term {
    return this.#entries.lastTerm ?? this.#baseTerm;
  }
  get handed(): Index {
    return this.#handed;
  }
  get stable(): Index {
    return this.#stable;
  }
  /** Of entries that storage has not confirmed. */
  get unstableBytes(): number {
    return this.#unstableBytes;
  }
  get commit(): Index {
    return this.#commit;
  }
  get applying(): Index {
    return this.#applying;
  }
  get applied(): Index {
    return this.#applied;
  }
  get pendingSnapshot(): SnapshotMeta | undefined {
    return this.#pendingSnapshot?.meta;
  }

  /** Undefined outside [base, last]. */
  termAt(index: Index): Term | undefined {
    if (index === this.#baseIndex) return this.#baseTerm;
    return this.#entries.termAt(index);
  }

  entryAt(index: Index): Entry | undefined {
    return this.#entries.at(index);
  }

  /** Entries in [from, through] up to `maxBytes`, at least one if there is any. */
  slice(from: Index, through: Index, maxBytes: number): readonly Entry[] {
    assert(from > this.#baseIndex, 'log: slice starts before the log');
    assert(through <= this.lastIndex, 'log: slice ends after the log');
    let end = from;
    let sizeBytes = 0;
    while (end <= through) {
      sizeBytes += this.#sizeAt(end);
      if (sizeBytes > maxBytes && end > from) break;
      end++;
    }
    return this.#entries.slice(from, end);
  }

  /** The lowest index ≥ base such that the entries after it, up to `through`, fit. */
  indexWithin(through: Index, bytesMax: number): Index {
    let index = Math.min(through, this.lastIndex);
    let sizeBytes = 0;
    while (index > this.#baseIndex) {
      sizeBytes += this.#sizeAt(index);
      if (sizeBytes > bytesMax) break;
      index--;
    }
    return Math.max(index, this.#baseIndex);
  }

  uncommitted(): readonly Entry[] {
    return this.entriesAfter(this.#commit);
  }

  /** Of those not forgotten. */
  entriesAfter(index: Index): readonly Entry[] {
    return this.#entries.slice(Math.max(index, this.#baseIndex) + 1);
  }

  /** Thesis 3.6.1: is a log ending at (`term`, `index`) at least as complete as this one? */
  isUpToDate(index: Index, term: Term): boolean {
    return term > this.lastTerm || (term === this.lastTerm && index >= this.lastIndex);
  }

  /**
   * Largest index ≤ `index`, and not before `floor`, whose term is ≤ `term`: the last place
   * where two logs can still agree once one of them has `term` at `index`. Skips whole terms
   * in one round trip (thesis 3.5). Below the log: `floor` − 1, where the term is unknown.
   */
  findConflictByTerm(index: Index, term: Term, floor: Index): Index {
    assert(floor >= this.#baseIndex, 'log: search starts before the log');
    let low = floor - 1;
    let high = Math.min(index, this.lastIndex);
    while (low < high) {
      const middle = Math.floor((low + high + 1) / 2);
      if (this.termAt(middle)! <= term) low = middle;
      else high = middle - 1;
    }
    assert(low <= index || low === floor - 1, 'log: search left its range');
    return low;
  }

  /** The leader's own append, after its last entry. */
  append(entry: Entry): void {
    assert(this.#pendingSnapshot === undefined, 'log: append while a snapshot is pending');
    this.#push(entry);
  }

  /** A follower's append of what the leader sent after (`logTerm`, `index`). */
  accept(index: Index, logTerm: Term, entries: readonly Entry[]): AppendResult {
    if (this.termAt(index) !== logTerm) return { type: 'mismatch' };
    let at = 0;
    while (at < entries.length && this.termAt(entries[at]!.index) === entries[at]!.term) at++;
    if (at < entries.length) {
      const conflict = entries[at]!.index;
      if (conflict <= this.#commit) return { type: 'conflictsWithCommitted', index: conflict };
      this.#truncateFrom(conflict);
      for (; at < entries.length; at++) this.#push(entries[at]!);
    }
    assert(this.#commit <= this.lastIndex, 'log: commit lies beyond the last entry');
    return { type: 'accepted', last: index + entries.length };
  }

  /** Moves commit forward; false if it already is there. */
  commitTo(index: Index): boolean {
    assert(index <= this.lastIndex, 'log: commit lies beyond the last entry');
    if (index <= this.#commit) return false;
    this.#commit = index;
    return true;
  }

  /**
   * Storage holds the log through (`term`, `index`) as it was when that write was issued. The
   * caller has ruled out writes issued in an earlier term; within one term the log follows one
   * leader, so an entry with this index and term still has the same history before it.
   */
  stableTo(index: Index, term: Term): boolean {
    if (index <= this.#stable || this.termAt(index) !== term) return false;
    assert(index <= this.#handed, 'log: storage confirms what it was not given');
    assert(this.#pendingSnapshot === undefined, 'log: entries confirmed before their snapshot');
    this.#unstableBytes -= this.#sizeBetween(this.#stable, index);
    this.#stable = index;
    return true;
  }

  /** Replaces the log by a received snapshot; its bytes are storage's business. */
  restore(meta: SnapshotMeta): void {
    assert(meta.index > this.#commit, 'log: snapshot of what is already committed');
    assert(this.termAt(meta.index) !== meta.term, 'log: snapshot of what is already here');
    this.#stable = Math.min(this.#stable, this.#commit);
    this.#unstableBytes = 0;
    this.#entries.restart(meta.index + 1);
    this.#baseIndex = meta.index;
    this.#baseTerm = meta.term;
    this.#handed = meta.index;
    this.#commit = meta.index;
    this.#pendingSnapshot = { meta, handed: false };
  }

  /** Storage has installed the snapshot: the state machine now stands at it. */
  snapshotInstalled(meta: SnapshotMeta): boolean {
    if (this.#pendingSnapshot?.meta.index !== meta.index) return false;
    assert(this.#pendingSnapshot.handed, 'log: storage installed what it was not given');
    assert(meta.index === this.#baseIndex, 'log: the pending snapshot is not the base');
    this.#pendingSnapshot = undefined;
    this.#stable = Math.max(this.#stable, meta.index);
    this.#applying = Math.max(this.#applying, meta.index);
    this.#applied = Math.max(this.#applied, meta.index);
    return true;
  }

  /** What storage has not been given yet; from now on it has. */
  takeUnhanded(): { entries: readonly Entry[]; snapshot: SnapshotMeta | undefined } {
    const entries = this.#entries.slice(this.#handed + 1);
    this.#handed = this.lastIndex;
    const pending = this.#pendingSnapshot;
    if (pending === undefined || pending.handed) return { entries, snapshot: undefined };
    pending.handed = true;
    return { entries, snapshot: pending.meta };
  }

  /** The next committed entries to apply, up to `maxBytes`; from now on they are applying. */
  takeCommitted(maxBytes: number): readonly Entry[] {
    if (this.#pendingSnapshot !== undefined || this.#applying === this.#commit) return [];
    const entries = this.slice(this.#applying + 1, this.#commit, maxBytes);
    this.#applying += entries.length;
    assert(entries.length > 0, 'log: nothing to apply below commit');
    assert(this.#applying <= this.#commit, 'log: applying beyond commit');
    return entries;
  }

  /** Late reports from before a snapshot change nothing. */
  appliedTo(index: Index): void {
    assert(index <= this.#applying, 'log: applied what was not handed out');
    this.#applied = Math.max(this.#applied, index);
    assert(this.#applied <= this.#commit, 'log: applied beyond commit');
    // The last one stays as it is: who looks for news compares it with what was last.
    this.#entries.pack(Math.min(this.#applied, this.#stable, this.lastIndex - 1));
  }

  /** Forgets entries through `index`, but none that is not applied and durable. */
  compact(index: Index): void {
    const through = Math.min(index, this.#applied, this.#stable);
    if (through <= this.#baseIndex) return;
    const term = this.termAt(through);
    assert(term !== undefined, 'log: compaction beyond the last entry');
    this.#entries.drop(through + 1);
    this.#baseIndex = through;
    this.#baseTerm = term;
    assert(this.#baseIndex <= this.#commit, 'log: compaction beyond commit');
  }

  #push(entry: Entry): void {
    assert(entry.term >= this.lastTerm, 'log: terms must not decrease');
    this.#entries.push(entry);
    this.#unstableBytes += entrySizeBytes(entry);
  }

  /** Bytes of the entries in (`after`, `through`]. */
  #sizeBetween(after: Index, through: Index): number {
    let sizeBytes = 0;
    for (let index = Math.max(after, this.#baseIndex) + 1; index <= through; index++) {
      sizeBytes += this.#sizeAt(index);
    }
    return sizeBytes;
  }

  #sizeAt(index: Index): number {
    return this.#entries.dataBytesAt(index) + ENTRY_OVERHEAD_BYTES;
  }

  #truncateFrom(index: Index): void {
    assert(index > this.#commit, 'log: a committed entry must not be removed');
    assert(index > this.#baseIndex, 'log: truncation before the log');
    this.#unstableBytes -= this.#sizeBetween(Math.max(this.#stable, index - 1), this.lastIndex);
    this.#entries.truncate(index);
    this.#handed = Math.min(this.#handed, index - 1);
    this.#stable = Math.min(this.#stable, index - 1);
  }
}
