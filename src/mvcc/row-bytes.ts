/**
 * A row as etcd's `key` bucket has it: the revision as key, mvccpb.KeyValue as value (key 1,
 * create_revision 2, mod_revision 3, version 4, value 5, lease 6; in this order, zeros left out).
 * HashKV is computed over these bytes, so every one of them matters.
 */
import type { KeyValue } from './request.ts';
import type { StoredRevision } from './revision-record.ts';

/** Revision key, five tags and their numbers at their longest, and the lengths. */
const OTHER_BYTES_MAX = 18 + 6 + 2 * 5 + 4 * 10;
const UNDERSCORE = 0x5f;
const TOMBSTONE_MARK = 0x74;
const LENGTH_DELIMITED = 2;

/** Used again for every row. */
export class RowBytes {
  #bytes = new Uint8Array(1024);
  #size = 0;

  /** Key and value of the row, one after the other; valid until the next call. */
  of(row: StoredRevision): Uint8Array {
    const { key, value } = row.keyValue;
    const neededBytes = OTHER_BYTES_MAX + key.length + value.length;
    if (this.#bytes.length < neededBytes) this.#bytes = new Uint8Array(neededBytes * 2);
    this.#size = 0;
    this.#bigEndian(row.main);
    this.#bytes[this.#size++] = UNDERSCORE;
    this.#bigEndian(row.sub);
    if (row.tombstone) this.#bytes[this.#size++] = TOMBSTONE_MARK;
    if (row.tombstone) this.#field(1, key);
    else this.#keyValue(row.keyValue);
    return this.#bytes.subarray(0, this.#size);
  }

  #keyValue(keyValue: KeyValue): void {
    this.#field(1, keyValue.key);
    this.#number(2, keyValue.createRevision);
    this.#number(3, keyValue.modRevision);
    this.#number(4, keyValue.version);
    this.#field(5, keyValue.value);
    if (keyValue.lease === 0n) return;
    this.#bytes[this.#size++] = 6 << 3;
    let left = BigInt.asUintN(64, keyValue.lease);
    for (; left > 0x7fn; left >>= 7n) this.#bytes[this.#size++] = Number(left & 0x7fn) | 0x80;
    this.#bytes[this.#size++] = Number(left);
  }

  #field(number: number, bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#bytes[this.#size++] = (number << 3) | LENGTH_DELIMITED;
    this.#varint(bytes.length);
    this.#bytes.set(bytes, this.#size);
    this.#size += bytes.length;
  }

  #number(number: number, value: number): void {
    if (value === 0) return;
    this.#bytes[this.#size++] = number << 3;
    this.#varint(value);
  }

  /** Of a safe integer that is not negative. */
  #varint(value: number): void {
    let left = value;
    for (; left > 0x7f; left = Math.floor(left / 128)) {
      this.#bytes[this.#size++] = (left % 128) | 0x80;
    }
    this.#bytes[this.#size++] = left;
  }

  #bigEndian(value: number): void {
    let left = value;
    for (let at = 7; at >= 0; at--) {
      this.#bytes[this.#size + at] = left % 256;
      left = Math.floor(left / 256);
    }
    this.#size += 8;
  }
}
