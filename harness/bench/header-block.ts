/** HPACK (RFC 7541), as far as a load generator needs it. */

/** Whole fields of the static table. */
const METHOD_POST = 0x83;
const SCHEME_HTTP = 0x86;
/** Places of names in it. */
const NAME = { authority: 1, path: 4, contentType: 31 } as const;
const STATIC_FIELDS = 61;
const LITERAL_INDEXED = 0x40;
const HUFFMAN = 0x80;

export interface HeaderBlocks {
  /** Of the first request on a connection: it makes entries in the server's table. */
  readonly first: Buffer;
  /** Of all others: only refers to those. */
  readonly later: Buffer;
}

/** The header blocks of one gRPC method, as gRPC's own clients send them: indexed once. */
export function requestHeaderBlocks(path: string, authority: string): HeaderBlocks {
  const literals = [
    literal(NAME.path, undefined, path),
    literal(NAME.authority, undefined, authority),
    literal(NAME.contentType, undefined, 'application/grpc'),
    literal(0, 'te', 'trailers'),
  ];
  const head = Buffer.from([METHOD_POST, SCHEME_HTTP]);
  // The newest entry comes first behind the static table.
  const references = literals.map((_, at) => 0x80 | (STATIC_FIELDS + literals.length - at));
  return {
    first: Buffer.concat([head, ...literals]),
    later: Buffer.concat([head, Buffer.from(references)]),
  };
}

/** Lengths and places stay below what one byte holds. */
function literal(nameAt: number, name: string | undefined, value: string): Buffer {
  const parts: Buffer[] = [Buffer.from([LITERAL_INDEXED | nameAt])];
  if (name !== undefined) parts.push(plainString(name));
  return Buffer.concat([...parts, plainString(value)]);
}

function plainString(text: string): Buffer {
  return Buffer.concat([Buffer.from([text.length]), Buffer.from(text, 'latin1')]);
}

const STATUS_PLAIN = Buffer.from('grpc-status', 'latin1');
/** The same in HPACK's Huffman code. */
const STATUS_HUFFMAN = Buffer.from('9acac8b21234da8f', 'hex');

/**
 * The `grpc-status` in a block of a server that keeps no table; undefined: there is none, or the
 * block cannot be read.
 */
export function grpcStatusOf(block: Buffer): number | undefined {
  const reader = new BlockReader(block);
  while (!reader.atEnd) {
    const byte = block[reader.at]!;
    if (byte & 0x80) reader.integer(7);
    else if ((byte & 0xe0) === 0x20) reader.integer(5);
    else {
      const nameAt = reader.integer(byte & 0x40 ? 6 : 4);
      const name = nameAt === 0 ? reader.string() : undefined;
      const value = reader.string();
      if (name !== undefined && value !== undefined && isStatus(name)) return statusIn(value);
    }
    if (reader.failed) return undefined;
  }
  return undefined;
}

interface HpackString {
  readonly bytes: Buffer;
  readonly isHuffman: boolean;
}

function isStatus({ bytes, isHuffman }: HpackString): boolean {
  return bytes.equals(isHuffman ? STATUS_HUFFMAN : STATUS_PLAIN);
}

/** One or two digits, which are no shorter in Huffman code: nobody sends them so. */
function statusIn({ bytes, isHuffman }: HpackString): number | undefined {
  const text = bytes.toString('latin1');
  return !isHuffman && /^\d{1,2}$/.test(text) ? Number(text) : undefined;
}

class BlockReader {
  at = 0;
  failed = false;
  readonly #block: Buffer;

  constructor(block: Buffer) {
    this.#block = block;
  }

  get atEnd(): boolean {
    return this.at >= this.#block.length;
  }

  integer(prefixBits: number): number {
    const most = (1 << prefixBits) - 1;
    let value = this.#byte() & most;
    if (value < most) return value;
    for (let shift = 0; shift <= 21; shift += 7) {
      const byte = this.#byte();
      value += (byte & 0x7f) << shift;
      if ((byte & 0x80) === 0) return value;
    }
    this.failed = true;
    return 0;
  }

  string(): HpackString | undefined {
    const isHuffman = !this.atEnd && (this.#block[this.at]! & HUFFMAN) !== 0;
    const lengthBytes = this.integer(7);
    const end = this.at + lengthBytes;
    if (this.failed || end > this.#block.length) {
      this.failed = true;
      return undefined;
    }
    const bytes = this.#block.subarray(this.at, end);
    this.at = end;
    return { bytes, isHuffman };
  }

  #byte(): number {
    const byte = this.#block[this.at];
    this.at += 1;
    if (byte !== undefined) return byte;
    this.failed = true;
    return 0;
  }
}
