/**
 * CRC-32C (Castagnoli), the checksum of etcd's WAL and of its HashKV. Table-driven, eight
 * bytes a step ("slicing by 8"): table k holds the effect of a byte followed by k zero bytes.
 */

/** Unsigned checksum of `bytes`, continuing from `seed`: the checksum of all bytes before. */
export function crc32c(bytes: Uint8Array, seed = 0): number {
  let crc = ~seed;
  let at = 0;
  for (const blocksEnd = bytes.length - 7; at < blocksEnd; at += 8) {
    crc =
      T7[(crc ^ bytes[at]!) & 0xff]! ^
      T6[((crc >>> 8) ^ bytes[at + 1]!) & 0xff]! ^
      T5[((crc >>> 16) ^ bytes[at + 2]!) & 0xff]! ^
      T4[(crc >>> 24) ^ bytes[at + 3]!]! ^
      T3[bytes[at + 4]!]! ^
      T2[bytes[at + 5]!]! ^
      T1[bytes[at + 6]!]! ^
      T0[bytes[at + 7]!]!;
  }
  for (; at < bytes.length; at++) crc = (crc >>> 8) ^ T0[(crc ^ bytes[at]!) & 0xff]!;
  return ~crc >>> 0;
}

/** The Castagnoli polynomial, bit-reversed. */
const POLYNOMIAL = 0x82f63b78;
const T0: Int32Array = singleByteTable();
const T1: Int32Array = followedByZero(T0);
const T2: Int32Array = followedByZero(T1);
const T3: Int32Array = followedByZero(T2);
const T4: Int32Array = followedByZero(T3);
const T5: Int32Array = followedByZero(T4);
const T6: Int32Array = followedByZero(T5);
const T7: Int32Array = followedByZero(T6);

function singleByteTable(): Int32Array {
  return new Int32Array(256).map((_, byte) => {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1;
    return crc;
  });
}

function followedByZero(table: Int32Array): Int32Array {
  return table.map((crc) => (crc >>> 8) ^ T0[crc & 0xff]!);
}
