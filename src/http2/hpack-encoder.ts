import { assert } from '../lib/assert.ts';
import type { HeaderField } from './header-field.ts';
import { STATIC_TABLE } from './hpack-static.ts';

/**
 * A header block (RFC 7541) without state: fields and names of the static table go by their
 * index, all else as it is. It neither uses nor changes the peer's dynamic table, so blocks may
 * be kept and sent again, on any connection. Names must be lower case; a char is a byte.
 */
export function encodeHeaders(fields: readonly HeaderField[]): Uint8Array {
  let longestBytes = 0;
  for (const [name, value] of fields) {
    longestBytes += name.length + value.length + FIELD_PREFIX_BYTES_MAX;
  }
  const block = new Uint8Array(longestBytes);
  let at = 0;
  for (const field of fields) at = writeField(block, at, field);
  return block.subarray(0, at);
}

function writeField(block: Uint8Array, at: number, [name, value]: HeaderField): number {
  indexes ??= indexNames();
  const first = indexes.get(name);
  if (first === undefined) {
    block[at] = LITERAL_TAG;
    const nameAt = writeInteger(block, at + 1, 0, 0x7f, name.length);
    return writeString(block, writeName(block, nameAt, name), value);
  }
  for (let index = first; STATIC_TABLE[index - 1]?.[0] === name; index++) {
    if (STATIC_TABLE[index - 1]![1] === value) {
      return writeInteger(block, at, INDEXED_TAG, 0x7f, index);
    }
  }
  return writeString(block, writeInteger(block, at, LITERAL_TAG, 0x0f, first), value);
}

function writeName(block: Uint8Array, at: number, name: string): number {
  for (let i = 0; i < name.length; i++) {
    const code = name.charCodeAt(i);
    assert(code <= 0xff && !(code >= UPPER_A && code <= UPPER_Z), 'a name in lower case');
    block[at + i] = code;
  }
  return at + name.length;
}

function writeString(block: Uint8Array, at: number, text: string): number {
  const textAt = writeInteger(block, at, 0, 0x7f, text.length);
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    assert(code <= 0xff, 'a header value of one byte a char');
    block[textAt + i] = code;
  }
  return textAt + text.length;
}

/** §5.1, the high bits of the first byte being `tag`; returns where the next byte goes. */
function writeInteger(
  block: Uint8Array,
  at: number,
  tag: number,
  mask: number,
  value: number,
): number {
  let next = at;
  if (value < mask) {
    block[next++] = tag | value;
    return next;
  }
  block[next++] = tag | mask;
  let rest = value - mask;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) block[next++] = 0x80 | (rest & 0x7f);
  block[next++] = rest;
  return next;
}

/** The lowest index of each name; fields of one name stand together. Built at the first use. */
let indexes: ReadonlyMap<string, number> | undefined;

function indexNames(): ReadonlyMap<string, number> {
  const built = new Map<string, number>();
  STATIC_TABLE.forEach(([name], at) => {
    if (!built.has(name)) built.set(name, at + 1);
  });
  return built;
}

/** A tag or index, and two lengths of the five bytes that lengths below 2^32 need at most. */
const FIELD_PREFIX_BYTES_MAX = 12;
/** A literal without indexing. */
const LITERAL_TAG = 0x00;
const INDEXED_TAG = 0x80;
const UPPER_A = 0x41;
const UPPER_Z = 0x5a;
