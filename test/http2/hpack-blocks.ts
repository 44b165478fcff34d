/** What the tests of header blocks share. */

import type { HeaderField } from '../../src/http2/header-field.ts';
import type { HpackDecoder, HpackLimits } from '../../src/http2/hpack-decoder.ts';
import { assert } from '../../src/lib/assert.ts';

export const LIMITS: HpackLimits = { tableBytesMax: 4_096, listBytesMax: 1 << 20 };

/** Bytes written as hexadecimal digits, with or without blanks. */
export function hex(digits: string): Uint8Array {
  const pairs = digits.replaceAll(/\s/g, '').match(/../g) ?? [];
  return Uint8Array.from(pairs, (pair) => Number.parseInt(pair, 16));
}

export function fieldsOf(decoder: HpackDecoder, block: Uint8Array): readonly HeaderField[] {
  const decoded = decoder.decode(block);
  assert(decoded.ok, 'a valid block');
  return decoded.value;
}

/** The dynamic table, newest first: asks for one index after the other until there is none. */
export function tableOf(decoder: HpackDecoder): HeaderField[] {
  const fields: HeaderField[] = [];
  for (let index = 62; ; index++) {
    const decoded = decoder.decode(Uint8Array.from([...prefixed(0x80, 7, index)]));
    if (!decoded.ok) return fields;
    fields.push(...decoded.value);
  }
}

/** RFC 7541 §5.1, as it is written there. */
export function prefixed(tag: number, prefixBits: number, value: number): number[] {
  const limit = 2 ** prefixBits - 1;
  if (value < limit) return [tag | value];
  const bytes = [tag | limit];
  let rest = value - limit;
  while (rest >= 128) {
    bytes.push((rest % 128) + 128);
    rest = Math.floor(rest / 128);
  }
  return [...bytes, rest];
}

export function plainString(text: string): number[] {
  return [...prefixed(0, 7, text.length), ...Array.from(text, (char) => char.charCodeAt(0))];
}
