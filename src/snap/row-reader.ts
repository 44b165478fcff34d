import { EMPTY_BYTES } from '../lib/bytes.ts';
import { decodeKeyValue } from '../wire/key-value.ts';
import { decodeRevisionKey } from './bucket-content.ts';
import type { RevisionRecord } from './checkpoint-image.ts';
import { getBigEndian } from './number-keys.ts';
import { ELEMENT_BYTES, getUint32, PAGE_HEADER_BYTES } from './page.ts';

/**
 * Rows of the `key` bucket, one after the other out of leaf pages, without an object for each:
 * a checkpoint has millions, and each is read twice, to check and to load. Takes what
 * decodeRevisionKey and decodeKeyValue take; what is unusual is left to them.
 */
export class RowReader {
  main = 0;
  sub = 0;
  tombstone = false;
  #page: Uint8Array = EMPTY_BYTES;
  #at = 0;
  #createRevision = 0;
  #modRevision = 0;
  #version = 0;
  #lease = 0n;
  #keyFrom = 0;
  #keyEnd = 0;
  #valueFrom = 0;
  #valueEnd = 0;

  /** The element at `position` of a leaf that was checked; says what is wrong with the row. */
  read(page: Uint8Array, position: number): string | undefined {
    const element = PAGE_HEADER_BYTES + position * ELEMENT_BYTES;
    const from = element + getUint32(page, element + 4);
    const keyBytes = getUint32(page, element + 8);
    const end = from + keyBytes + getUint32(page, element + 12);
    this.#page = page;
    if (!this.#readRevision(from, keyBytes)) return 'a revision is malformed';
    if (!this.#readFields(from + keyBytes, end)) {
      const reason = this.#readUnusual(page.subarray(from + keyBytes, end));
      if (reason !== undefined) return `revision ${this.main}_${this.sub}: ${reason}`;
    }
    if (this.#keyEnd > this.#keyFrom) return undefined;
    return `revision ${this.main}_${this.sub}: no key`;
  }

  /** The row that was read. */
  record(): RevisionRecord {
    const { main, sub, tombstone } = this;
    const keyValue = {
      key: this.#page.subarray(this.#keyFrom, this.#keyEnd),
      value: this.#page.subarray(this.#valueFrom, this.#valueEnd),
      createRevision: this.#createRevision,
      modRevision: this.#modRevision,
      version: this.#version,
      lease: this.#lease,
    };
    return { main, sub, tombstone, keyValue };
  }

  #readRevision(from: number, keyBytes: number): boolean {
    const page = this.#page;
    if (keyBytes === REVISION_BYTES && page[from + 8] === UNDERSCORE) {
      this.main = getBigEndian(page, from);
      this.sub = getBigEndian(page, from + 9);
      this.tombstone = false;
      if (this.main < SAFE_END && this.sub < SAFE_END) return true;
    }
    const decoded = decodeRevisionKey(page.subarray(from, from + keyBytes));
    if (decoded === undefined) return false;
    this.main = decoded.main;
    this.sub = decoded.sub;
    this.tombstone = decoded.tombstone;
    return true;
  }

  /** False: not what is usual; it may be right all the same. */
  #readFields(from: number, end: number): boolean {
    const page = this.#page;
    this.#clear(from);
    this.#at = from;
    while (this.#at < end) {
      const tag = page[this.#at++];
      const number = this.#varint();
      if (number < 0 || this.#at > end) return false;
      if (tag === CREATE_REVISION) this.#createRevision = number;
      else if (tag === MOD_REVISION) this.#modRevision = number;
      else if (tag === VERSION) this.#version = number;
      else {
        const start = this.#at;
        this.#at += number;
        if (this.#at > end) return false;
        if (tag === KEY) {
          this.#keyFrom = start;
          this.#keyEnd = this.#at;
        } else if (tag === VALUE) {
          this.#valueFrom = start;
          this.#valueEnd = this.#at;
        } else return false;
      }
    }
    return true;
  }

  #readUnusual(bytes: Uint8Array): string | undefined {
    const decoded = decodeKeyValue(bytes);
    if (!decoded.ok) return decoded.error.reason;
    const { key, value, createRevision, modRevision, version, lease } = decoded.value;
    this.#keyFrom = key.byteOffset - this.#page.byteOffset;
    this.#keyEnd = this.#keyFrom + key.length;
    this.#valueFrom = value.length === 0 ? 0 : value.byteOffset - this.#page.byteOffset;
    this.#valueEnd = this.#valueFrom + value.length;
    this.#createRevision = createRevision;
    this.#modRevision = modRevision;
    this.#version = version;
    this.#lease = lease;
    return undefined;
  }

  #clear(at: number): void {
    this.#keyFrom = this.#keyEnd = this.#valueFrom = this.#valueEnd = at;
    this.#createRevision = this.#modRevision = this.#version = 0;
    this.#lease = 0n;
  }

  /** −1: malformed, or larger than is usual. */
  #varint(): number {
    let value = 0;
    for (let scale = 1; scale <= SCALE_MAX; scale *= 128) {
      const byte = this.#page[this.#at++];
      if (byte === undefined) return -1;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
    return -1;
  }
}

const REVISION_BYTES = 17;
const UNDERSCORE = 0x5f;
const SAFE_END = Number.MAX_SAFE_INTEGER;
/** Seven bytes of a varint: nothing above the safe integers can come out. */
const SCALE_MAX = 128 ** 6;
const KEY = 1 * 8 + 2;
const CREATE_REVISION = 2 * 8;
const MOD_REVISION = 3 * 8;
const VERSION = 4 * 8;
const VALUE = 5 * 8 + 2;
