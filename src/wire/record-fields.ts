import { assert } from '../lib/assert.ts';

/**
 * Protobuf fields, one at a time, for the records kept on disk. Numbers are safe integers
 * unless a method says 64 bits. The API's hot messages have codecs of their own.
 */

/** Appends fields to a buffer that grows by doubling and is reused after {@link clear}. */
export class FieldWriter {
  #bytes: Uint8Array;
  #length = 0;

  /** `room`: to begin with, instead of an array of `capacityBytes`. */
  constructor(capacityBytes = 256, room: Uint8Array = new Uint8Array(capacityBytes)) {
    assert(room.length > 0, 'a writer starts with room');
    this.#bytes = room;
  }

  /** Bytes written so far. */
  get length(): number {
    return this.#length;
  }

  clear(): void {
    this.#length = 0;
  }

  /** A view of what was written: valid until the next write or {@link clear}. */
  view(from = 0): Uint8Array {
    return this.#bytes.subarray(from, this.#length);
  }

  /** An exact copy of what was written. */
  finish(): Uint8Array {
    return this.#bytes.slice(0, this.#length);
  }

  uint(field: number, value: number): void {
    this.varint(field * 8);
    this.varint(value);
  }

  /** Any 64-bit value; a negative one is written as its two's complement. */
  uint64(field: number, value: bigint): void {
    this.varint(field * 8);
    let rest = BigInt.asUintN(64, value);
    this.#reserve(10);
    for (; rest > 0x7fn; rest >>= 7n) this.#bytes[this.#length++] = Number(rest & 0x7fn) | 0x80;
    this.#bytes[this.#length++] = Number(rest);
  }

  bytes(field: number, value: Uint8Array): void {
    this.varint(field * 8 + 2);
    this.varint(value.length);
    this.raw(value);
  }

  varint(value: number): void {
    assert(Number.isSafeInteger(value) && value >= 0, `not an unsigned safe integer: ${value}`);
    this.#reserve(10);
    let rest = value;
    // Shifts work on 32 bits only; larger numbers are divided.
    for (; rest > 0x7fffffff; rest = Math.floor(rest / 128)) {
      this.#bytes[this.#length++] = (rest % 128) | 0x80;
    }
    for (; rest > 0x7f; rest >>>= 7) this.#bytes[this.#length++] = (rest & 0x7f) | 0x80;
    this.#bytes[this.#length++] = rest;
  }

  raw(value: Uint8Array): void {
    this.#reserve(value.length);
    this.#bytes.set(value, this.#length);
    this.#length += value.length;
  }

  /** Adds `countBytes` zeros. */
  zeros(countBytes: number): void {
    this.#reserve(countBytes);
    this.#bytes.fill(0, this.#length, this.#length + countBytes);
    this.#length += countBytes;
  }

  #reserve(countBytes: number): void {
    const needed = this.#length + countBytes;
    if (needed <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(needed, 2 * this.#bytes.length));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
  }
}

/** Bytes that `value` takes as a varint. */
export function varintSizeBytes(value: number): number {
  let sizeBytes = 1;
  for (let rest = value; rest > 0x7f; rest = Math.floor(rest / 128)) sizeBytes++;
  return sizeBytes;
}

/**
 * Walks the fields of one message: `while (reader.next()) switch (reader.field) …`. A field
 * whose value is not asked for is skipped. The first malformed byte ends the walk and leaves
 * its reason in {@link failure}, which the caller checks once, at the end.
 */
export class FieldReader {
  /** Number of the current field. */
  field = 0;
  failure: string | undefined = undefined;
  readonly #bytes: Uint8Array;
  #at = 0;
  #wireType = WIRE_NONE;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  next(): boolean {
    if (this.#wireType !== WIRE_NONE) this.#skip();
    if (this.failure !== undefined || this.#at === this.#bytes.length) return false;
    const tag = this.#varint();
    this.field = Math.floor(tag / 8);
    this.#wireType = tag % 8;
    if (this.failure !== undefined) return false;
    if (this.field >= 1 && WIRE_TYPES.includes(this.#wireType)) return true;
    return this.#fail(`tag ${tag} is no field`);
  }

  /** 0 if malformed or above the safe integers. */
  uint(): number {
    return this.#take(WIRE_VARINT) ? this.#varint() : 0;
  }

  uint64(): bigint {
    return this.#take(WIRE_VARINT) ? this.#varint64() : 0n;
  }

  /** A view into the message; empty if malformed. */
  bytes(): Uint8Array {
    return this.#take(WIRE_BYTES) ? this.#span(this.#varint()) : this.#bytes.subarray(0, 0);
  }

  /** A repeated 64-bit field: one value of it, or several if the writer packed them. */
  repeatedUint64(into: bigint[]): void {
    if (this.#wireType === WIRE_VARINT) {
      into.push(this.uint64());
      return;
    }
    const packed = new FieldReader(this.bytes());
    while (packed.failure === undefined && packed.#at < packed.#bytes.length) {
      into.push(packed.#varint64());
    }
    if (packed.failure !== undefined) this.#fail(packed.failure);
  }

  #take(wireType: number): boolean {
    const found = this.#wireType;
    this.#wireType = WIRE_NONE;
    if (found === wireType) return true;
    return this.#fail(`field ${this.field} has wire type ${found}, not ${wireType}`);
  }

  #skip(): void {
    const wireType = this.#wireType;
    this.#wireType = WIRE_NONE;
    if (wireType === WIRE_VARINT) this.#varint64();
    else if (wireType === WIRE_BYTES) this.#span(this.#varint());
    else this.#span(wireType === WIRE_FIXED64 ? 8 : 4);
  }

  #span(lengthBytes: number): Uint8Array {
    const from = this.#at;
    if (lengthBytes > this.#bytes.length - from) {
      this.#fail(`field ${this.field} ends behind its message`);
      return this.#bytes.subarray(0, 0);
    }
    this.#at = from + lengthBytes;
    return this.#bytes.subarray(from, this.#at);
  }

  #varint(): number {
    let value = 0;
    let scale = 1;
    for (let i = 0; i < VARINT_BYTES_MAX; i++) {
      const byte = this.#bytes[this.#at];
      if (byte === undefined) break;
      this.#at++;
      value += (byte & 0x7f) * scale;
      scale *= 128;
      if (byte >= 0x80) continue;
      if (Number.isSafeInteger(value)) return value;
      this.#fail(`integer ${value} is above 2^53`);
      return 0;
    }
    this.#fail('varint has no end');
    return 0;
  }

  #varint64(): bigint {
    let value = 0n;
    for (let i = 0; i < VARINT_BYTES_MAX; i++) {
      const byte = this.#bytes[this.#at];
      if (byte === undefined) break;
      this.#at++;
      value |= BigInt(byte & 0x7f) << BigInt(7 * i);
      if (byte < 0x80) return BigInt.asUintN(64, value);
    }
    this.#fail('varint has no end');
    return 0n;
  }

  #fail(reason: string): false {
    this.failure ??= reason;
    this.#at = this.#bytes.length;
    return false;
  }
}

const VARINT_BYTES_MAX = 10;
const WIRE_NONE = -1;
const WIRE_VARINT = 0;
const WIRE_FIXED64 = 1;
const WIRE_BYTES = 2;
const WIRE_FIXED32 = 5;
const WIRE_TYPES: readonly number[] = [WIRE_VARINT, WIRE_FIXED64, WIRE_BYTES, WIRE_FIXED32];
