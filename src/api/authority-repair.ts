/**
 * etcd's Go clients up to 3.4 name an endpoint given as a URL in `:authority` as it is, slashes
 * included, which is no authority; nghttp2 resets such streams, and nothing tells it not to. The
 * slashes are replaced in the header block's bytes (HPACK, RFC 7541), by a value of the same
 * length: it may go into the table that later requests refer to, whose size both ends count.
 */

/** Of `:authority` in the static table. */
const AUTHORITY_INDEX = 1;
const SLASH = 0x2f;
const DASH = 0x2d;

/** Codes of up to eight bits, in their order, shortest first: all that a URL is made of. */
const CODES_BY_BITS: ReadonlyMap<number, string> = new Map([
  [5, '012aceiost'],
  [6, ' %-./3456789=A_bdfghlmnpru'],
  [7, ':BCDEFGHIJKLMNOPQRSTUVWYjkqvwxyz'],
  [8, '&*,;XZ'],
]);
const CODE_BITS_MAX = 8;
/** RFC 7541 §5.1: an integer's continuation; more bytes than this no length here has. */
const INTEGER_BYTES_MAX = 4;

/** The block with another authority, or `undefined` where there is nothing to repair. */
export function repairAuthority(block: Uint8Array): Uint8Array | undefined {
  const cursor = new Cursor(block);
  while (!cursor.isAtEnd() && !cursor.failed) {
    const first = block[cursor.at]!;
    if (first >= 0x80) {
      cursor.integer(7);
      continue;
    }
    if ((first & 0xe0) === 0x20) {
      cursor.integer(5);
      continue;
    }
    const nameIndex = cursor.integer((first & 0xc0) === 0x40 ? 6 : 4);
    if (nameIndex === 0) cursor.string();
    const start = cursor.at;
    const value = cursor.string();
    if (nameIndex !== AUTHORITY_INDEX || cursor.failed) continue;
    const text = value.isHuffman ? decodeHuffman(value.bytes) : value.bytes;
    if (text === undefined || !text.includes(SLASH) || text.length > 126) return undefined;
    const repaired = text.map((byte) => (byte === SLASH ? DASH : byte));
    return concat(block.subarray(0, start), Uint8Array.of(text.length), repaired, cursor.rest());
  }
  return undefined;
}

class Cursor {
  at = 0;
  failed = false;
  private readonly block: Uint8Array;

  constructor(block: Uint8Array) {
    this.block = block;
  }

  isAtEnd(): boolean {
    return this.at >= this.block.length;
  }

  rest(): Uint8Array {
    return this.block.subarray(this.at);
  }

  /** With a prefix of so many bits. */
  integer(prefixBits: number): number {
    const prefixMax = (1 << prefixBits) - 1;
    let value = this.byte() & prefixMax;
    if (value < prefixMax) return value;
    for (let shift = 0; shift < 7 * INTEGER_BYTES_MAX; shift += 7) {
      const byte = this.byte();
      value += (byte & 127) << shift;
      if (byte < 128) return value;
    }
    this.failed = true;
    return 0;
  }

  string(): { readonly isHuffman: boolean; readonly bytes: Uint8Array } {
    const isHuffman = (this.block[this.at] ?? 0) >= 0x80;
    const lengthBytes = this.integer(7);
    const bytes = this.block.subarray(this.at, this.at + lengthBytes);
    if (bytes.length < lengthBytes) this.failed = true;
    this.at += lengthBytes;
    return { isHuffman, bytes };
  }

  private byte(): number {
    const byte = this.block[this.at];
    this.at += 1;
    if (byte === undefined) this.failed = true;
    return byte ?? 0;
  }
}

/** `undefined`: has characters that no URL has. */
function decodeHuffman(bytes: Uint8Array): Uint8Array | undefined {
  const text: number[] = [];
  let code = 0;
  let bits = 0;
  for (let at = 0; at < bytes.length * 8; at++) {
    code = (code << 1) | ((bytes[at >> 3]! >> (7 - (at & 7))) & 1);
    bits += 1;
    const character = characterOf(code, bits);
    if (character !== undefined) {
      text.push(character);
      code = 0;
      bits = 0;
    } else if (bits >= CODE_BITS_MAX) {
      return undefined;
    }
  }
  // What is left is padding: ones.
  return code === (1 << bits) - 1 ? Uint8Array.from(text) : undefined;
}

/** The code is canonical: within a length in order, and each length goes on where one ended. */
function characterOf(code: number, bits: number): number | undefined {
  let first = 0;
  for (let length = 5; length <= bits; length++) {
    const characters = CODES_BY_BITS.get(length) ?? '';
    if (length === bits) {
      const place = code - first;
      return place >= 0 && place < characters.length ? characters.charCodeAt(place) : undefined;
    }
    first = (first + characters.length) << 1;
  }
  return undefined;
}

function concat(...parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
