import { assert } from '../lib/assert.ts';
import type { Index } from '../lib/ids.ts';

/** What decides when a checkpoint is due, as it is now. */
export interface CheckpointFacts {
  readonly tick: number;
  readonly applied: Index;
  /** What the entries applied since the start take in memory, roughly. */
  readonly logBytes: number;
  /** Of the state that a checkpoint writes. */
  readonly sizeBytes: number;
}

/**
 * When a member writes a checkpoint: after so many entries as are asked for (etcd's
 * --snapshot-count). It is the whole state, whatever changed: after one that took long comes a
 * pause of so many times as long, unless the log outgrows so many times those entries, or this
 * part of the database, within bounds.
 *
 * And a member with nothing else to do writes one earlier, without that pause: what comes after
 * the checkpoint is what the next start has to apply again.
 */
export class CheckpointSchedule {
  readonly #snapshotCount: number;
  readonly #electionTicks: number;
  #index: Index;
  #isWriting = false;
  /** When the one being written, or the newest, was begun, and what was logged until then. */
  #begun: Pick<CheckpointFacts, 'tick' | 'logBytes'> = { tick: 0, logBytes: 0 };
  /** What was logged until the newest that was saved. */
  #savedLogBytes = 0;
  #notBeforeTick = 0;
  #hasFailed = false;
  /** As of the last tick. */
  #applied: Index = 0;
  #busyTick = 0;

  /** `index`: of the checkpoint that there is, 0: none. */
  constructor(index: Index, options: { snapshotCount: number; electionTicks: number }) {
    this.#index = index;
    this.#snapshotCount = options.snapshotCount;
    this.#electionTicks = options.electionTicks;
  }

  /** Of the newest checkpoint. */
  get index(): Index {
    return this.#index;
  }

  /** Once each tick. */
  onTick(tick: number, applied: Index): void {
    if (applied - this.#applied > QUIET_ENTRIES_MAX) this.#busyTick = tick;
    this.#applied = applied;
  }

  isDue(now: CheckpointFacts): boolean {
    if (this.#isWriting) return false;
    const isUrgent = this.#isLogLong(now) || this.#isWorthTheQuiet(now);
    if (!isUrgent && now.applied - this.#index < this.#snapshotCount) return false;
    return now.tick >= this.#notBeforeTick || (isUrgent && !this.#hasFailed);
  }

  begin({ tick, logBytes }: CheckpointFacts): void {
    assert(!this.#isWriting, 'one checkpoint at a time');
    this.#isWriting = true;
    this.#begun = { tick, logBytes };
  }

  /** False: a snapshot from the leader has overtaken it. */
  saved(index: Index, tick: number): boolean {
    assert(this.#isWriting, 'a saved checkpoint was asked for');
    this.#isWriting = false;
    if (index < this.#index) return false;
    this.#index = index;
    this.#savedLogBytes = this.#begun.logBytes;
    this.#notBeforeTick = tick + REST_FACTOR * (tick - this.#begun.tick);
    this.#hasFailed = false;
    return true;
  }

  failed(tick: number): void {
    this.#isWriting = false;
    this.#hasFailed = true;
    this.#notBeforeTick = tick + RETRY_ELECTIONS * this.#electionTicks;
  }

  /** A snapshot from the leader was installed. */
  replaced(index: Index, logBytes: number): void {
    this.#index = index;
    this.#savedLogBytes = logBytes;
  }

  /** So long that it would take much of the memory, or of the time that the next start takes. */
  #isLogLong({ applied, logBytes, sizeBytes }: CheckpointFacts): boolean {
    if (applied === this.#index) return false;
    if (applied - this.#index >= LONG_LOG_FACTOR * this.#snapshotCount) return true;
    const partBytes = Math.min(sizeBytes / LONG_LOG_PART, LONG_LOG_BYTES_MAX);
    return logBytes - this.#savedLogBytes >= Math.max(partBytes, LONG_LOG_BYTES_MIN);
  }

  #isWorthTheQuiet({ tick, applied, logBytes, sizeBytes }: CheckpointFacts): boolean {
    if (tick - this.#busyTick < QUIET_ELECTIONS * this.#electionTicks) return false;
    if (applied - this.#index < this.#snapshotCount / QUIET_COUNT_PART) return false;
    return logBytes - this.#savedLogBytes >= sizeBytes / QUIET_BYTES_PART;
  }
}

const REST_FACTOR = 8;
const LONG_LOG_FACTOR = 20;
const LONG_LOG_PART = 4;
const LONG_LOG_BYTES_MIN = 64 * 1024 * 1024;
const LONG_LOG_BYTES_MAX = 512 * 1024 * 1024;
/** A checkpoint that failed is tried again after this many election timeouts. */
const RETRY_ELECTIONS = 10;
/** In a tick: no more is nothing to do. */
const QUIET_ENTRIES_MAX = 1;
const QUIET_ELECTIONS = 2;
/** Parts of the entries asked for, and of the state that is to be written for them. */
const QUIET_COUNT_PART = 4;
const QUIET_BYTES_PART = 32;
