import { assert } from '../lib/assert.ts';
import { allocateBytes } from './byte-arena.ts';

/** Fixed-width little-endian fields, for formats of our own; protobuf has its own reader. */

/** Writes into one buffer whose size the caller bounds beforehand. */
export class FixedWriter {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(capacityBytes: number) {
    this.#bytes = allocateBytes(capacityBytes);
    this.#view = new DataView(this.#bytes.buffer, this.#bytes.byteOffset, capacityBytes);
  }

  u8(value: number): void {
    this.#view.setUint8(this.#at, value);
    this.#at += 1;
  }

  u32(value: number): void {
    this.#view.setUint32(this.#at, value, true);
    this.#at += 4;
  }

  u64(value: bigint): void {
    this.#view.setBigUint64(this.#at, value, true);
    this.#at += 8;
  }

  /** A non-negative safe integer as u64, without passing through bigint. */
  safeInt(value: number): void {
    assert(Number.isSafeInteger(value) && value >= 0, `not an unsigned safe integer: ${value}`);
    this.#view.setUint32(this.#at, value % 0x1_0000_0000, true);
    this.#view.setUint32(this.#at + 4, Math.floor(value / 0x1_0000_0000), true);
    this.#at += 8;
  }

  /** Length as u32, then the bytes. */
  bytes(value: Uint8Array): void {
    this.u32(value.length);
    this.#bytes.set(value, this.#at);
    this.#at += value.length;
  }

  finish(): Uint8Array {
    return this.#bytes.subarray(0, this.#at);
  }
}

/** The bytes end inside a field, or a field is out of its range. */
export class TruncatedError extends Error {
  override readonly name = 'TruncatedError';
}

/** Reads what {@link FixedWriter} wrote; throws {@link TruncatedError} on anything else. */
export class FixedReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  done(): boolean {
    return this.#at === this.#bytes.length;
  }

  u8(): number {
    return this.#view.getUint8(this.#take(1));
  }

  flag(): boolean {
    const value = this.u8();
    if (value > 1) throw new TruncatedError(`flag is ${value}`);
    return value === 1;
  }

  u32(): number {
    return this.#view.getUint32(this.#take(4), true);
  }

  u64(): bigint {
    return this.#view.getBigUint64(this.#take(8), true);
  }

  safeInt(): number {
    const at = this.#take(8);
    const value =
      this.#view.getUint32(at, true) + this.#view.getUint32(at + 4, true) * 0x1_0000_0000;
    if (!Number.isSafeInteger(value)) throw new TruncatedError(`integer out of range: ${value}`);
    return value;
  }

  count(max: number): number {
    const value = this.u32();
    if (value > max) throw new TruncatedError(`count ${value} is above ${max}`);
    return value;
  }

  /** A view into the input, not a copy. */
  bytes(): Uint8Array {
    const lengthBytes = this.u32();
    const at = this.#take(lengthBytes);
    return this.#bytes.subarray(at, at + lengthBytes);
  }

  #take(lengthBytes: number): number {
    const at = this.#at;
    if (at + lengthBytes > this.#bytes.length) throw new TruncatedError('fields end too early');
    this.#at = at + lengthBytes;
    return at;
  }
}
