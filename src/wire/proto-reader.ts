import { EMPTY_BYTES } from '../lib/bytes.ts';
import { err, ok, type Result } from '../lib/result.ts';
import { utf8Decode } from '../lib/utf8.ts';

/**
 * Protocol Buffers, reading. The first fault ends the input: every later read answers zero and
 * `nextField` 0, so readers need no checks between fields; `decodeMessage` reports the fault.
 * Byte strings alias the input: copy what must outlive it.
 */

export type WireErrorCode =
  /** Truncated, overlong, too deep, or a field of the wrong wire type. */
  | 'malformed'
  /** More nested messages than the caller allows. */
  | 'tooManyMessages'
  /** A range asks for a sort order or target that does not exist. */
  | 'invalidSortOption'
  /** A comparison's result or target does not exist. */
  | 'invalidCompare'
  /** An operation of a transaction names nothing to do. */
  | 'emptyOperation'
  /** A log entry of a kind that this server does not know. */
  | 'unknownVariant';

export interface WireError {
  readonly code: WireErrorCode;
  readonly message: string;
}

export interface DecodeLimits {
  /** Messages within messages. */
  readonly depthMax: number;
  /** Nested messages in all: bounds what a small input may expand to. */
  readonly messagesMax: number;
}

/** For what a client sends. Depth 100 is what other implementations of the format accept. */
export const REQUEST_LIMITS: DecodeLimits = { depthMax: 100, messagesMax: 65_536 };

/** For what wraps or answers an accepted request; its size is bounded by who sent it. */
export const TRUSTED_LIMITS: DecodeLimits = {
  depthMax: 110,
  messagesMax: Number.MAX_SAFE_INTEGER,
};

/** Reads a whole message with `read`; nothing of a faulty message is returned. */
export function decodeMessage<Value>(
  bytes: Uint8Array,
  read: (reader: ProtoReader) => Value,
  limits: DecodeLimits = TRUSTED_LIMITS,
): Result<Value, WireError> {
  const reader = new ProtoReader(bytes, limits);
  const value = read(reader);
  return reader.failure === undefined ? ok(value) : err(reader.failure);
}

const VARINT = 0;
const FIXED64 = 1;
const LENGTH_DELIMITED = 2;
const FIXED32 = 5;
const FIELD_MAX = 536_870_911;
const TWO_POW_32 = 0x1_0000_0000;
/** To put 64-bit numbers together; used within single calls only. */
const WORD = new DataView(new ArrayBuffer(8));
/** High words between which an int64 is a safe integer, whatever the low word is. */
const SAFE_HIGH_MIN = -0x20_0000;
const SAFE_HIGH_MAX = 0x1f_ffff;

export class ProtoReader {
  /** The first fault met, if any. */
  failure: WireError | undefined = undefined;
  private readonly input: Uint8Array;
  private readonly limits: DecodeLimits;
  private at = 0;
  private limit: number;
  private depth = 0;
  private messages = 0;
  private field = 0;
  private wireType = 0;
  private low = 0;
  private high = 0;

  constructor(input: Uint8Array, limits: DecodeLimits) {
    this.input = input;
    this.limits = limits;
    this.limit = input.length;
  }

  /** Number of the field that follows, 0 at the end of the message or after a fault. */
  nextField(): number {
    if (this.failure !== undefined || this.at >= this.limit) return 0;
    this.varint();
    const field = this.low >>> 3;
    if (this.high !== 0 || field === 0 || field > FIELD_MAX) {
      this.fail('malformed', 'field number out of range');
      return 0;
    }
    this.field = field;
    this.wireType = this.low & 7;
    return this.failure === undefined ? field : 0;
  }

  /** Numbers beyond the safe integers become the nearest safe one: all act alike as bounds. */
  int64(): number {
    this.expect(VARINT);
    this.varint();
    const high = this.high | 0;
    if (high > SAFE_HIGH_MAX) return Number.MAX_SAFE_INTEGER;
    if (high < SAFE_HIGH_MIN || (high === SAFE_HIGH_MIN && this.low === 0)) {
      return Number.MIN_SAFE_INTEGER;
    }
    return high * TWO_POW_32 + this.low;
  }

  /** As {@link int64}, for fields that are never negative. */
  uint64(): number {
    this.expect(VARINT);
    this.varint();
    return this.high > SAFE_HIGH_MAX ? Number.MAX_SAFE_INTEGER : this.high * TWO_POW_32 + this.low;
  }

  uint64Bits(): bigint {
    this.expect(VARINT);
    this.varint();
    WORD.setUint32(0, this.high);
    WORD.setUint32(4, this.low);
    return WORD.getBigUint64(0);
  }

  int64Bits(): bigint {
    this.expect(VARINT);
    this.varint();
    WORD.setUint32(0, this.high);
    WORD.setUint32(4, this.low);
    return WORD.getBigInt64(0);
  }

  /** An enum's number: 32 bits, signed. */
  enumNumber(): number {
    this.expect(VARINT);
    this.varint();
    return this.low | 0;
  }

  /** A repeated enum, packed or not: calls `visit` for each number that this field holds. */
  enumNumbers(visit: (value: number) => void): void {
    if (this.wireType === VARINT) {
      visit(this.enumNumber());
      return;
    }
    this.message((reader) => {
      while (reader.failure === undefined && reader.at < reader.limit) {
        reader.varint();
        if (reader.failure === undefined) visit(reader.low | 0);
      }
    });
  }

  bool(): boolean {
    this.expect(VARINT);
    this.varint();
    return this.low !== 0 || this.high !== 0;
  }

  bytes(): Uint8Array {
    this.expect(LENGTH_DELIMITED);
    const start = this.enterLength();
    if (this.at === start) return EMPTY_BYTES;
    return this.input.subarray(start, this.at);
  }

  string(): string {
    return utf8Decode(this.bytes());
  }

  /** A nested message. */
  message<Value>(read: (reader: ProtoReader) => Value): Value {
    this.expect(LENGTH_DELIMITED);
    const outerLimit = this.limit;
    const start = this.enterLength();
    if (this.depth >= this.limits.depthMax) this.fail('malformed', 'messages nested too deep');
    this.messages += 1;
    if (this.messages > this.limits.messagesMax) this.fail('tooManyMessages', 'too many messages');
    this.depth += 1;
    this.limit = this.at;
    this.at = start;
    const value = read(this);
    this.depth -= 1;
    this.at = this.limit;
    this.limit = outerLimit;
    return value;
  }

  /** Passes over the field that `nextField` announced. Groups are long extinct: refused. */
  skip(): void {
    switch (this.wireType) {
      case VARINT:
        this.varint();
        return;
      case FIXED64:
        this.advance(8);
        return;
      case LENGTH_DELIMITED:
        this.enterLength();
        return;
      case FIXED32:
        this.advance(4);
        return;
      default:
        this.fail('malformed', `field ${this.field} has wire type ${this.wireType}`);
    }
  }

  /** Records a fault, unless there was one before. */
  fail(code: WireErrorCode, message: string): void {
    this.failure ??= { code, message };
  }

  private expect(wireType: number): void {
    if (this.wireType !== wireType) {
      this.fail('malformed', `field ${this.field} has wire type ${this.wireType}`);
    }
  }

  /** Reads a length and steps over that many bytes; returns where they begin. */
  private enterLength(): number {
    this.varint();
    if (this.high !== 0) this.fail('malformed', 'length out of range');
    const start = this.at;
    this.advance(this.low);
    return start;
  }

  private advance(sizeBytes: number): void {
    if (this.failure !== undefined) return;
    if (sizeBytes > this.limit - this.at) this.fail('malformed', 'truncated');
    else this.at += sizeBytes;
  }

  /** Into `low` and `high`, zero after a fault. */
  private varint(): void {
    this.low = 0;
    this.high = 0;
    if (this.failure !== undefined) return;
    if (this.at < this.limit && this.input[this.at]! < 128) {
      this.low = this.input[this.at++]!;
      return;
    }
    this.longVarint();
  }

  private longVarint(): void {
    let low = 0;
    let high = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      if (this.at >= this.limit) break;
      const byte = this.input[this.at++]!;
      const bits = byte & 127;
      if (shift < 28) low |= bits << shift;
      else if (shift === 28) {
        low |= bits << 28;
        high = bits >>> 4;
      } else if (shift < 63) high |= bits << (shift - 32);
      else if (byte > 1) break;
      else high |= byte << 31;
      if (byte < 128) {
        this.low = low >>> 0;
        this.high = high >>> 0;
        return;
      }
    }
    this.fail('malformed', 'varint truncated or longer than 64 bits');
  }
}
