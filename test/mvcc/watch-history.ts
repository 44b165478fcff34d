/** A naive source of changes that also remembers what compaction takes, and a recording outlet. */
import { expect } from 'vitest';
import { EMPTY_BYTES } from '../../src/lib/bytes.ts';
import { utf8Decode, utf8Encode } from '../../src/lib/utf8.ts';
import type { KeyValue } from '../../src/mvcc/request.ts';
import type { StoredRevision } from '../../src/mvcc/revision-record.ts';
import type { WatchCreateRequest, WatchEvent, WatchId } from '../../src/mvcc/watch-request.ts';
import type { WatchSource } from '../../src/mvcc/watch-source.ts';
import type { WatchOutlet, WatchStream } from '../../src/mvcc/watch-stream.ts';

/** undefined: deleted. */
export type Writes = Readonly<Record<string, string | undefined>>;

export class WatchHistory implements WatchSource {
  revision = 1;
  compactRevision = 0;
  /** Everything that ever happened. */
  readonly all: StoredRevision[];
  #rows: StoredRevision[];

  constructor(rows: readonly StoredRevision[] = []) {
    this.all = [...rows];
    this.#rows = [...rows];
  }

  /** One transaction; nothing happens if it only deletes what is not there. */
  write(writes: Writes): readonly StoredRevision[] {
    const main = this.revision + 1;
    const changes: StoredRevision[] = [];
    for (const [name, text] of Object.entries(writes)) {
      const key = utf8Encode(name);
      const before = this.#everAt(key, this.revision);
      if (text === undefined && before === undefined) continue;
      const keyValue: KeyValue =
        text === undefined
          ? { ...NOTHING, key }
          : {
              key,
              createRevision: before?.createRevision ?? main,
              modRevision: main,
              version: (before?.version ?? 0) + 1,
              value: utf8Encode(text),
              lease: 0n,
            };
      changes.push({ main, sub: changes.length, tombstone: text === undefined, keyValue });
    }
    if (changes.length > 0) this.revision = main;
    this.all.push(...changes);
    this.#rows.push(...changes);
    return changes;
  }

  compact(revision: number): void {
    if (revision <= this.compactRevision || revision > this.revision) return;
    this.compactRevision = revision;
    const isLast = (row: StoredRevision): boolean =>
      !this.all.some(
        (other) => other.main > row.main && other.main <= revision && nameOf(other) === nameOf(row),
      );
    this.#rows = this.#rows.filter((row) => {
      if (row.main > revision) return true;
      return isLast(row) && !(row.tombstone && row.main < revision);
    });
  }

  /** A copy that goes its own way, as a snapshot does. */
  copy(): WatchHistory {
    const copy = new WatchHistory(this.all);
    copy.revision = this.revision;
    copy.compact(this.compactRevision);
    return copy;
  }

  changesFrom(revision: number, rowsMax: number): ReturnType<WatchSource['changesFrom']> {
    const changes: StoredRevision[] = [];
    for (const row of this.#rows) {
      if (row.main < revision) continue;
      const last = changes.at(-1);
      if (changes.length >= rowsMax && last !== undefined && row.main > last.main) {
        return { changes, nextRevision: row.main };
      }
      changes.push(row);
    }
    return { changes, nextRevision: Math.max(revision, (this.#rows.at(-1)?.main ?? 0) + 1) };
  }

  changesAt(revision: number): readonly StoredRevision[] {
    return this.#rows.filter(({ main }) => main === revision);
  }

  liveAt(key: Uint8Array, revision: number): KeyValue | undefined {
    expect(revision).toBeGreaterThanOrEqual(this.compactRevision);
    const rows = this.#rows.filter(
      ({ main, keyValue }) => main <= revision && utf8Decode(keyValue.key) === utf8Decode(key),
    );
    const last = rows.at(-1);
    return last === undefined || last.tombstone ? undefined : last.keyValue;
  }

  /** What a watcher must be told of `from` ≤ revision ≤ `to`, as text. */
  owed(request: WatchCreateRequest, from: number, to: number): string[] {
    const key = utf8Decode(request.key);
    const end = utf8Decode(request.rangeEnd);
    const isWatched = (name: string): boolean => {
      if (end === '') return name === key;
      return name >= key && (end === '\0' || name < end);
    };
    return this.all
      .filter((row) => row.main >= from && row.main <= to && isWatched(nameOf(row)))
      .filter(({ tombstone }) => !request.filters.includes(tombstone ? 'noDelete' : 'noPut'))
      .map((row) => textOfRow(row, request.prevKv ? this.#before(row) : undefined));
  }

  #before({ keyValue, main }: StoredRevision): KeyValue | undefined {
    return this.#everAt(keyValue.key, main - 1);
  }

  #everAt(key: Uint8Array, revision: number): KeyValue | undefined {
    const name = utf8Decode(key);
    const last = this.all.filter((row) => row.main <= revision && nameOf(row) === name).at(-1);
    return last === undefined || last.tombstone ? undefined : last.keyValue;
  }
}

const NOTHING: KeyValue = {
  key: EMPTY_BYTES,
  createRevision: 0,
  modRevision: 0,
  version: 0,
  value: EMPTY_BYTES,
  lease: 0n,
};

function nameOf({ keyValue }: StoredRevision): string {
  return utf8Decode(keyValue.key);
}

function textOfRow(row: StoredRevision, before: KeyValue | undefined): string {
  const what = row.tombstone ? 'delete' : `put ${utf8Decode(row.keyValue.value)}`;
  return `${row.main} ${nameOf(row)} ${what}${textBefore(before)}`;
}

/** The same for what was told. */
export function textOf({ type, kv, prevKv }: WatchEvent): string {
  const what = type === 'delete' ? 'delete' : `put ${utf8Decode(kv.value)}`;
  return `${kv.modRevision} ${utf8Decode(kv.key)} ${what}${textBefore(prevKv)}`;
}

function textBefore(kv: KeyValue | undefined): string {
  return kv === undefined ? '' : ` was ${kv.modRevision} ${utf8Decode(kv.value)}`;
}

/** Takes so many responses, then none until it is drained. */
export class RecordingOutlet implements WatchOutlet {
  capacity: number;
  /** What came, in order. */
  readonly log: string[] = [];
  onEvents: (watchId: WatchId, revision: number, events: readonly WatchEvent[]) => void = () => {};
  onCompacted: (watchId: WatchId, compactRevision: number) => void = () => {};
  onProgress: (watchId: WatchId, revision: number) => void = () => {};
  #held = 0;

  constructor(capacity: number = Number.POSITIVE_INFINITY) {
    this.capacity = capacity;
  }

  get writable(): boolean {
    return this.#held < this.capacity;
  }

  drain(stream: WatchStream): void {
    this.#held = 0;
    if (this.writable) stream.resume();
  }

  events(watchId: WatchId, revision: number, events: readonly WatchEvent[]): void {
    expect(this.writable).toBe(true);
    this.#held++;
    this.log.push(`${watchId} @${revision}: ${events.map(textOf).join(', ')}`);
    this.onEvents(watchId, revision, events);
  }

  compacted(watchId: WatchId, compactRevision: number): void {
    this.log.push(`${watchId} compacted ${compactRevision}`);
    this.onCompacted(watchId, compactRevision);
  }

  progress(watchId: WatchId, revision: number): void {
    this.log.push(`${watchId} progress ${revision}`);
    this.onProgress(watchId, revision);
  }
}

/** etcd's defaults for what a test leaves open. */
export function watchRequest(
  key: string,
  rangeEnd = '',
  options: Partial<WatchCreateRequest> = {},
): WatchCreateRequest {
  return {
    key: utf8Encode(key),
    rangeEnd: utf8Encode(rangeEnd),
    startRevision: 0,
    progressNotify: false,
    filters: [],
    prevKv: false,
    watchId: 0,
    fragment: false,
    ...options,
  };
}
