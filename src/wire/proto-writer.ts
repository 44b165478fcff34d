import { assert } from '../lib/assert.ts';
import { utf8Encode } from '../lib/utf8.ts';
import { allocateBytes } from './byte-arena.ts';

/**
 * Protocol Buffers, writing: one growing buffer, fields in the order they are called. Field
 * methods leave out zero values, as proto3 does; `always…` ones write them (oneof members).
 */

const VARINT = 0;
const LENGTH_DELIMITED = 2;
const VARINT_BYTES_MAX = 10;
const TAG_BYTES_MAX = 5;
/** Below this a loop beats the call of `set`. */
const SHORT_COPY_BYTES = 24;
const TWO_POW_32 = 0x1_0000_0000;
/** To take 64-bit numbers apart; used within single calls only. */
const WORD = new DataView(new ArrayBuffer(8));

export class ProtoWriter {
  private buffer: Uint8Array;
  private at: number;

  /**
   * `sizeHintBytes`: what the message will probably take; too small only costs a copy.
   * `headroomBytes`: left free in front of the message, for a frame's prefix.
   * `room`: to be written to instead of new memory, as far as it goes; of at least 16 bytes.
   */
  constructor(sizeHintBytes = 64, headroomBytes = 0, room: Uint8Array | undefined = undefined) {
    this.buffer = room ?? allocateBytes(Math.max(sizeHintBytes + headroomBytes, 16));
    this.at = headroomBytes;
  }

  /** Headroom and message; the writer must not be used afterwards. */
  finish(): Uint8Array {
    return this.buffer.subarray(0, this.at);
  }

  /** int64 or enum. A safe integer; negative ones take ten bytes. */
  int64(field: number, value: number): void {
    if (value !== 0) this.alwaysInt64(field, value);
  }

  alwaysInt64(field: number, value: number): void {
    assert(Number.isSafeInteger(value), 'an integer on the wire is a safe one');
    this.tag(field, VARINT);
    this.varint(value >>> 0, Math.floor(value / TWO_POW_32) >>> 0);
  }

  /** uint64 or int64 by its 64 bits. */
  bits64(field: number, value: bigint): void {
    if (value !== 0n) this.alwaysBits64(field, value);
  }

  alwaysBits64(field: number, value: bigint): void {
    this.tag(field, VARINT);
    WORD.setBigUint64(0, value);
    this.varint(WORD.getUint32(4), WORD.getUint32(0));
  }

  bool(field: number, value: boolean): void {
    if (value) this.alwaysInt64(field, 1);
  }

  bytes(field: number, value: Uint8Array): void {
    if (value.length > 0) this.alwaysBytes(field, value);
  }

  alwaysBytes(field: number, value: Uint8Array): void {
    this.tag(field, LENGTH_DELIMITED);
    const lengthBytes = value.length;
    this.varint(lengthBytes, 0);
    this.reserve(lengthBytes);
    if (lengthBytes < SHORT_COPY_BYTES) {
      for (let i = 0; i < lengthBytes; i++) this.buffer[this.at + i] = value[i]!;
    } else {
      this.buffer.set(value, this.at);
    }
    this.at += lengthBytes;
  }

  string(field: number, value: string): void {
    if (value !== '') this.alwaysBytes(field, utf8Encode(value));
  }

  strings(field: number, values: readonly string[]): void {
    for (const value of values) this.alwaysBytes(field, utf8Encode(value));
  }

  /** A nested message: what `write` writes, behind its tag and length. Written even if empty. */
  message<Value>(
    field: number,
    value: Value,
    write: (writer: ProtoWriter, value: Value) => void,
  ): void {
    this.tag(field, LENGTH_DELIMITED);
    this.reserve(1);
    this.at += 1;
    const start = this.at;
    write(this, value);
    this.closeLength(start);
  }

  /** Appends fields that are encoded already. */
  fields(encoded: Uint8Array): void {
    this.reserve(encoded.length);
    this.buffer.set(encoded, this.at);
    this.at += encoded.length;
  }

  /** The length's place was guessed as one byte: a longer one moves the body back. */
  private closeLength(start: number): void {
    const lengthBytes = this.at - start;
    let extraBytes = 0;
    for (let rest = lengthBytes; rest > 127; rest = Math.floor(rest / 128)) extraBytes += 1;
    if (extraBytes > 0) {
      this.reserve(extraBytes);
      this.buffer.copyWithin(start + extraBytes, start, this.at);
    }
    this.at = start - 1;
    this.varint(lengthBytes, 0);
    this.at += lengthBytes;
  }

  private tag(field: number, wireType: number): void {
    this.reserve(TAG_BYTES_MAX + VARINT_BYTES_MAX);
    const tag = field * 8 + wireType;
    if (tag < 128) this.buffer[this.at++] = tag;
    else this.varint(tag, 0);
  }

  /** The caller has reserved the room: `tag` does for itself and the varint behind it. */
  private varint(low: number, high: number): void {
    const { buffer } = this;
    let at = this.at;
    while (high !== 0 || low > 127) {
      buffer[at++] = (low & 127) | 128;
      low = ((low >>> 7) | (high << 25)) >>> 0;
      high >>>= 7;
    }
    buffer[at++] = low;
    this.at = at;
  }

  private reserve(sizeBytes: number): void {
    const needed = this.at + sizeBytes;
    if (needed <= this.buffer.length) return;
    const grown = new Uint8Array(Math.max(needed, this.buffer.length * 2));
    grown.set(this.buffer.subarray(0, this.at));
    this.buffer = grown;
  }
}
