import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { huffmanDecode } from '../../src/http2/huffman.ts';
import { HUFFMAN_CODES } from './huffman-code.ts';

const EOS = 256;

/** Zeros and ones → bytes, the last one filled up with `padding`. */
function packed(bits: string, padding = '1'): Uint8Array {
  const filled = bits.padEnd(Math.ceil(bits.length / 8) * 8, padding);
  return Uint8Array.from(filled.match(/.{8}/g) ?? [], (byte) => Number.parseInt(byte, 2));
}

function encoded(text: string): string {
  return Array.from(text, (char) => HUFFMAN_CODES[char.charCodeAt(0)]!).join('');
}

/** Bit by bit, with nothing but the printed codes. */
const SYMBOLS = new Map(HUFFMAN_CODES.map((code, symbol) => [code, symbol]));

function slowlyDecoded(bytes: Uint8Array): string | undefined {
  let text = '';
  let rest = '';
  for (const byte of bytes) {
    for (const bit of byte.toString(2).padStart(8, '0')) {
      rest += bit;
      const symbol = SYMBOLS.get(rest);
      if (symbol === EOS) return undefined;
      if (symbol === undefined) continue;
      text += String.fromCharCode(symbol);
      rest = '';
    }
  }
  return /^1{0,7}$/.test(rest) ? text : undefined;
}

function decoded(bytes: Uint8Array): string | undefined {
  return huffmanDecode(bytes, 0, bytes.length);
}

describe('Huffman', () => {
  test('knows the code of every byte', () => {
    expect(HUFFMAN_CODES).toHaveLength(257);
    for (let byte = 0; byte < EOS; byte++) {
      const text = String.fromCharCode(byte);
      expect(decoded(packed(HUFFMAN_CODES[byte]!))).toBe(text);
      expect(decoded(packed(encoded(`${text}a${text}0${text}`)))).toBe(`${text}a${text}0${text}`);
    }
  });

  test('looks at its part of the bytes only', () => {
    const bytes = Uint8Array.of(0, ...packed(encoded('www.example.com')), 0);
    expect(huffmanDecode(bytes, 1, bytes.length - 1)).toBe('www.example.com');
    expect(huffmanDecode(bytes, 1, 1)).toBe('');
  });

  test('takes up to seven one bits as padding, nothing else', () => {
    // '0' has five bits, '&' eight.
    expect(decoded(packed(encoded('0')))).toBe('0');
    expect(decoded(packed(encoded('0'), '0'))).toBeUndefined();
    expect(decoded(packed(`${encoded('0')}110`))).toBeUndefined();
    expect(decoded(packed(encoded('&')))).toBe('&');
    expect(decoded(Uint8Array.of(...packed(encoded('&')), 0xff))).toBeUndefined();
    expect(decoded(Uint8Array.of(...packed(encoded('0')), 0xff))).toBeUndefined();
  });

  test('takes no EOS, wherever it stands', () => {
    const eos = HUFFMAN_CODES[EOS]!;
    for (const before of ['', '0', '00', '000', '0000', '00000', '000000', '0000000']) {
      for (const after of ['', '0', '00', '&&&&&&&&']) {
        expect(decoded(packed(encoded(before) + eos + encoded(after)))).toBeUndefined();
      }
    }
  });

  test('reads random bytes as the slow decoder does', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        expect(decoded(bytes)).toBe(slowlyDecoded(bytes));
      }),
      { seed: 7_541, numRuns: 5_000 },
    );
  });

  test('reads any text back', () => {
    const latin1 = fc.nat({ max: 0xff }).map((code) => String.fromCharCode(code));
    fc.assert(
      fc.property(fc.string({ unit: latin1, maxLength: 100 }), (text) => {
        expect(decoded(packed(encoded(text)))).toBe(text);
      }),
      { seed: 7_541, numRuns: 500 },
    );
    const long = 'a long value '.repeat(1_000);
    expect(decoded(packed(encoded(long)))).toBe(long);
  });
});
