/**
 * What one watch stream must be told, from the committed entries alone: every matching change of
 * every watcher, once, in order, whole revisions at a time, nothing before it was created and
 * nothing after it was cancelled; and no progress past what it was told.
 */
import { EMPTY_BYTES } from '../../../src/lib/bytes.ts';
import type { Index, Revision } from '../../../src/lib/ids.ts';
import {
  NO_WATCH_ID,
  type WatchCreateRequest,
  type WatchEvent,
  type WatchId,
  type WatchRequest,
} from '../../../src/mvcc/watch-request.ts';
import type { WatchResponse } from '../../../src/service/watch.ts';
import { type Asker, wronglyAccepted, wronglyShown } from './access-audit.ts';
import { difference, inWords } from './difference.ts';
import type { Oracle } from './oracle.ts';
import type { ModelChange } from './versions.ts';

/** To whom a response was sent, and how much its member had applied. */
export interface Told {
  readonly asker: Asker;
  readonly applied: Index;
}

interface Watching {
  readonly request: WatchCreateRequest;
  /** Watchers are numbered as they are created. */
  readonly number: number;
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
  #numbers = 0;
  /** The member has said that those up to the number were told of all up to the revision. */
  #caughtUp = { number: 0, revision: 0 };

  constructor(oracle: Oracle) {
    this.#oracle = oracle;
  }

  /** Watchers that are there. */
  get size(): number {
    return this.#watchers.size;
  }

  /** A request reaches the member. */
  asked(request: WatchRequest): void {
    if (request.type === 'create') this.#creating.push(request.request);
  }

  /**
   * The member has sent it, when it had applied `applied`, to whom `asker` says; in words what is
   * wrong with it.
   */
  sent({ header, result }: WatchResponse, told?: Told): string | undefined {
    const { watchId, created, canceled, compactRevision } = result;
    if (created) return this.#created(watchId, canceled, header.revision, told);
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

  /** The member says that nobody who watches there is behind its present revision. */
  caughtUp(revision: Revision): void {
    this.#caughtUp = { number: this.#numbers, revision };
  }

  /** In words, if a watcher lacks anything of what there was up to the revision. */
  lacking(upTo: Revision): string | undefined {
    for (const [id, watcher] of this.#watchers) {
      const owed = this.#owed(watcher, upTo);
      if (owed.length > 0) return `watcher ${id} was not told of ${inWords(owed[0])}`;
    }
    return undefined;
  }

  #created(
    id: WatchId,
    isRefused: boolean,
    revision: Revision,
    told: Told | undefined,
  ): string | undefined {
    const asked = this.#creating.shift();
    if (asked === undefined) return `watcher ${id} was created, and nobody asked for it`;
    if (isRefused) return undefined;
    if (this.#watchers.has(id)) return `watcher ${id} was created twice`;
    const request = asked.key.length > 0 ? asked : { ...asked, key: FIRST_KEY };
    const from = request.startRevision > 0 ? request.startRevision - 1 : revision;
    this.#numbers += 1;
    this.#watchers.set(id, { request, number: this.#numbers, told: from, pieces: [] });
    return told && this.#wronglyCreated(request, told);
  }

  /** Permissions are asked for when a watcher is created, and not again. */
  #wronglyCreated(request: WatchCreateRequest, { asker, applied }: Told): string | undefined {
    const oracle = this.#oracle;
    return (
      wronglyAccepted(oracle, asker, { arrived: applied, applied }) ??
      wronglyShown(oracle, asker, [applied], [request])
    );
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
    const { number, revision } = this.#caughtUp;
    if (watcher.number <= number && watcher.told < revision) {
      // What it was not told of until then did not concern it, or it was told too little.
      const wrong = this.#told(watcher, `${place}, not behind`, { events: [], upTo: revision });
      if (wrong !== undefined) return wrong;
    }
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
