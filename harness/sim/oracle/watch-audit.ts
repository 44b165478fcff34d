/**
 * What one watch stream must be told, from the committed entries alone: every matching change of
 * every watcher, once, in order, whole revisions at a time, nothing before it was created and
 * nothing after it was cancelled; and no progress past what it was told.
 */
import { EMPTY_BYTES } from '../../../src/lib/bytes.ts';
import type { Revision } from '../../../src/lib/ids.ts';
import {
  NO_WATCH_ID,
  type WatchCreateRequest,
  type WatchEvent,
  type WatchId,
  type WatchRequest,
} from '../../../src/mvcc/watch-request.ts';
import type { WatchResponse } from '../../../src/service/watch.ts';
import { difference, inWords } from './difference.ts';
import type { Oracle } from './oracle.ts';
import type { ModelChange } from './versions.ts';

interface Watching {
  readonly request: WatchCreateRequest;
  /** All of interest up to here has been told. */
  told: Revision;
  /** Of a response that comes in pieces. */
  pieces: WatchEvent[];
}

const FIRST_KEY = Uint8Array.of(0);

export class WatchAudit {
  readonly #oracle: Oracle;
  readonly #watchers = new Map<WatchId, Watching>();
  /** Creations without an answer yet; answers come in their order. */
  readonly #creating: WatchCreateRequest[] = [];

  constructor(oracle: Oracle) {
    this.#oracle = oracle;
  }

  /** A request reaches the member. */
  asked(request: WatchRequest): void {
    if (request.type === 'create') this.#creating.push(request.request);
  }

  /** The member has sent it; in words what is wrong with it. */
  sent({ header, result }: WatchResponse): string | undefined {
    const { watchId, created, canceled, compactRevision } = result;
    if (created) return this.#created(watchId, canceled, header.revision);
    if (watchId === NO_WATCH_ID) return this.#progress(header.revision);
    const watcher = this.#watchers.get(watchId);
    const place = `watcher ${watchId}`;
    if (watcher === undefined) return `${place} is told something and is not there`;
    if (canceled) {
      this.#watchers.delete(watchId);
      return compactRevision === 0 ? undefined : this.#compacted(watcher, place, compactRevision);
    }
    watcher.pieces.push(...result.events);
    if (result.fragment) return undefined;
    const events = watcher.pieces;
    watcher.pieces = [];
    return this.#told(watcher, place, { events, upTo: header.revision });
  }

  /** In words, if a watcher lacks anything of what there was up to the revision. */
  lacking(upTo: Revision): string | undefined {
    for (const [id, watcher] of this.#watchers) {
      const owed = this.#owed(watcher, upTo);
      if (owed.length > 0) return `watcher ${id} was not told of ${inWords(owed[0])}`;
    }
    return undefined;
  }

  #created(id: WatchId, isRefused: boolean, revision: Revision): string | undefined {
    const asked = this.#creating.shift();
    if (asked === undefined) return `watcher ${id} was created, and nobody asked for it`;
    if (isRefused) return undefined;
    if (this.#watchers.has(id)) return `watcher ${id} was created twice`;
    const request = asked.key.length > 0 ? asked : { ...asked, key: FIRST_KEY };
    const told = request.startRevision > 0 ? request.startRevision - 1 : revision;
    this.#watchers.set(id, { request, told, pieces: [] });
    return undefined;
  }

  #progress(revision: Revision): string | undefined {
    for (const [id, watcher] of this.#watchers) {
      const wrong = this.#told(watcher, `watcher ${id}, progress`, { events: [], upTo: revision });
      if (wrong !== undefined) return wrong;
    }
    return undefined;
  }

  #compacted(watcher: Watching, place: string, compactRevision: Revision): string | undefined {
    const { compactRevision: known } = this.#oracle.upkeep;
    if (compactRevision > known) return `${place} ended by a compaction that never was`;
    if (watcher.told + 1 < compactRevision) return undefined;
    return `${place} ended by compaction ${compactRevision}, was told up to ${watcher.told}`;
  }

  #told(
    watcher: Watching,
    place: string,
    { events, upTo }: { readonly events: readonly WatchEvent[]; readonly upTo: Revision },
  ): string | undefined {
    if (upTo > this.#oracle.revision) return `${place}: told of ${upTo}, which is not committed`;
    const owed = this.#owed(watcher, upTo);
    const words = `${place}, told up to ${watcher.told}, now up to ${upTo}`;
    const wrong = this.#compare(events, owed);
    watcher.told = Math.max(watcher.told, upTo);
    return wrong === undefined ? undefined : `${words}: ${wrong}`;
  }

  #compare(events: readonly WatchEvent[], owed: readonly WatchEvent[]): string | undefined {
    // Of several changes of one key in the compacted revision only the last is kept.
    const kept = owed.filter(({ kv }, at) => {
      if (kv.modRevision > this.#oracle.upkeep.compactRevision) return true;
      return !owed.slice(at + 1).some((later) => isLater(kv, later.kv));
    });
    const expected = events.length === owed.length ? owed : kept;
    for (let at = 0; at < Math.max(events.length, expected.length); at++) {
      const [actual, model] = [events[at], expected[at]];
      const found = difference(actual, this.#asFarAsKept(model, actual));
      if (found !== undefined) return `event ${at} of ${events.length}: ${found}`;
    }
    return undefined;
  }

  /** A value before that was compacted is left out. */
  #asFarAsKept(model: WatchEvent | undefined, actual: WatchEvent | undefined): typeof model {
    if (model?.prevKv === undefined || actual === undefined || actual.prevKv !== undefined) {
      return model;
    }
    const isCompacted = model.kv.modRevision - 1 < this.#oracle.upkeep.compactRevision;
    return isCompacted ? { ...model, prevKv: undefined } : model;
  }

  #owed({ request, told }: Watching, upTo: Revision): WatchEvent[] {
    const { key, rangeEnd, filters, prevKv } = request;
    return this.#oracle
      .changes(key, rangeEnd, told, upTo)
      .map((change) => eventOf(change, prevKv))
      .filter(({ type }) => !filters.includes(type === 'put' ? 'noPut' : 'noDelete'));
  }
}

function eventOf({ key, main, kv, previous }: ModelChange, wantsPrevious: boolean): WatchEvent {
  const isCreation = kv !== undefined && kv.createRevision === kv.modRevision;
  const prevKv = wantsPrevious && !isCreation ? previous : undefined;
  if (kv !== undefined) return { type: 'put', kv, prevKv };
  const gone = { key, createRevision: 0, modRevision: main, version: 0, value: EMPTY_BYTES };
  return { type: 'delete', kv: { ...gone, lease: 0n }, prevKv };
}

function isLater(
  kv: { readonly key: Uint8Array; readonly modRevision: Revision },
  later: { readonly key: Uint8Array; readonly modRevision: Revision },
): boolean {
  return kv.modRevision === later.modRevision && difference(kv.key, later.key) === undefined;
}
