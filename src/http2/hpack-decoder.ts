import { err, ok, type Result } from '../lib/result.ts';
import { fieldSizeBytes, type HeaderField } from './header-field.ts';
import { HpackDynamicTable } from './hpack-dynamic-table.ts';
import { STATIC_TABLE } from './hpack-static.ts';
import { huffmanDecode } from './huffman.ts';
import { latin1Decode } from './latin1.ts';

export interface HpackLimits {
  /**
   * The largest dynamic table the peer may choose: SETTINGS_HEADER_TABLE_SIZE of ours. Below
   * 4096 the table is that small from the start, while a peer may use 4096 until it has seen
   * the setting.
   */
  readonly tableBytesMax: number;
  /** Of one list of fields: the sum of names, values and 32 for each field. */
  readonly listBytesMax: number;
}

/** `compression` is the end of the connection (COMPRESSION_ERROR), `tooLarge` of one request. */
export type HpackError = 'compression' | 'tooLarge';

/**
 * Header blocks of one connection → fields (RFC 7541). The blocks must be decoded in the order
 * of their arrival, each of them, as any may change the dynamic table.
 */
export class HpackDecoder {
  readonly #limits: HpackLimits;
  readonly #table: HpackDynamicTable;
  /** Where in the block the next byte is read. */
  #at = 0;

  constructor(limits: HpackLimits) {
    this.#limits = limits;
    const { tableBytesMax } = limits;
    this.#table = new HpackDynamicTable(
      Math.min(TABLE_BYTES_AT_FIRST, tableBytesMax),
      tableBytesMax,
    );
  }

  /**
   * The fields of one whole header block, names and values as they came: nothing is checked
   * but the encoding. After `compression` the table is of no more use. With `tooLarge` the
   * fields are dropped, but the block was decoded to its end and the table is right.
   * The time it takes is bounded by the block's length, which is the caller's to limit.
   */
  decode(block: Uint8Array): Result<readonly HeaderField[], HpackError> {
    this.#at = 0;
    if (!this.#readTableSizes(block)) return err('compression');
    const { listBytesMax } = this.#limits;
    const fields: HeaderField[] = [];
    let listBytes = 0;
    while (this.#at < block.length) {
      const field = this.#readField(block);
      if (field === undefined) return err('compression');
      listBytes += fieldSizeBytes(field);
      if (listBytes <= listBytesMax) fields.push(field);
    }
    return listBytes <= listBytesMax ? ok(fields) : err('tooLarge');
  }

  /** §6.3: changes of the table's size, which stand before all fields. */
  #readTableSizes(block: Uint8Array): boolean {
    while (this.#at < block.length && block[this.#at]! >> 5 === TABLE_SIZE_TAG) {
      const sizeBytes = this.#readInteger(block, 0x1f);
      if (sizeBytes === MALFORMED || sizeBytes > this.#limits.tableBytesMax) return false;
      this.#table.resize(sizeBytes);
    }
    return true;
  }

  /** §6.1, §6.2. Fields never to be indexed differ for proxies only. */
  #readField(block: Uint8Array): HeaderField | undefined {
    const tag = block[this.#at]!;
    if (tag >= 0x80) return this.#fieldAt(this.#readInteger(block, 0x7f));
    if (tag >= 0x40) {
      const field = this.#readLiteral(block, 0x3f);
      if (field !== undefined) this.#table.add(field);
      return field;
    }
    return tag >> 5 === TABLE_SIZE_TAG ? undefined : this.#readLiteral(block, 0x0f);
  }

  #readLiteral(block: Uint8Array, indexMask: number): HeaderField | undefined {
    const index = this.#readInteger(block, indexMask);
    const name = index === 0 ? this.#readString(block) : this.#fieldAt(index)?.[0];
    if (name === undefined) return undefined;
    const value = this.#readString(block);
    return value === undefined ? undefined : [name, value];
  }

  /** §2.3.3: the static table from 1 on, then the dynamic one, the newest first. */
  #fieldAt(index: number): HeaderField | undefined {
    if (index > STATIC_TABLE.length) return this.#table.at(index - STATIC_TABLE.length - 1);
    return index > 0 ? STATIC_TABLE[index - 1] : undefined;
  }

  /** §5.2. */
  #readString(block: Uint8Array): string | undefined {
    if (this.#at >= block.length) return undefined;
    const isHuffman = block[this.#at]! >= 0x80;
    const lengthBytes = this.#readInteger(block, 0x7f);
    if (lengthBytes === MALFORMED || lengthBytes > block.length - this.#at) return undefined;
    const start = this.#at;
    this.#at += lengthBytes;
    return isHuffman ? huffmanDecode(block, start, this.#at) : latin1Decode(block, start, this.#at);
  }

  /** §5.1: the number that starts in the low bits of the next byte; else {@link MALFORMED}. */
  #readInteger(block: Uint8Array, mask: number): number {
    let value = block[this.#at++]! & mask;
    if (value < mask) return value;
    for (let scale = 1; scale <= SCALE_MAX; scale *= 0x80) {
      if (this.#at >= block.length) return MALFORMED;
      const byte = block[this.#at++]!;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value <= INTEGER_MAX ? value : MALFORMED;
    }
    return MALFORMED;
  }
}

/** RFC 9113 §6.5.2: how large the peer's table is until it says otherwise. */
const TABLE_BYTES_AT_FIRST = 4_096;
const TABLE_SIZE_TAG = 0b001;

const MALFORMED = -1;
const INTEGER_MAX = 2 ** 31;
/** Of the fifth byte after the first: none more is read, not even of zeros. */
const SCALE_MAX = 2 ** 28;
