/** A range answered in parts, so that a large one never holds up anybody else. */
import { assert } from '../lib/assert.ts';
import type { Revision } from '../lib/ids.ts';
import type { KeyIndex } from './key-index.ts';
import { compareBy, filterOf, hasFilter, scanLimit, withoutValue } from './range.ts';
import type { KeyValue, RangeRequest } from './request.ts';
import { NO_ROW, type RowId } from './revision-chunk.ts';
import { SortedRuns } from './sorted-runs.ts';

/** Together the parts are what {@link Store.range} would have answered when it was opened. */
export interface RangeCursor {
  /** What is read, whatever is written or compacted meanwhile. */
  readonly revision: Revision;
  /** As in a range's answer; not final before the last part. */
  readonly count: number;
  /** As in a range's answer; not final before the last part. */
  readonly more: boolean;
  /**
   * The next part: at most `keysMax` keys, and no further one once their keys and values have
   * `bytesMax` bytes. Looks at no more than four times as many keys, so a part may be empty: of a
   * range that must be sorted, filtered or counted only. `done`: there are no further parts.
   */
  next(keysMax: number, bytesMax: number): RangePart;
  /** After the last part: all parts come again, in a row. Count and `more` are then of no use. */
  rewind(): void;
  /** Must be called at the end: until then the cursor keeps what it reads from compaction. */
  release(): void;
}

export interface RangePart {
  readonly kvs: readonly KeyValue[];
  readonly done: boolean;
}

/** Keys looked at for each key that a part may have. */
const LOOKED_AT_PER_KEY = 4;

/** Scans in key order; an answer in another order is collected and sorted before its first part. */
export class PinnedCursor implements RangeCursor {
  readonly revision: Revision;
  readonly #index: KeyIndex;
  readonly #request: RangeRequest;
  readonly #accepts: (kv: KeyValue) => boolean;
  readonly #hasFilter: boolean;
  readonly #collectMax: number;
  readonly #release: () => void;
  readonly #runs: SortedRuns<KeyValue> | undefined;
  /** Of a cursor at the present revision: the last change that it sees. */
  readonly #lastId: RowId;
  #isReleased = false;
  /** Where the scan goes on: the key itself or the first after it. */
  #from: Uint8Array;
  #isScanned = false;
  #isDone = false;
  #count = 0;
  #given = 0;
  #more = false;

  /** `release` undoes the pin at `revision`. */
  constructor(index: KeyIndex, revision: Revision, request: RangeRequest, release: () => void) {
    this.#index = index;
    this.revision = revision;
    this.#request = request;
    this.#accepts = filterOf(request);
    this.#hasFilter = hasFilter(request);
    this.#collectMax = request.countOnly ? 0 : scanLimit(request);
    this.#release = release;
    this.#from = request.key;
    this.#runs = runsFor(index, request);
    this.#lastId = revision >= index.log.lastMain ? index.log.lastId : NO_ROW;
  }

  get count(): number {
    return this.#count;
  }

  get more(): boolean {
    return this.#more;
  }

  next(keysMax: number, bytesMax: number): RangePart {
    assert(!this.#isReleased, 'the cursor was released');
    assert(keysMax > 0 && bytesMax > 0, 'a part has room for one key');
    const part = new Part(keysMax, bytesMax);
    if (!this.#isScanned) this.#scan(part, keysMax * LOOKED_AT_PER_KEY);
    if (this.#isScanned && !this.#isDone) {
      if (this.#runs === undefined) this.#isDone = true;
      else this.#drain(this.#runs, part);
    }
    return { kvs: part.kvs, done: this.#isDone };
  }

  rewind(): void {
    assert(this.#isDone, 'there are parts left');
    this.#isDone = false;
    this.#given = 0;
    this.#more = false;
    if (this.#runs === undefined) {
      this.#isScanned = false;
      this.#count = 0;
      this.#from = this.#request.key;
    } else this.#runs.rewind();
  }

  release(): void {
    if (this.#isReleased) return;
    this.#isReleased = true;
    this.#release();
  }

  #scan(part: Part, keysMax: number): void {
    const { rangeEnd } = this.#request;
    let keys = 0;
    let last: Uint8Array | undefined;
    this.#index.visitKeys(this.#from, rangeEnd, (key) => {
      if (keys >= keysMax || part.isFull) {
        last = this.#index.keys.bytes(key);
        return false;
      }
      keys++;
      if (this.#count >= this.#collectMax) {
        if (this.#index.existedAt(key, this.revision, this.#lastId)) this.#count++;
        return true;
      }
      const place = this.#index.placeAt(key, this.revision);
      if (place === undefined) return true;
      this.#count++;
      if (this.#runs !== undefined) {
        const { chunk, at } = place;
        if (!this.#hasFilter || this.#accepts(this.#index.keyValue(chunk, at))) {
          this.#runs.add(chunk.idAt(at));
        }
      } else this.#give(this.#index.keyValue(place.chunk, place.at), part);
      return true;
    });
    if (last === undefined) this.#isScanned = true;
    else this.#from = last;
  }

  #drain(runs: SortedRuns<KeyValue>, part: Part): void {
    while (!part.isFull) {
      const kv = runs.next();
      if (kv === undefined) {
        this.#isDone = true;
        return;
      }
      this.#give(kv, part);
      // Of what follows nothing is given any more.
      if (this.#more) this.#isDone = true;
      if (this.#isDone) return;
    }
  }

  #give(kv: KeyValue, part: Part): void {
    if (this.#runs === undefined && this.#hasFilter && !this.#accepts(kv)) return;
    const { limit, keysOnly } = this.#request;
    if (limit > 0 && this.#given >= limit) {
      this.#more = true;
      return;
    }
    this.#given++;
    part.add(keysOnly ? withoutValue(kv) : kv);
  }
}

/** An answer that was there at once. */
export class ReadyCursor implements RangeCursor {
  readonly revision: Revision;
  readonly count: number;
  readonly more: boolean;
  readonly #kvs: readonly KeyValue[];
  #at = 0;

  constructor(
    revision: Revision,
    answer: { readonly kvs: readonly KeyValue[]; readonly count: number; readonly more: boolean },
  ) {
    this.revision = revision;
    this.count = answer.count;
    this.more = answer.more;
    this.#kvs = answer.kvs;
  }

  next(keysMax: number, bytesMax: number): RangePart {
    const part = new Part(keysMax, bytesMax);
    while (this.#at < this.#kvs.length && !part.isFull) part.add(this.#kvs[this.#at++]!);
    return { kvs: part.kvs, done: this.#at === this.#kvs.length };
  }

  rewind(): void {
    this.#at = 0;
  }

  release(): void {
    this.#at = this.#kvs.length;
  }
}

class Part {
  readonly kvs: KeyValue[] = [];
  readonly #keysMax: number;
  readonly #bytesMax: number;
  #bytes = 0;

  constructor(keysMax: number, bytesMax: number) {
    this.#keysMax = keysMax;
    this.#bytesMax = bytesMax;
  }

  get isFull(): boolean {
    return this.kvs.length >= this.#keysMax || this.#bytes >= this.#bytesMax;
  }

  add(kv: KeyValue): void {
    this.kvs.push(kv);
    this.#bytes += kv.key.length + kv.value.length;
  }
}

/** Undefined if the scan's order is the answer's. */
function runsFor(index: KeyIndex, request: RangeRequest): SortedRuns<KeyValue> | undefined {
  const { sortTarget, sortOrder } = request;
  if (sortTarget === 'key' && sortOrder !== 'descend') return undefined;
  const read = (row: RowId): KeyValue => keyValueOf(index, row);
  // Rows of one run in the order of the scan; by key, the last of them comes first.
  if (sortTarget === 'key') return new SortedRuns({ read, compare: () => 0, ties: 'lastFirst' });
  const direction = sortOrder === 'descend' ? -1 : 1;
  const compare = (a: KeyValue, b: KeyValue): number => direction * compareBy(sortTarget, a, b);
  return new SortedRuns({ read, compare, ties: 'firstFirst' });
}

const MISSING_ROW = 'a pinned row is retained';

function keyValueOf(index: KeyIndex, row: RowId): KeyValue {
  const chunk = index.log.chunkOf(row);
  assert(chunk !== undefined, MISSING_ROW);
  const at = chunk.slotOf(row);
  assert(at >= 0, MISSING_ROW);
  return index.keyValue(chunk, at);
}
