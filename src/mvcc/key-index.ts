/**
 * All retained changes, reachable three ways: by key (point reads and writes), by key order
 * (ranges), and by revision (checkpoints, compaction). The one place that knows how they are
 * represented; etcd's counterpart is its tree index plus the `key` bucket.
 */
import { assert } from '../lib/assert.ts';
import type { Revision } from '../lib/ids.ts';
import { type KeySpan, nameOf } from './key-span.ts';
import { OrderedIndex } from './ordered-index.ts';
import { RevisionLog } from './revision-log.ts';
import {
  newestAt,
  type RevisionRecord,
  rowSizeBytes,
  type StoredRevision,
} from './revision-record.ts';

/** One key's retained changes, ascending; never empty. */
type History = RevisionRecord[];

/** Changes come in revision order, from a writer or from a checkpoint. */
export class KeyIndex {
  readonly #histories = new Map<string, History>();
  #ordered = new OrderedIndex<History>();
  #log = new RevisionLog();
  #liveKeys = 0;
  #rowBytes = 0;

  /** Bulk load of rows ascending by (main, sub): the keys are sorted once, at the end. */
  static load(rows: Iterable<StoredRevision>): KeyIndex {
    const index = new KeyIndex();
    for (const row of rows) {
      const name = nameOf(row.keyValue.key);
      const history = index.#histories.get(name);
      const record = ownRecord(row, history?.[0]?.name ?? name);
      if (history === undefined) index.#histories.set(name, [record]);
      else extend(history, record);
      index.#enter(record, history?.at(-2));
    }
    const names = [...index.#histories.keys()].sort();
    index.#ordered = OrderedIndex.fromSorted(names, (name) => index.#histories.get(name)!);
    return index;
  }

  /** Keys that exist now. */
  get liveKeys(): number {
    return this.#liveKeys;
  }

  /** Bytes of all rows in a checkpoint, roughly. */
  get rowBytes(): number {
    return this.#rowBytes;
  }

  /** The last change there is. */
  get last(): StoredRevision | undefined {
    return this.#log.last;
  }

  /** The key's last change, which may be a tombstone. */
  newest(name: string): RevisionRecord | undefined {
    return this.#histories.get(name)?.at(-1);
  }

  /** The key as it was at `revision`; undefined if it did not exist then. */
  liveAt(name: string, revision: Revision): RevisionRecord | undefined {
    const history = this.#histories.get(name);
    const record = history && newestAt(history, revision);
    return record?.tombstone ? undefined : record;
  }

  /** Calls `visit` for every key of the span that existed at `revision`, in key order. */
  scan(span: KeySpan, revision: Revision, visit: (record: RevisionRecord) => void): void {
    if (span.type === 'point') {
      const record = this.liveAt(span.name, revision);
      if (record !== undefined) visit(record);
      return;
    }
    this.#ordered.visit(span.from, span.end, (history) => {
      const record = newestAt(history, revision);
      if (record !== undefined && !record.tombstone) visit(record);
    });
  }

  /** Adds a change; it must come after all others. */
  append(record: RevisionRecord): void {
    const history = this.#histories.get(record.name);
    const previous = history?.at(-1);
    const isLive = previous !== undefined && !previous.tombstone;
    assert(isLive || !record.tombstone, 'only a key that exists can be deleted');
    this.#enter(record, previous);
    if (history !== undefined) {
      extend(history, record);
      return;
    }
    const created = [record];
    this.#histories.set(record.name, created);
    this.#ordered.insert(record.name, created);
  }

  /**
   * Drops what no read at or after `revision` can see. A tombstone at exactly `revision` stays:
   * a watch starting there is still owed its delete event.
   */
  compact(revision: Revision): void {
    const touched = new Set<string>();
    this.#log = this.#log.filtered((record) => {
      if (!isObsolete(record, revision)) return true;
      touched.add(record.name);
      this.#rowBytes -= rowSizeBytes(record);
      return false;
    });
    for (const name of touched) {
      const history = this.#histories.get(name)!;
      const kept = history.findIndex((record) => !isObsolete(record, revision));
      if (kept >= 0) {
        history.splice(0, kept);
        continue;
      }
      this.#histories.delete(name);
      this.#ordered.remove(name);
    }
    assert(this.#ordered.size === this.#histories.size, 'index and histories must agree');
  }

  /** Every retained change in (main, sub) order, as of now. */
  blocks(): readonly (readonly StoredRevision[])[] {
    return this.#log.blocks();
  }

  /** Into the log and the totals; `previous` is the key's change before. */
  #enter(record: RevisionRecord, previous: RevisionRecord | undefined): void {
    const wasLive = previous !== undefined && !previous.tombstone;
    this.#log.append(record);
    this.#rowBytes += rowSizeBytes(record);
    this.#liveKeys += Number(!record.tombstone) - Number(wasLive);
  }
}

function extend(history: History, record: RevisionRecord): void {
  history.at(-1)!.supersededAt = record.main;
  history.push(record);
}

function isObsolete(record: RevisionRecord, revision: Revision): boolean {
  if (record.supersededAt !== 0 && record.supersededAt <= revision) return true;
  return record.tombstone && record.main < revision;
}

/** Copies the bytes: the row may be a window on a whole checkpoint file. */
function ownRecord(row: StoredRevision, name: string): RevisionRecord {
  const { key, value } = row.keyValue;
  return {
    name,
    main: row.main,
    sub: row.sub,
    tombstone: row.tombstone,
    keyValue: { ...row.keyValue, key: ownBytes(key), value: ownBytes(value) },
    supersededAt: 0,
  };
}

/** A copy that is nobody else's. (`slice` of a platform's subclass may be a view.) */
export function ownBytes(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes);
}
