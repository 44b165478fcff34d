/**
 * All retained changes, reachable three ways: by key (point reads and writes), by key order
 * (ranges), and by revision (checkpoints, compaction). The one place that knows how they are
 * represented; etcd's counterpart is its tree index plus the `key` bucket.
 */
import { assert } from '../lib/assert.ts';
import { EMPTY_BYTES } from '../lib/bytes.ts';
import type { LeaseId, Revision } from '../lib/ids.ts';
import { KeyHash } from './key-hash.ts';
import { sortKeys } from './key-sort.ts';
import { type KeyId, KeyTable, NO_KEY } from './key-table.ts';
import { OrderedIndex } from './ordered-index.ts';
import type { KeyValue } from './request.ts';
import { NO_ROW, type RevisionChunk, type RowId } from './revision-chunk.ts';
import { RevisionLog } from './revision-log.ts';
import { NEWEST, rowSizeBytes, type StoredRevision } from './revision-record.ts';
import { type Address, Slabs } from './slabs.ts';

/** Where a row is, until the index is changed. */
export interface RowPlace {
  readonly chunk: RevisionChunk;
  readonly at: number;
}

/** A change to be added. Of a tombstone only place and key count. */
export interface NewRow {
  readonly main: Revision;
  readonly sub: number;
  readonly tombstone: boolean;
  readonly value: Uint8Array;
  readonly version: number;
  readonly createRevision: Revision;
  readonly lease: LeaseId;
}

/** Told where a row is. */
export type VisitRow = (chunk: RevisionChunk, at: number) => void;

/** Changes come in revision order, from a writer or from a checkpoint. */
export class KeyIndex {
  readonly keys: KeyTable = new KeyTable();
  readonly values: Slabs = new Slabs();
  readonly log: RevisionLog = new RevisionLog();
  readonly #hash: KeyHash;
  #ordered: OrderedIndex;
  #liveKeys = 0;
  #rowBytes = 0;
  /** What {@link #seek} found. */
  #chunk: RevisionChunk | undefined;
  #at = 0;

  constructor(hashSeed: number) {
    this.#hash = new KeyHash(this.keys, hashSeed);
    this.#ordered = new OrderedIndex(this.keys);
  }

  /**
   * Bulk load of rows ascending by (main, sub): the keys are sorted once, at the end. The arrays
   * that values are views of may be kept: nobody may write to them any more.
   */
  static load(rows: Iterable<StoredRevision>, hashSeed: number): KeyIndex {
    const index = new KeyIndex(hashSeed);
    const { keys } = index;
    for (const { main, sub, tombstone, keyValue } of rows) {
      const { version, createRevision, modRevision, value, lease } = keyValue;
      assert(tombstone || modRevision === main, 'a row has its revision twice');
      const key = index.#findOrNumber(keyValue.key);
      const address = tombstone ? 0 : index.values.adopt(value);
      index.#append(key, { main, sub, tombstone, value, version, createRevision, lease }, address);
    }
    const ids = new Uint32Array(keys.size).map((_, at) => NO_KEY + 1 + at);
    sortKeys(keys, ids);
    index.#ordered = OrderedIndex.fromSorted(keys, ids);
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

  /** Memory held outside the heap. */
  get allocatedBytes(): number {
    const held = [this.keys, this.values, this.log, this.#hash, this.#ordered];
    return held.reduce((sum, { allocatedBytes }) => sum + allocatedBytes, 0);
  }

  /** The key's number; {@link NO_KEY}: no change of it is retained. */
  find(key: Uint8Array): KeyId {
    return this.#hash.find(key, this.#hash.hashOf(key));
  }

  /** The key's row now; undefined if it does not exist. */
  newest(key: KeyId): RowPlace | undefined {
    if (key === NO_KEY || !this.keys.isLive(key) || !this.#seek(key, NEWEST)) return undefined;
    return { chunk: this.#chunk!, at: this.#at };
  }

  /** Whether the key exists now. */
  isLive(key: Uint8Array): boolean {
    const id = this.find(key);
    return id !== NO_KEY && this.keys.isLive(id);
  }

  /** The key as it was at `revision`; undefined if it did not exist then. */
  liveAt(key: Uint8Array, revision: Revision): KeyValue | undefined {
    const id = this.find(key);
    if (id === NO_KEY || !this.#seek(id, revision)) return undefined;
    return this.keyValue(this.#chunk!, this.#at);
  }

  /**
   * Calls `visit` for the first `visitMax` keys of the range that existed at `revision`, in key
   * order, and tells how many there are. The range is given as etcd gives it: no end, the one
   * key; one zero byte, every key from `key` on; else exclusive.
   */
  scan(
    key: Uint8Array,
    rangeEnd: Uint8Array,
    revision: Revision,
    visit: VisitRow,
    visitMax: number = Number.POSITIVE_INFINITY,
  ): number {
    let count = 0;
    const isPresent = revision >= this.log.lastMain;
    const visitKey = (id: KeyId): boolean => {
      if (isPresent ? !this.keys.isLive(id) : !this.#seek(id, revision)) return true;
      if (count++ >= visitMax) return true;
      if (isPresent) this.#seek(id, revision);
      visit(this.#chunk!, this.#at);
      return true;
    };
    this.visitKeys(key, rangeEnd, visitKey);
    return count;
  }

  /** All keys of the range with a retained change, in order, until `visit` returns false. */
  visitKeys(key: Uint8Array, rangeEnd: Uint8Array, visit: (id: KeyId) => boolean): void {
    if (rangeEnd.length === 0) {
      const id = this.find(key);
      if (id !== NO_KEY) visit(id);
      return;
    }
    const isOpen = rangeEnd.length === 1 && rangeEnd[0] === 0;
    this.#ordered.visit(key, isOpen ? undefined : rangeEnd, visit);
  }

  /** The row of the key at `revision`; undefined if it did not exist then. */
  placeAt(key: KeyId, revision: Revision): RowPlace | undefined {
    return this.#seek(key, revision) ? { chunk: this.#chunk!, at: this.#at } : undefined;
  }

  /**
   * Whether the key existed at `revision`, which is that of the change `lastId` if it is not
   * {@link NO_ROW}: most keys have not been changed since, and need not be looked for then.
   */
  existedAt(key: KeyId, revision: Revision, lastId: RowId): boolean {
    return this.keys.newest(key) <= lastId ? this.keys.isLive(key) : this.#seek(key, revision);
  }

  /** Views of what is stored: they stay right, and must not be written to. */
  keyValue(chunk: RevisionChunk, at: number): KeyValue {
    const key = this.keys.bytes(chunk.key[at]!);
    if (chunk.isTombstone(at)) {
      return {
        key,
        createRevision: 0,
        modRevision: 0,
        version: 0,
        value: EMPTY_BYTES,
        lease: 0n,
      };
    }
    return {
      key,
      createRevision: chunk.createRevision[at]!,
      modRevision: chunk.main[at]!,
      version: chunk.version[at]!,
      value: this.values.view(chunk.value[at]!, chunk.valueLengthBytes[at]!),
      lease: chunk.leaseAt(at),
    };
  }

  row(chunk: RevisionChunk, at: number): StoredRevision {
    const tombstone = chunk.isTombstone(at);
    const keyValue = this.keyValue(chunk, at);
    return { main: chunk.main[at]!, sub: chunk.sub[at]!, tombstone, keyValue };
  }

  /** A number for a key that {@link find} did not find; a row must follow. */
  add(key: Uint8Array): KeyId {
    const id = this.keys.add(key, this.#hash.hashOf(key));
    this.#hash.add(id);
    this.#ordered.insert(id);
    return id;
  }

  /** Adds a change; it must come after all others. */
  append(key: KeyId, row: NewRow): void {
    assert(!row.tombstone || this.keys.isLive(key), 'only a key that exists can be deleted');
    this.#append(key, row, row.tombstone ? 0 : this.values.add(row.value));
  }

  /** Removes a row that no read needs; with its last row the key is forgotten. */
  remove(chunk: RevisionChunk, at: number): void {
    const key = chunk.key[at]!;
    const lengthBytes = chunk.valueLengthBytes[at]!;
    this.#rowBytes -= rowSizeBytes(this.keys.lengthBytes(key), lengthBytes);
    this.values.free(chunk.value[at]!, lengthBytes);
    if (this.keys.newest(key) === chunk.idAt(at)) {
      assert(!this.keys.isLive(key), 'the newest row of a key that exists is needed');
      this.#ordered.remove(key);
      this.#hash.remove(key);
      this.keys.remove(key);
    }
    chunk.remove(at);
  }

  /** During a bulk load: the order is made at its end. */
  #findOrNumber(key: Uint8Array): KeyId {
    const hash = this.#hash.hashOf(key);
    const found = this.#hash.find(key, hash);
    if (found !== NO_KEY) return found;
    const id = this.keys.add(key, hash);
    this.#hash.add(id);
    return id;
  }

  /** `address`: of the value. */
  #append(key: KeyId, row: NewRow, address: Address): void {
    const { main, sub, tombstone } = row;
    const previous = this.keys.newest(key);
    const valueLengthBytes = tombstone ? 0 : row.value.length;
    let jump = NO_ROW;
    let depth = 0;
    if (previous !== NO_ROW) {
      const chunk = this.log.chunkOf(previous)!;
      const at = chunk.slotOf(previous);
      assert(at >= 0, 'the newest row of a key is retained');
      chunk.supersededAt[at] = main;
      jump = this.#jumpAfter(chunk, at, previous);
      depth = chunk.depth[at]! + 1;
    }
    const wasLive = this.keys.isLive(key);
    const id = this.log.append({
      main,
      sub,
      tombstone,
      key,
      value: address,
      valueLengthBytes,
      version: tombstone ? 0 : row.version,
      createRevision: tombstone ? 0 : row.createRevision,
      lease: tombstone ? 0n : row.lease,
      previous,
      jump,
      depth,
    });
    this.keys.setNewest(key, id, !tombstone);
    this.#liveKeys += Number(!tombstone) - Number(wasLive);
    this.#rowBytes += rowSizeBytes(this.keys.lengthBytes(key), valueLengthBytes);
  }

  /** Twice as far as the last two jumps if they were equally long, else to the row before. */
  #jumpAfter(chunk: RevisionChunk, at: number, previous: number): number {
    const jumpId = chunk.jump[at]!;
    const far = jumpId === NO_ROW ? undefined : this.log.chunkOf(jumpId);
    const farAt = far === undefined ? -1 : far.slotOf(jumpId);
    if (farAt < 0) return previous;
    const fartherId = far!.jump[farAt]!;
    const farther = fartherId === NO_ROW ? undefined : this.log.chunkOf(fartherId);
    const fartherAt = farther === undefined ? -1 : farther.slotOf(fartherId);
    if (fartherAt < 0) return previous;
    const first = chunk.depth[at]! - far!.depth[farAt]!;
    const second = far!.depth[farAt]! - farther!.depth[fartherAt]!;
    return first === second ? fartherId : previous;
  }

  /** Finds the key's last row at or before `revision`; false: it did not exist then. */
  #seek(key: KeyId, revision: Revision): boolean {
    const newest = this.keys.newest(key);
    let chunk = this.log.chunkOf(newest)!;
    let at = chunk.slotOf(newest);
    while (chunk.main[at]! > revision) {
      let id = chunk.jump[at]!;
      let back = this.log.chunkOf(id);
      let backAt = back === undefined ? -1 : back.slotOf(id);
      // A jump to what was removed, or to `revision` and before, may be too far.
      if (backAt < 0 || back!.main[backAt]! <= revision) {
        id = chunk.previous[at]!;
        back = this.log.chunkOf(id);
        backAt = back === undefined ? -1 : back.slotOf(id);
      }
      if (backAt < 0) return false;
      chunk = back!;
      at = backAt;
    }
    this.#chunk = chunk;
    this.#at = at;
    return !chunk.isTombstone(at);
  }
}
