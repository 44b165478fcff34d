import { assert } from '../lib/assert.ts';
import { FIELD_OVERHEAD_BYTES, fieldSizeBytes, type HeaderField } from './header-field.ts';

/**
 * The fields the peer's encoder has told us to remember, newest first: RFC 7541 §2.3.2, §4.
 * When they get too large the oldest go; a field too large for the table empties it.
 */
export class HpackDynamicTable {
  /** A ring; its length is a power of two, enough for a full table of the smallest fields. */
  readonly #ring: (HeaderField | undefined)[];
  readonly #mask: number;
  /** Place after the newest field; counted modulo the ring. */
  #end = 0;
  #count = 0;
  #sizeBytes = 0;
  #sizeBytesMax: number;

  /** `largestBytes` bounds every later `resize`. */
  constructor(sizeBytesMax: number, largestBytes: number) {
    assert(sizeBytesMax <= largestBytes, 'a table no larger than its bound');
    this.#sizeBytesMax = sizeBytesMax;
    let slots = 1;
    while (slots * FIELD_OVERHEAD_BYTES < largestBytes) slots *= 2;
    this.#ring = new Array<HeaderField | undefined>(slots).fill(undefined);
    this.#mask = slots - 1;
  }

  /** The field that is `age` fields older than the newest one, which has age 0. */
  at(age: number): HeaderField | undefined {
    if (age < 0 || age >= this.#count) return undefined;
    return this.#ring[(this.#end - 1 - age) & this.#mask];
  }

  add(field: HeaderField): void {
    const addedBytes = fieldSizeBytes(field);
    this.#evictAbove(this.#sizeBytesMax - addedBytes);
    if (addedBytes > this.#sizeBytesMax) return;
    this.#ring[this.#end] = field;
    this.#end = (this.#end + 1) & this.#mask;
    this.#count++;
    this.#sizeBytes += addedBytes;
  }

  resize(sizeBytesMax: number): void {
    this.#sizeBytesMax = sizeBytesMax;
    this.#evictAbove(sizeBytesMax);
  }

  #evictAbove(sizeBytes: number): void {
    while (this.#count > 0 && this.#sizeBytes > sizeBytes) {
      const oldest = (this.#end - this.#count) & this.#mask;
      this.#sizeBytes -= fieldSizeBytes(this.#ring[oldest]!);
      this.#ring[oldest] = undefined;
      this.#count--;
    }
  }
}
