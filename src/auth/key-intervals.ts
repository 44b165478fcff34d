import { compareBytes } from '../lib/bytes.ts';

/** Keys of a permission or a request, in etcd's convention of ranges. */
export interface KeyRange {
  readonly key: Uint8Array;
  /** Empty: the single key. One zero byte: every key ≥ `key`. Otherwise exclusive end. */
  readonly rangeEnd: Uint8Array;
}

/** `end` is exclusive; undefined: no upper bound. */
interface Interval {
  readonly start: Uint8Array;
  readonly end: Uint8Array | undefined;
}

/** A union of key ranges that never changes: says whether it covers all of another range. */
export class KeyIntervals {
  /** Disjoint, with gaps between them, ascending. */
  readonly #merged: readonly Interval[];

  constructor(ranges: readonly KeyRange[]) {
    const sorted = ranges.map(intervalOf).sort((a, b) => compareBytes(a.start, b.start));
    const merged: Interval[] = [];
    for (const interval of sorted) {
      const last = merged.at(-1);
      if (last === undefined || endsBefore(last.end, interval.start)) merged.push(interval);
      else merged[merged.length - 1] = { start: last.start, end: laterEnd(last.end, interval.end) };
    }
    this.#merged = merged;
  }

  /**
   * Whether every key of the range is in the union, also where only several ranges together
   * cover it. A range that ends before it starts is taken for its first key.
   */
  covers(key: Uint8Array, rangeEnd: Uint8Array): boolean {
    const around = this.#lastStartingAtOrBefore(key);
    if (around === undefined) return false;
    if (around.end === undefined) return true;
    if (compareBytes(key, around.end) >= 0) return false;
    if (rangeEnd.length === 0) return true;
    return !isOpen(rangeEnd) && compareBytes(rangeEnd, around.end) <= 0;
  }

  #lastStartingAtOrBefore(key: Uint8Array): Interval | undefined {
    let low = 0;
    let high = this.#merged.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (compareBytes(this.#merged[middle]!.start, key) <= 0) low = middle + 1;
      else high = middle;
    }
    return this.#merged[low - 1];
  }
}

/** What a permission may be given for: one key, or a range with room for keys. */
export function isPermissionRange({ key, rangeEnd }: KeyRange): boolean {
  if (key.length === 0) return false;
  return rangeEnd.length === 0 || isOpen(rangeEnd) || compareBytes(key, rangeEnd) < 0;
}

function isOpen(rangeEnd: Uint8Array): boolean {
  return rangeEnd.length === 1 && rangeEnd[0] === 0;
}

/** A single key is the range up to the key after it, which is itself and a zero byte. */
function intervalOf({ key, rangeEnd }: KeyRange): Interval {
  if (isOpen(rangeEnd)) return { start: key, end: undefined };
  if (rangeEnd.length > 0) return { start: key, end: rangeEnd };
  const next = new Uint8Array(key.length + 1);
  next.set(key);
  return { start: key, end: next };
}

function endsBefore(end: Uint8Array | undefined, start: Uint8Array): boolean {
  return end !== undefined && compareBytes(end, start) < 0;
}

function laterEnd(a: Uint8Array | undefined, b: Uint8Array | undefined): Uint8Array | undefined {
  if (a === undefined || b === undefined) return undefined;
  return compareBytes(a, b) < 0 ? b : a;
}
