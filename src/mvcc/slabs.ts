/**
 * Byte strings outside the JavaScript heap, packed into large arrays. What was written stays as
 * it is until nobody refers to the array any more, so a view on it may be handed out: space is
 * never written twice, an array without live strings is dropped as a whole.
 */
import { assert } from '../lib/assert.ts';
import { EMPTY_BYTES } from '../lib/bytes.ts';

/** Where a byte string begins: slab number and position, in 32 bits. Anything if it is empty. */
export type Address = number;

/**
 * From this size on, the C library gives memory back to the system as soon as it is freed; pages
 * that are not written to yet take none.
 */
const SLAB_BYTES = 1 << 25;
/** Of the first; they double, so that a small store is small. */
const FIRST_SLAB_BYTES = 1 << 12;
/** Strings begin at multiples of 8 bytes, so that a position fits into 22 bits. */
const ALIGNMENT_BITS = 3;
const ALIGNMENT_BYTES = 1 << ALIGNMENT_BITS;
const POSITION_BITS = 22;
const POSITION_MASK = (1 << POSITION_BITS) - 1;
/** 32 GiB; the store's owner keeps it far smaller with a quota. */
const SLABS_MAX = 1 << (32 - POSITION_BITS);
/**
 * Arrays that are taken over as they are. In them strings begin anywhere, so that a position
 * reaches as far as it has numbers; smaller ones are cheap to copy. So that slabs remain for what
 * comes later, the rest is copied too.
 */
const ADOPTED_BYTES_MIN = 1 << 20;
const ADOPTED_BYTES_MAX = 1 << POSITION_BITS;
const ADOPTED_MAX = SLABS_MAX / 2;
/** A longer string gets a slab of its own size, so that little of a slab's end is wasted. */
const SHARED_BYTES_MAX = SLAB_BYTES / 8;
/** Up to here a loop is faster than the call that copies. */
const LOOPED_BYTES_MAX = 32;

interface Slab {
  readonly number: number;
  readonly bytes: Uint8Array;
  /** Strings begin at multiples of this power of two. */
  readonly alignmentBits: number;
  usedBytes: number;
  /** Of `usedBytes`, what was not freed. */
  liveBytes: number;
  /** Somebody is moving its strings elsewhere. */
  isSparse: boolean;
}

/** Costs no more than one slab at a time: nothing that is there is ever copied to grow. */
export class Slabs {
  readonly #slabs: (Slab | undefined)[] = [];
  readonly #freeNumbers: number[] = [];
  readonly #adopted = new WeakMap<ArrayBufferLike, Slab>();
  #lastAdopted: Slab | undefined;
  #adoptedCount = 0;
  #open: Slab | undefined;
  #allocatedBytes = 0;
  #liveBytes = 0;

  /** Memory held. */
  get allocatedBytes(): number {
    return this.#allocatedBytes;
  }

  /** Of it, what strings take. */
  get liveBytes(): number {
    return this.#liveBytes;
  }

  /** Copies `bytes`. */
  add(bytes: Uint8Array): Address {
    if (bytes.length === 0) return 0;
    const sizeBytes = aligned(bytes.length);
    let slab = this.#open;
    if (sizeBytes > SHARED_BYTES_MAX) slab = this.#allocate(sizeBytes);
    else if (slab === undefined || slab.usedBytes + sizeBytes > slab.bytes.length) {
      this.#open = undefined;
      if (slab !== undefined) this.#dropIfEmpty(slab);
      slab = this.#allocate(this.#nextSlabBytes(sizeBytes));
      this.#open = slab;
    }
    const at = slab.usedBytes;
    slab.usedBytes += sizeBytes;
    slab.liveBytes += sizeBytes;
    this.#liveBytes += sizeBytes;
    if (bytes.length > LOOPED_BYTES_MAX) slab.bytes.set(bytes, at);
    else for (let i = 0; i < bytes.length; i++) slab.bytes[at + i] = bytes[i]!;
    return ((slab.number << POSITION_BITS) | (at >>> ALIGNMENT_BITS)) >>> 0;
  }

  /**
   * As {@link add}, without copying if that is possible: the whole array that holds `bytes` is
   * kept then, until all that was taken over from it is freed or moved. Nobody may write to it
   * any more.
   */
  adopt(bytes: Uint8Array): Address {
    if (bytes.length === 0) return 0;
    const { buffer } = bytes;
    let slab = this.#lastAdopted;
    if (slab === undefined || slab.bytes.buffer !== buffer) {
      slab = this.#adoptedSlab(buffer);
      if (slab === undefined) return this.add(bytes);
      this.#lastAdopted = slab;
    }
    slab.liveBytes += bytes.length;
    this.#liveBytes += bytes.length;
    return ((slab.number << POSITION_BITS) | bytes.byteOffset) >>> 0;
  }

  /** What was added, without copying it; stays right after `free`. Not to be written to. */
  view(address: Address, lengthBytes: number): Uint8Array {
    if (lengthBytes === 0) return EMPTY_BYTES;
    const slab = this.#at(address);
    return new Uint8Array(slab.bytes.buffer, positionIn(slab, address), lengthBytes);
  }

  /** The string will not be asked for again at this address. */
  free(address: Address, lengthBytes: number): void {
    if (lengthBytes === 0) return;
    const slab = this.#at(address);
    const sizeBytes = slab.alignmentBits === 0 ? lengthBytes : aligned(lengthBytes);
    assert(slab.liveBytes >= sizeBytes, 'more was freed than was added');
    slab.liveBytes -= sizeBytes;
    this.#liveBytes -= sizeBytes;
    if (slab !== this.#open) this.#dropIfEmpty(slab);
  }

  /** The byte `at` of a string that is longer than that. */
  byteAt(address: Address, at: number): number {
    const slab = this.#at(address);
    return slab.bytes[positionIn(slab, address) + at]!;
  }

  /** Negative, zero or positive as the string sorts before, with or after `other`. */
  compare(address: Address, lengthBytes: number, other: Uint8Array): number {
    const shared = Math.min(lengthBytes, other.length);
    if (shared > 0) {
      const slab = this.#at(address);
      const { bytes } = slab;
      const start = positionIn(slab, address);
      for (let i = 0; i < shared; i++) {
        const difference = bytes[start + i]! - other[i]!;
        if (difference !== 0) return difference;
      }
    }
    return lengthBytes - other.length;
  }

  /**
   * Marks slabs with a smaller part alive than `fill` (0 to 1); tells the bytes to be won by
   * moving what is in them. Marks stay until the slab is empty.
   */
  markSparse(fill: number): number {
    const wonBytes = this.sparseBytes(fill);
    for (const slab of this.#slabs) {
      if (slab === undefined || !this.#isSparse(slab, fill)) continue;
      slab.isSparse = true;
      if (slab !== this.#open) continue;
      // Nothing more is put into it.
      this.#open = undefined;
      this.#dropIfEmpty(slab);
    }
    return wonBytes;
  }

  /** Bytes that {@link markSparse} would find. */
  sparseBytes(fill: number): number {
    let wonBytes = 0;
    for (const slab of this.#slabs) {
      if (slab === undefined || !this.#isSparse(slab, fill)) continue;
      wonBytes += this.#heldBytes(slab) - slab.liveBytes;
    }
    return wonBytes;
  }

  /** Moves a string out of a slab that is marked; otherwise the address stays. */
  moved(address: Address, lengthBytes: number): Address {
    if (lengthBytes === 0 || !this.#at(address).isSparse) return address;
    const target = this.add(this.view(address, lengthBytes));
    this.free(address, lengthBytes);
    return target;
  }

  #isSparse(slab: Slab, fill: number): boolean {
    if (slab === this.#open && slab.usedBytes < FIRST_SLAB_BYTES) return false;
    return slab.liveBytes < this.#heldBytes(slab) * fill;
  }

  /** The end of a slab that is still being filled takes no memory yet. */
  #heldBytes(slab: Slab): number {
    return slab === this.#open ? slab.usedBytes : slab.bytes.length;
  }

  #at(address: Address): Slab {
    const slab = this.#slabs[address >>> POSITION_BITS];
    assert(slab !== undefined, 'an address outlived its bytes');
    return slab;
  }

  #nextSlabBytes(neededBytes: number): number {
    let sizeBytes = FIRST_SLAB_BYTES;
    while (sizeBytes < neededBytes || sizeBytes < this.#liveBytes) sizeBytes *= 2;
    return Math.min(sizeBytes, SLAB_BYTES);
  }

  #allocate(sizeBytes: number): Slab {
    return this.#include(new Uint8Array(sizeBytes), ALIGNMENT_BITS);
  }

  /** Undefined: it is to be copied. */
  #adoptedSlab(buffer: ArrayBufferLike): Slab | undefined {
    const known = this.#adopted.get(buffer);
    if (known !== undefined && this.#slabs[known.number] === known) return known;
    const sizeBytes = buffer.byteLength;
    if (sizeBytes < ADOPTED_BYTES_MIN || sizeBytes > ADOPTED_BYTES_MAX) return undefined;
    if (this.#adoptedCount === ADOPTED_MAX) return undefined;
    const slab = this.#include(new Uint8Array(buffer), 0);
    slab.usedBytes = sizeBytes;
    this.#adopted.set(buffer, slab);
    this.#adoptedCount++;
    return slab;
  }

  #include(bytes: Uint8Array, alignmentBits: number): Slab {
    const number = this.#freeNumbers.pop() ?? this.#slabs.length;
    assert(number < SLABS_MAX, 'the store is larger than it can address');
    const slab = { number, bytes, alignmentBits, usedBytes: 0, liveBytes: 0, isSparse: false };
    this.#slabs[number] = slab;
    this.#allocatedBytes += bytes.length;
    return slab;
  }

  #dropIfEmpty(slab: Slab): void {
    if (slab.liveBytes > 0) return;
    this.#slabs[slab.number] = undefined;
    this.#freeNumbers.push(slab.number);
    this.#allocatedBytes -= slab.bytes.length;
    if (slab.alignmentBits === 0) this.#adoptedCount--;
    if (slab === this.#lastAdopted) this.#lastAdopted = undefined;
  }
}

function aligned(lengthBytes: number): number {
  return (lengthBytes + ALIGNMENT_BYTES - 1) & ~(ALIGNMENT_BYTES - 1);
}

function positionIn(slab: Slab, address: Address): number {
  return (address & POSITION_MASK) << slab.alignmentBits;
}
