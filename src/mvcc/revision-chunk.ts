/** Columns of some consecutive rows of the revision log: one row is one change of one key. */
import type { LeaseId, Revision } from '../lib/ids.ts';
import type { KeyId } from './key-table.ts';
import type { Address } from './slabs.ts';

/** Position of a change in the order of all changes ever made, from 1; never used again. */
export type RowId = number;

/** No such row. */
export const NO_ROW: RowId = 0;

/** One change, before it is in the log. */
export interface Change {
  readonly main: Revision;
  readonly sub: number;
  readonly tombstone: boolean;
  readonly key: KeyId;
  readonly value: Address;
  readonly valueLengthBytes: number;
  readonly version: number;
  readonly createRevision: Revision;
  readonly lease: LeaseId;
  /** The same key's change before, and one long before: see {@link RevisionChunk.jump}. */
  readonly previous: RowId;
  readonly jump: RowId;
  readonly depth: number;
}

const TOMBSTONE = 1;
const REMOVED = 2;
const WIDE_COLUMNS = 6;
const NARROW_COLUMNS = 5;
const ROW_BYTES = WIDE_COLUMNS * 8 + NARROW_COLUMNS * 4 + 1;

/** Rows in ascending order of id, revision and so of (main, sub). */
export class RevisionChunk {
  readonly firstId: RowId;
  /** Ids of the rows; undefined: they are consecutive. */
  readonly ids: Float64Array | undefined;
  readonly main: Float64Array;
  /** `main` of the key's next change; 0 while this is its newest. */
  readonly supersededAt: Float64Array;
  readonly createRevision: Float64Array;
  readonly version: Float64Array;
  /** The key's change before this one, or 0. It may have been removed since. */
  readonly previous: Float64Array;
  /**
   * A change of the same key farther back, or 0. The distances are those of a skew-binary list,
   * so that the change at some revision is found in a logarithmic number of jumps.
   */
  readonly jump: Float64Array;
  readonly sub: Uint32Array;
  readonly key: Uint32Array;
  readonly value: Uint32Array;
  readonly valueLengthBytes: Uint32Array;
  /** Changes of the key that came before, since the key is there. */
  readonly depth: Uint32Array;
  readonly #flags: Uint8Array;
  /** There only if a row has a lease. */
  #leases: BigInt64Array | undefined;
  #size = 0;
  #retained = 0;

  constructor(firstId: RowId, rowsMax: number, ids?: Float64Array) {
    const buffer = new ArrayBuffer(rowsMax * ROW_BYTES);
    const wide = (nth: number): Float64Array =>
      new Float64Array(buffer, nth * 8 * rowsMax, rowsMax);
    const narrow = (nth: number): Uint32Array =>
      new Uint32Array(buffer, (WIDE_COLUMNS * 8 + nth * 4) * rowsMax, rowsMax);
    this.firstId = firstId;
    this.ids = ids;
    this.main = wide(0);
    this.supersededAt = wide(1);
    this.createRevision = wide(2);
    this.version = wide(3);
    this.previous = wide(4);
    this.jump = wide(5);
    this.sub = narrow(0);
    this.key = narrow(1);
    this.value = narrow(2);
    this.valueLengthBytes = narrow(3);
    this.depth = narrow(4);
    this.#flags = new Uint8Array(buffer, (ROW_BYTES - 1) * rowsMax, rowsMax);
  }

  /** Rows, the removed ones included. */
  get size(): number {
    return this.#size;
  }

  /** Rows that were not removed. */
  get retained(): number {
    return this.#retained;
  }

  get rowsMax(): number {
    return this.main.length;
  }

  get hasLeases(): boolean {
    return this.#leases !== undefined;
  }

  get allocatedBytes(): number {
    return this.rowsMax * (ROW_BYTES + (this.ids ? 8 : 0) + (this.#leases ? 8 : 0));
  }

  /** Where the row `id` is; −1 if it is not here any more, or never was. */
  slotOf(id: RowId): number {
    const at = this.slotFrom(id);
    if (at >= this.#size || this.idAt(at) !== id) return -1;
    return this.isRemoved(at) ? -1 : at;
  }

  /** Where the first row with this id or a later one is; `size` if there is none. */
  slotFrom(id: RowId): number {
    if (this.ids === undefined) return Math.min(Math.max(0, id - this.firstId), this.#size);
    return lowerBound(this.ids, this.#size, id);
  }

  /** Where the first row of `main` or a later one is; `size` if there is none. */
  slotFromMain(main: Revision): number {
    return lowerBound(this.main, this.#size, main);
  }

  idAt(at: number): RowId {
    return this.ids === undefined ? this.firstId + at : this.ids[at]!;
  }

  isTombstone(at: number): boolean {
    return (this.#flags[at]! & TOMBSTONE) !== 0;
  }

  isRemoved(at: number): boolean {
    return (this.#flags[at]! & REMOVED) !== 0;
  }

  leaseAt(at: number): LeaseId {
    return this.#leases === undefined ? 0n : this.#leases[at]!;
  }

  /**
   * Whether no read at or after `revision` can see the row. A tombstone at exactly `revision` is
   * not obsolete: a watch starting there is still owed its delete event (etcd since 3.5.15).
   */
  isObsolete(at: number, revision: Revision): boolean {
    const supersededAt = this.supersededAt[at]!;
    if (supersededAt !== 0 && supersededAt <= revision) return true;
    return this.main[at]! < revision && this.isTombstone(at);
  }

  append(change: Change): void {
    const at = this.#size++;
    this.#retained++;
    this.main[at] = change.main;
    this.sub[at] = change.sub;
    this.key[at] = change.key;
    this.value[at] = change.value;
    this.valueLengthBytes[at] = change.valueLengthBytes;
    this.version[at] = change.version;
    this.createRevision[at] = change.createRevision;
    this.previous[at] = change.previous;
    this.jump[at] = change.jump;
    this.depth[at] = change.depth;
    if (change.tombstone) this.#flags[at] = TOMBSTONE;
    if (change.lease !== 0n) this.#setLease(at, change.lease);
  }

  /** The row is gone for good; its columns can still be read until the chunk is rewritten. */
  remove(at: number): void {
    this.#flags[at]! |= REMOVED;
    this.#retained--;
  }

  /** Adds the rows of `other` that were not removed; this chunk must have `ids`. */
  take(other: RevisionChunk): void {
    const ids = this.ids!;
    for (let from = 0; from < other.size; from++) {
      if (other.isRemoved(from)) continue;
      const at = this.#size++;
      this.#retained++;
      ids[at] = other.idAt(from);
      this.main[at] = other.main[from]!;
      this.supersededAt[at] = other.supersededAt[from]!;
      this.createRevision[at] = other.createRevision[from]!;
      this.version[at] = other.version[from]!;
      this.previous[at] = other.previous[from]!;
      this.jump[at] = other.jump[from]!;
      this.sub[at] = other.sub[from]!;
      this.key[at] = other.key[from]!;
      this.value[at] = other.value[from]!;
      this.valueLengthBytes[at] = other.valueLengthBytes[from]!;
      this.depth[at] = other.depth[from]!;
      this.#flags[at] = other.#flags[from]!;
      if (other.#leases !== undefined && other.#leases[from] !== 0n) {
        this.#setLease(at, other.#leases[from]!);
      }
    }
  }

  #setLease(at: number, lease: LeaseId): void {
    this.#leases ??= new BigInt64Array(this.rowsMax);
    this.#leases[at] = lease;
  }
}

/** Position of the first of the ascending numbers that is ≥ `wanted`. */
function lowerBound(ascending: Float64Array, size: number, wanted: number): number {
  let low = 0;
  let high = size;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ascending[middle]! < wanted) low = middle + 1;
    else high = middle;
  }
  return low;
}
