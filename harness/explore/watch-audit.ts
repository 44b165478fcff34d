/**
 * One watch stream, judged as it comes: each watcher is told of revisions in order, of nothing
 * twice, of nothing older than it asked for; and of nothing that a progress notification had
 * promised to be over.
 */
import type { Revision } from '../../src/lib/ids.ts';
import { utf8Decode } from '../../src/lib/utf8.ts';
import {
  NO_WATCH_ID,
  type WatchCreateRequest,
  type WatchId,
  type WatchResult,
} from '../../src/mvcc/watch-request.ts';
import type { Finding } from './finding.ts';

interface Watcher {
  /** It wants nothing older. */
  readonly from: Revision;
  /** 0: none yet. */
  last: Revision;
  /** What it was told of at `last`: a revision may come in pieces. */
  readonly lastTold: Set<string>;
  /** Up to here it was promised to know everything. */
  promised: Revision;
}

export class WatchAudit {
  readonly #asked: WatchCreateRequest[] = [];
  readonly #watchers = new Map<WatchId, Watcher>();

  created(request: WatchCreateRequest): void {
    this.#asked.push(request);
  }

  /** What is wrong with the answer, if anything is. */
  told(revision: Revision, result: WatchResult): Finding | undefined {
    const { watchId, created, canceled, events } = result;
    if (created) {
      const request = this.#asked.shift();
      if (canceled || watchId === NO_WATCH_ID || request === undefined) return undefined;
      const from = request.startRevision > 0 ? request.startRevision : revision + 1;
      this.#watchers.set(watchId, { from, last: 0, lastTold: new Set(), promised: 0 });
      return undefined;
    }
    if (canceled) {
      this.#watchers.delete(watchId);
      return undefined;
    }
    if (events.length === 0) {
      this.#promise(watchId, revision);
      return undefined;
    }
    const watcher = this.#watchers.get(watchId);
    return watcher === undefined ? undefined : wrongIn(watcher, events);
  }

  #promise(watchId: WatchId, revision: Revision): void {
    for (const [id, watcher] of this.#watchers) {
      if (watchId !== NO_WATCH_ID && id !== watchId) continue;
      watcher.promised = Math.max(watcher.promised, revision);
    }
  }
}

function wrongIn(watcher: Watcher, events: WatchResult['events']): Finding | undefined {
  let wrong: Finding | undefined;
  for (const { type, kv } of events) {
    const at = kv.modRevision;
    const key = utf8Decode(kv.key);
    const word = `${type} ${key}`;
    wrong ??= wrongWith(watcher, at, word);
    if (at !== watcher.last) watcher.lastTold.clear();
    watcher.lastTold.add(word);
    watcher.last = at;
  }
  return wrong;
}

function wrongWith(watcher: Watcher, at: Revision, word: string): Finding | undefined {
  const { from, last, promised, lastTold } = watcher;
  const event = `${word.replace(' ', ' of ')} at revision ${at}`;
  if (at < from) {
    const sentence = `a watcher from revision ${from} on was told of ${event}`;
    return { checker: 'watch from', sentence };
  }
  if (at < last || (at === last && lastTold.has(word))) {
    const sentence = `a watcher was told of ${event} after it had been told of revision ${last}`;
    return { checker: 'watch order', sentence };
  }
  if (at > promised) return undefined;
  const sentence = `progress was told up to revision ${promised}, and after it ${event}`;
  return { checker: 'watch progress', sentence };
}
