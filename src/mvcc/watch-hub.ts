/**
 * Tells watchers what changes. One that has seen everything ("synced") is told of each revision
 * when it is applied. All others (those that start in the past, and those whose stream was full)
 * catch up from the store: nothing is kept for them, so a slow client costs no memory.
 */
import { assert } from '../lib/assert.ts';
import type { Revision } from '../lib/ids.ts';
import type { StoredRevision } from './revision-record.ts';
import { collectChange, type FoundChanges, readForWatchers } from './watch-catch-up.ts';
import type { WatchedChanges } from './watch-changes.ts';
import { WatchIndex } from './watch-index.ts';
import type { WatchEvent } from './watch-request.ts';
import type { WatchSource } from './watch-source.ts';
import { type Watcher, type WatchOutlet, WatchStream } from './watch-stream.ts';

/** What one member does for watchers at most, at a time. */
export interface WatchLimits {
  /** Watchers of all streams; one more is refused. */
  readonly watchersMax: number;
  readonly watchersPerStreamMax: number;
  /**
   * Watchers that are told of one revision while it is applied; the others catch up from the
   * store, which bounds what a revision that everybody watches costs its applier.
   */
  readonly notifiedMax: number;
  /** Watchers that catch up together in one go. */
  readonly catchUpWatchersMax: number;
  /** Changes read from the store in one go, give or take one main revision. */
  readonly catchUpRowsMax: number;
  /**
   * Keys and values of the changes in one response, give or take one main revision. What a
   * stream holds is bounded by this and its sink's own mark: no event is handed to a sink that
   * is not writable.
   */
  readonly responseBytesMax: number;
}

/** 512 watchers a go as in etcd; the rest is about 10 ms of work. */
export const DEFAULT_WATCH_LIMITS: WatchLimits = {
  watchersMax: 1_000_000,
  watchersPerStreamMax: 200_000,
  notifiedMax: 10_000,
  catchUpWatchersMax: 512,
  catchUpRowsMax: 8192,
  responseBytesMax: 1024 * 1024,
};

/** For metrics. */
export interface WatchStats {
  readonly streams: number;
  readonly watchers: number;
  /** Of them those that must catch up. */
  readonly slowWatchers: number;
  /** Events handed over since the start. */
  readonly events: number;
}

/** Calls come from one place; a delivery must not apply requests or feed ticks. */
export class WatchHub {
  readonly #limits: WatchLimits;
  #source: WatchSource;
  /** Last revision that watchers were told of; the store may already be further. */
  #revision: Revision;
  #synced = new WatchIndex<Watcher>();
  readonly #streams = new Set<WatchStream>();
  /** Streams with watchers that must catch up and, as far as known, room for what they get. */
  readonly #ready = new Set<WatchStream>();
  #watcherCount = 0;
  #eventCount = 0;
  #nowTick = 0;

  constructor(source: WatchSource, limits: WatchLimits = DEFAULT_WATCH_LIMITS) {
    this.#source = source;
    this.#limits = limits;
    this.#revision = source.revision;
  }

  get revision(): Revision {
    return this.#revision;
  }

  get hasRoom(): boolean {
    return this.#watcherCount < this.#limits.watchersMax;
  }

  get watchersPerStreamMax(): number {
    return this.#limits.watchersPerStreamMax;
  }

  stats(): WatchStats {
    return {
      streams: this.#streams.size,
      watchers: this.#watcherCount,
      slowWatchers: this.#watcherCount - this.#synced.size,
      events: this.#eventCount,
    };
  }

  /** `progressTicks`: between the progress notifications of one stream. */
  open(outlet: WatchOutlet, progressTicks: number): WatchStream {
    const stream = new WatchStream(this, outlet, {
      progressTicks,
      progressDueTick: this.#nowTick + progressTicks,
    });
    this.#streams.add(stream);
    return stream;
  }

  /** After each revision that was applied, in order: all its changes, in sub order. */
  notify(revision: Revision, changes: readonly StoredRevision[]): void {
    assert(revision === this.#revision + 1, `watchers were told of ${this.#revision} before`);
    const found: FoundChanges = new Map();
    if (this.#synced.size > 0) {
      for (const change of changes) collectChange(this.#synced, change, this.#source, found);
    }
    let left = this.#limits.notifiedMax;
    for (const [watchers, seen] of found) {
      for (const watcher of watchers) {
        if (watcher.nextRevision > revision) continue;
        const events = seen.seenBy(watcher, revision);
        if (events.length === 0) continue;
        if (left > 0 && watcher.stream.outlet.writable) {
          left--;
          watcher.nextRevision = revision + 1;
          this.#deliver(watcher, revision, events);
        } else {
          watcher.nextRevision = revision;
          this.#unsync(watcher);
        }
      }
    }
    this.#revision = revision;
  }

  /** Watchers go on in another store, from where they are; it is not behind the old one. */
  replaced(source: WatchSource): void {
    assert(source.revision >= this.#revision, 'watchers cannot go back');
    const reached = this.#revision + 1;
    this.#source = source;
    this.#revision = source.revision;
    this.#synced = new WatchIndex();
    for (const stream of this.#streams) {
      for (const watcher of stream.watchers()) {
        if (!watcher.isSynced) continue;
        watcher.nextRevision = Math.max(watcher.nextRevision, reached);
        watcher.isSynced = false;
        this.#place(watcher);
      }
    }
  }

  /** A bounded piece of catching up, and the progress notifications that are due. */
  tick(nowTick: number): void {
    this.#nowTick = nowTick;
    this.#catchUp();
    for (const stream of this.#streams) {
      if (stream.progressDueTick > nowTick) continue;
      stream.progressDueTick = nowTick + stream.progressTicks;
      stream.notifyProgress();
    }
  }

  /** For streams only, as are all below. */
  enter(watcher: Watcher): void {
    this.#watcherCount++;
    this.#place(watcher);
  }

  leave(watcher: Watcher): void {
    this.#watcherCount--;
    if (watcher.isSynced) this.#synced.delete(watcher);
    else this.#dropUnsynced(watcher);
    watcher.isSynced = false;
  }

  resume(stream: WatchStream): void {
    if (stream.unsynced.size > 0 && this.#streams.has(stream)) this.#ready.add(stream);
  }

  close(stream: WatchStream): void {
    if (!this.#streams.delete(stream)) return;
    for (const watcher of stream.watchers()) this.leave(watcher);
  }

  #place(watcher: Watcher): void {
    if (watcher.nextRevision > this.#revision) this.#sync(watcher);
    else this.#queue(watcher);
  }

  #sync(watcher: Watcher): void {
    this.#dropUnsynced(watcher);
    watcher.isSynced = true;
    this.#synced.add(watcher);
  }

  #unsync(watcher: Watcher): void {
    this.#synced.delete(watcher);
    watcher.isSynced = false;
    this.#queue(watcher);
  }

  #queue(watcher: Watcher): void {
    watcher.stream.unsynced.add(watcher);
    this.#ready.add(watcher.stream);
  }

  #dropUnsynced(watcher: Watcher): void {
    const { stream } = watcher;
    stream.unsynced.delete(watcher);
    if (stream.unsynced.size === 0) this.#ready.delete(stream);
  }

  #catchUp(): void {
    const { catchUpRowsMax, responseBytesMax } = this.#limits;
    const batch = this.#nextBatch();
    let rowsLeft = catchUpRowsMax;
    while (batch.size > 0 && rowsLeft > 0) {
      const read = readForWatchers(this.#source, batch, {
        revisionMax: this.#revision,
        rowsMax: rowsLeft,
        bytesMax: responseBytesMax,
      });
      // Setting up a reading costs about as much as reading so many rows.
      rowsLeft -= read.rows + batch.size;
      for (const [watcher, events] of read.found) {
        batch.delete(watcher);
        this.#give(watcher, events, read.nextRevision);
      }
    }
  }

  #give(watcher: Watcher, events: WatchedChanges | undefined, nextRevision: Revision): void {
    const { stream } = watcher;
    // The stream may have been closed by what it was given.
    if (!stream.unsynced.has(watcher)) return;
    const owed = events?.seenBy(watcher, watcher.nextRevision) ?? [];
    if (owed.length > 0 && !stream.outlet.writable) {
      this.#ready.delete(stream);
      return;
    }
    watcher.nextRevision = nextRevision;
    if (nextRevision > this.#revision) this.#sync(watcher);
    else {
      // To the end of the stream's queue.
      stream.unsynced.delete(watcher);
      stream.unsynced.add(watcher);
    }
    if (owed.length > 0) this.#deliver(watcher, nextRevision - 1, owed);
  }

  /** Streams take turns, so that one with a crowd does not keep the others waiting. */
  #nextBatch(): Set<Watcher> {
    const { catchUpWatchersMax } = this.#limits;
    const batch = new Set<Watcher>();
    const share = Math.max(1, Math.floor(catchUpWatchersMax / Math.max(1, this.#ready.size)));
    let left = catchUpWatchersMax;
    for (const stream of [...this.#ready]) {
      if (left <= 0) break;
      this.#ready.delete(stream);
      if (!stream.outlet.writable) continue;
      this.#ready.add(stream);
      for (const watcher of firstOf(stream.unsynced, Math.min(share, left))) {
        left--;
        if (watcher.nextRevision < this.#source.compactRevision) this.#cancelCompacted(watcher);
        else batch.add(watcher);
      }
    }
    return batch;
  }

  #cancelCompacted(watcher: Watcher): void {
    const { stream, id } = watcher;
    if (stream.cancel(id)) stream.outlet.compacted(id, this.#source.compactRevision);
  }

  #deliver(watcher: Watcher, revision: Revision, events: readonly WatchEvent[]): void {
    watcher.hadEvents = true;
    this.#eventCount += events.length;
    watcher.stream.outlet.events(watcher.id, revision, events);
  }
}

function firstOf<Value>(values: Iterable<Value>, count: number): Value[] {
  const first: Value[] = [];
  for (const value of values) {
    if (first.length >= count) break;
    first.push(value);
  }
  return first;
}
