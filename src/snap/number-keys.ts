import { assert } from '../lib/assert.ts';

/** Numbers as etcd writes them into keys: unsigned, big-endian, so that they sort as bytes. */
export function encodeBigEndian(value: number): Uint8Array {
  const bytes = new Uint8Array(8);
  setBigEndian(bytes, 0, value);
  return bytes;
}

/** Undefined if the bytes are no safe integer. */
export function decodeBigEndian(bytes: Uint8Array): number | undefined {
  if (bytes.length !== 8) return undefined;
  const value = getBigEndian(bytes, 0);
  return Number.isSafeInteger(value) ? value : undefined;
}

export function setBigEndian(bytes: Uint8Array, at: number, value: number): void {
  assert(Number.isSafeInteger(value) && value >= 0, `not an unsigned safe integer: ${value}`);
  setWord(bytes, at, Math.floor(value / 0x1_0000_0000));
  setWord(bytes, at + 4, value >>> 0);
}

function setWord(bytes: Uint8Array, at: number, word: number): void {
  bytes[at] = word >>> 24;
  bytes[at + 1] = (word >>> 16) & 0xff;
  bytes[at + 2] = (word >>> 8) & 0xff;
  bytes[at + 3] = word & 0xff;
}

export function getBigEndian(bytes: Uint8Array, at: number): number {
  let value = 0;
  for (let i = at; i < at + 8; i++) value = value * 256 + bytes[i]!;
  return value;
}
