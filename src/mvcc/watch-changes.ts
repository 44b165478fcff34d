/** Changes on their way to watchers: made into events once, whoever gets them. */
import { EMPTY_BYTES } from '../lib/bytes.ts';
import type { Revision } from '../lib/ids.ts';
import type { KeyValue } from './request.ts';
import type { StoredRevision } from './revision-record.ts';
import type { WatchEvent, WatchFilter } from './watch-request.ts';
import type { WatchSource } from './watch-source.ts';

/** What a watcher wants of an event, besides its key. */
export interface WatchView {
  readonly prevKv: boolean;
  readonly filters: readonly WatchFilter[];
}

/** One change as an event, with and without the value before. */
export class WatchedChange {
  readonly revision: Revision;
  readonly sizeBytes: number;
  readonly #source: WatchSource;
  readonly #plain: WatchEvent;
  #withPrevious: WatchEvent | undefined;

  constructor(change: StoredRevision, source: WatchSource) {
    const { main, tombstone, keyValue } = change;
    this.revision = main;
    this.sizeBytes = keyValue.key.length + keyValue.value.length;
    this.#source = source;
    this.#plain = {
      type: tombstone ? 'delete' : 'put',
      kv: tombstone ? tombstoneOf(keyValue.key, main) : keyValue,
      prevKv: undefined,
    };
  }

  /** undefined: the watcher does not want it. */
  seenBy({ prevKv, filters }: WatchView): WatchEvent | undefined {
    const plain = this.#plain;
    if (filters.includes(plain.type === 'put' ? 'noPut' : 'noDelete')) return undefined;
    if (!prevKv) return plain;
    this.#withPrevious ??= this.#findPrevious();
    return this.#withPrevious;
  }

  /** The key just before the change's main revision; not if that was compacted away. */
  #findPrevious(): WatchEvent {
    const { type, kv } = this.#plain;
    const before = this.revision - 1;
    const isCreation = type === 'put' && kv.createRevision === kv.modRevision;
    if (isCreation || before < this.#source.compactRevision) return this.#plain;
    const prevKv = this.#source.liveAt(kv.key, before);
    return prevKv === undefined ? this.#plain : { type, kv, prevKv };
  }
}

/** Of the watchers of one span: what happened there, ascending. */
export class WatchedChanges {
  readonly #changes: WatchedChange[] = [];
  /** By view: events of all changes, for the watchers that take part from the first on. */
  readonly #whole = new Map<number, readonly WatchEvent[]>();
  #sizeBytes = 0;

  /** Keys and values. */
  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  add(change: WatchedChange): void {
    this.#changes.push(change);
    this.#sizeBytes += change.sizeBytes;
  }

  /** What somebody sees of it who has seen all before `from`. */
  seenBy(view: WatchView, from: Revision): readonly WatchEvent[] {
    if (this.#changes[0] === undefined || from > this.#changes[0].revision) {
      return this.#collect(view, from);
    }
    const kind = viewNumber(view);
    let events = this.#whole.get(kind);
    if (events === undefined) {
      events = this.#collect(view, from);
      this.#whole.set(kind, events);
    }
    return events;
  }

  #collect(view: WatchView, from: Revision): readonly WatchEvent[] {
    const events: WatchEvent[] = [];
    for (const change of this.#changes) {
      const event = change.revision < from ? undefined : change.seenBy(view);
      if (event !== undefined) events.push(event);
    }
    return events;
  }
}

function viewNumber({ prevKv, filters }: WatchView): number {
  const noPut = filters.includes('noPut') ? 2 : 0;
  const noDelete = filters.includes('noDelete') ? 4 : 0;
  return (prevKv ? 1 : 0) + noPut + noDelete;
}

/** A delete event's key-value; the store's rows do not repeat their revision. */
function tombstoneOf(key: Uint8Array, modRevision: Revision): KeyValue {
  return { key, createRevision: 0, modRevision, version: 0, value: EMPTY_BYTES, lease: 0n };
}
