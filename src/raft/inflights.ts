/**
 * What is on its way to one follower: a ring of the last indexes of unacknowledged MsgApps,
 * limited in messages and bytes. When full, the leader sends no more entries until an
 * acknowledgement frees room.
 */
import { assert } from '../lib/assert.ts';
import type { Index } from '../lib/ids.ts';

export interface InflightLimits {
  readonly maxInflightMessages: number;
  readonly maxInflightBytes: number;
}

const INITIAL_CAPACITY = 8;

export class Inflights {
  readonly #limits: InflightLimits;
  /** Ring buffers of equal, power-of-two length; they grow up to the limit. */
  #lastIndexes: Index[] = new Array(INITIAL_CAPACITY).fill(0);
  #sizesBytes: number[] = new Array(INITIAL_CAPACITY).fill(0);
  #start = 0;
  #count = 0;
  #bytes = 0;

  constructor(limits: InflightLimits) {
    this.#limits = limits;
  }

  get count(): number {
    return this.#count;
  }

  get bytes(): number {
    return this.#bytes;
  }

  full(): boolean {
    return (
      this.#count >= this.#limits.maxInflightMessages ||
      this.#bytes >= this.#limits.maxInflightBytes
    );
  }

  /** Records a sent MsgApp whose newest entry is `lastIndex`. */
  add(lastIndex: Index, sizeBytes: number): void {
    assert(!this.full(), 'inflights: added while full');
    if (this.#count === this.#lastIndexes.length) this.#grow();
    const at = (this.#start + this.#count) & (this.#lastIndexes.length - 1);
    this.#lastIndexes[at] = lastIndex;
    this.#sizesBytes[at] = sizeBytes;
    this.#count++;
    this.#bytes += sizeBytes;
  }

  /** Forgets every message whose newest entry is at or before the acknowledged `index`. */
  freeTo(index: Index): void {
    const mask = this.#lastIndexes.length - 1;
    while (this.#count > 0 && this.#lastIndexes[this.#start]! <= index) {
      this.#bytes -= this.#sizesBytes[this.#start]!;
      this.#start = (this.#start + 1) & mask;
      this.#count--;
    }
    assert(this.#bytes >= 0, 'inflights: negative size');
    assert(this.#count > 0 || this.#bytes === 0, 'inflights: bytes without messages');
  }

  #grow(): void {
    const capacity = this.#lastIndexes.length;
    const unrolled = <T>(ring: T[], filler: T): T[] => [
      ...ring.slice(this.#start),
      ...ring.slice(0, this.#start),
      ...new Array<T>(capacity).fill(filler),
    ];
    this.#lastIndexes = unrolled(this.#lastIndexes, 0);
    this.#sizesBytes = unrolled(this.#sizesBytes, 0);
    this.#start = 0;
    assert(this.#lastIndexes.length === 2 * capacity, 'inflights: ring did not double');
  }
}
