/** The watchers that share one client's stream, and what is owed to them. */
import type { Revision } from '../lib/ids.ts';
import { err, ok, type Result } from '../lib/result.ts';
import { type KeySpan, spanOf } from './key-span.ts';
import type { WatchView } from './watch-changes.ts';
import {
  NO_WATCH_ID,
  type WatchCreateRequest,
  type WatchEvent,
  type WatchId,
} from './watch-request.ts';

/** Where a stream's answers go. All calls return at once. */
export interface WatchOutlet {
  /** false: what was handed over is still queued; events wait in the store until `resume`. */
  readonly writable: boolean;
  /**
   * One response: all events of the watcher up to and including `revision` that it has not been
   * given before. A main revision is never split.
   */
  events(watchId: WatchId, revision: Revision, events: readonly WatchEvent[]): void;
  /** The watcher is gone: it is owed events older than `compactRevision`. */
  compacted(watchId: WatchId, compactRevision: Revision): void;
  /** All up to and including `revision` has been handed over, of all watchers for NO_WATCH_ID. */
  progress(watchId: WatchId, revision: Revision): void;
}

export type WatchRefusal = 'emptyRange' | 'duplicateId' | 'tooManyWatchers';

export interface Watcher extends WatchView {
  readonly id: WatchId;
  readonly span: KeySpan;
  readonly stream: WatchStream;
  readonly progressNotify: boolean;
  /** 0: from its creation on. */
  readonly startRevision: Revision;
  /** First revision it has not been given; may lag behind while `isSynced`. */
  nextRevision: Revision;
  /** It has been given everything, and is told of each revision as it is applied. */
  isSynced: boolean;
  /** Was given events since the last progress notification was due. */
  hadEvents: boolean;
}

/** What a stream needs of the hub. */
export interface WatchRegistry {
  readonly revision: Revision;
  /** false: there are too many. */
  readonly hasRoom: boolean;
  readonly watchersPerStreamMax: number;
  enter(watcher: Watcher): void;
  leave(watcher: Watcher): void;
  resume(stream: WatchStream): void;
  close(stream: WatchStream): void;
}

export interface ProgressSchedule {
  /** Between two rounds of notifications. */
  readonly progressTicks: number;
  /** The next round. */
  readonly progressDueTick: number;
}

/** Made by the hub's `open`. Nothing is delivered from within these calls but progress. */
export class WatchStream {
  readonly outlet: WatchOutlet;
  readonly progressTicks: number;
  /** Watchers that must catch up, the one to be served next first. */
  readonly unsynced: Set<Watcher> = new Set();
  progressDueTick: number;
  readonly #registry: WatchRegistry;
  readonly #watchers = new Map<WatchId, Watcher>();
  /** Those with `progressNotify`. */
  readonly #notified = new Set<Watcher>();
  /** Those that were created for a revision yet to come, and maybe it has. */
  readonly #future = new Set<Watcher>();
  #nextId: WatchId = 0;

  constructor(registry: WatchRegistry, outlet: WatchOutlet, progress: ProgressSchedule) {
    this.#registry = registry;
    this.outlet = outlet;
    this.progressTicks = progress.progressTicks;
    this.progressDueTick = progress.progressDueTick;
  }

  get size(): number {
    return this.#watchers.size;
  }

  watchers(): Iterable<Watcher> {
    return this.#watchers.values();
  }

  /** The new watcher's id; its events come with the next revision, or the next tick. */
  watch(request: WatchCreateRequest): Result<WatchId, WatchRefusal> {
    const span = spanOf(request.key, request.rangeEnd);
    if (isEmpty(span)) return err('emptyRange');
    if (!this.#registry.hasRoom || this.size >= this.#registry.watchersPerStreamMax) {
      return err('tooManyWatchers');
    }
    if (request.watchId !== 0 && this.#watchers.has(request.watchId)) return err('duplicateId');
    const watcher = this.#watcherFor(request, span);
    this.#watchers.set(watcher.id, watcher);
    if (watcher.progressNotify) this.#notified.add(watcher);
    if (watcher.startRevision > this.#registry.revision) this.#future.add(watcher);
    this.#registry.enter(watcher);
    return ok(watcher.id);
  }

  /** false: there is no such watcher. */
  cancel(id: WatchId): boolean {
    const watcher = this.#watchers.get(id);
    if (watcher === undefined) return false;
    this.#watchers.delete(id);
    this.#notified.delete(watcher);
    this.#future.delete(watcher);
    this.#registry.leave(watcher);
    return true;
  }

  /** Answered at once, or never: every watcher must be synced, and there must be one. */
  requestProgress(): void {
    const { revision } = this.#registry;
    if (this.size === 0 || this.unsynced.size > 0) return;
    for (const watcher of this.#future) {
      if (watcher.startRevision > revision) return;
      this.#future.delete(watcher);
    }
    this.outlet.progress(NO_WATCH_ID, revision);
  }

  /** A round of notifications to who asked for them; who was given events is left out once. */
  notifyProgress(): void {
    const { revision } = this.#registry;
    for (const watcher of this.#notified) {
      const isDue = !watcher.hadEvents;
      watcher.hadEvents = false;
      if (!isDue || !watcher.isSynced || watcher.startRevision > revision) continue;
      if (this.outlet.writable) this.outlet.progress(watcher.id, revision);
    }
  }

  /** The outlet has become writable. */
  resume(): void {
    this.#registry.resume(this);
  }

  /** Forgets all watchers; the outlet is not called again. */
  close(): void {
    this.#registry.close(this);
    this.#watchers.clear();
    this.#notified.clear();
    this.#future.clear();
  }

  #watcherFor(request: WatchCreateRequest, span: KeySpan): Watcher {
    const { startRevision, prevKv, filters, progressNotify } = request;
    return {
      id: request.watchId === 0 ? this.#freeId() : request.watchId,
      span,
      stream: this,
      prevKv,
      filters,
      progressNotify,
      startRevision: Math.max(0, startRevision),
      nextRevision: startRevision > 0 ? startRevision : this.#registry.revision + 1,
      isSynced: false,
      hadEvents: false,
    };
  }

  #freeId(): WatchId {
    while (this.#watchers.has(this.#nextId)) this.#nextId++;
    return this.#nextId++;
  }
}

function isEmpty(span: KeySpan): boolean {
  return span.type === 'interval' && span.end !== undefined && span.end <= span.from;
}
