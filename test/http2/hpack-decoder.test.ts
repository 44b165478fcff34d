import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fieldSizeBytes, type HeaderField } from '../../src/http2/header-field.ts';
import { HpackDecoder } from '../../src/http2/hpack-decoder.ts';
import { STATIC_TABLE } from '../../src/http2/hpack-static.ts';
import { fieldsOf, hex, LIMITS, plainString, prefixed, tableOf } from './hpack-blocks.ts';

const SEEDED = { seed: 7_541, numRuns: 500 };
const COMPRESSION = { ok: false, error: 'compression' };

function remembered(name: string, value: string): number[] {
  return [...prefixed(0x40, 6, 0), ...plainString(name), ...plainString(value)];
}

describe('what is no header block', () => {
  test.each([
    ['index 0', '80'],
    ['an index beyond an empty table', 'be'],
    ['an index beyond the table', '4001 6101 62bf'],
    ['a name beyond the table', '7f00 01 61'],
    ['an index that ends too early', 'ff'],
    ['an index that goes on and ends too early', 'ff80'],
    ['2^32 + 1, which is not 1', 'ff82 ffff ff0f'],
    ['an integer of endless zeros', 'ff80 8080 8080 8080 8000'],
    ['no name', '40'],
    ['a name cut short', '4002 61'],
    ['no value', '4001 61'],
    ['a value cut short', '4001 6102 62'],
    ['a value longer than any', '4001 617f ffff ff7f'],
    ['Huffman padding of zeros', '4001 6181 00'],
    ['Huffman padding of eight bits', '4001 6182 1fff'],
    ['EOS', '4001 6184 ffff ffff'],
    ['a table size above the limit', '3fe2 1f'],
    ['a table size after a field', '8220'],
  ])('%s', (_, block) => {
    expect(new HpackDecoder(LIMITS).decode(hex(block))).toEqual(COMPRESSION);
  });

  test('but these are, just about', () => {
    const decoder = new HpackDecoder(LIMITS);
    expect(fieldsOf(decoder, hex(''))).toEqual([]);
    expect(fieldsOf(decoder, hex('0000 00'))).toEqual([['', '']]);
    expect(fieldsOf(decoder, hex('4001 6181 1f'))).toEqual([['a', 'a']]);
    expect(fieldsOf(decoder, hex('0080 80'))).toEqual([['', '']]);
    expect(fieldsOf(decoder, hex('203f e11f 82'))).toEqual([[':method', 'GET']]);
    expect(fieldsOf(decoder, hex('3f80 8080 8000'))).toEqual([]);
  });

  test('random bytes do no harm', () => {
    const blocks = fc.array(fc.uint8Array({ maxLength: 60 }), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(blocks, (given) => {
        const decoder = new HpackDecoder({ tableBytesMax: 200, listBytesMax: 300 });
        for (const block of given) {
          const decoded = decoder.decode(block);
          if (decoded.ok) {
            const sizes = decoded.value.map(fieldSizeBytes);
            expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThanOrEqual(300);
          }
        }
        const sizes = tableOf(decoder).map(fieldSizeBytes);
        expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThanOrEqual(200);
      }),
      { seed: 7_541, numRuns: 2_000 },
    );
  });
});

describe('the static table', () => {
  test('has 61 fields, each at its index', () => {
    expect(STATIC_TABLE).toHaveLength(61);
    const decoder = new HpackDecoder(LIMITS);
    STATIC_TABLE.forEach((field, at) => {
      expect(fieldsOf(decoder, Uint8Array.of(0x80 | (at + 1)))[0]).toBe(field);
    });
    expect(STATIC_TABLE[60]).toEqual(['www-authenticate', '']);
  });
});

describe('the dynamic table', () => {
  test('gives out the very field it has, built once', () => {
    const decoder = new HpackDecoder(LIMITS);
    const [first] = fieldsOf(decoder, Uint8Array.from(remembered('te', 'trailers')));
    expect(fieldsOf(decoder, hex('be'))[0]).toBe(first);
  });

  test('is emptied by a field too large for it, which is a field all the same', () => {
    const decoder = new HpackDecoder({ ...LIMITS, tableBytesMax: 40 });
    fieldsOf(decoder, Uint8Array.from(remembered('a', 'b')));
    expect(tableOf(decoder)).toEqual([['a', 'b']]);
    const large = Uint8Array.from(remembered('a', 'bbbbbbbb'));
    expect(fieldsOf(decoder, large)).toEqual([['a', 'bbbbbbbb']]);
    expect(tableOf(decoder)).toEqual([]);
  });

  test('may take its name from a field that must go for it', () => {
    const decoder = new HpackDecoder({ ...LIMITS, tableBytesMax: 40 });
    fieldsOf(decoder, Uint8Array.from(remembered('name', 'old')));
    const block = Uint8Array.from([...prefixed(0x40, 6, 62), ...plainString('new')]);
    expect(fieldsOf(decoder, block)).toEqual([['name', 'new']]);
    expect(tableOf(decoder)).toEqual([['name', 'new']]);
  });

  test('starts with 4096 bytes even if the peer may choose more', () => {
    const decoder = new HpackDecoder({ ...LIMITS, tableBytesMax: 10_000 });
    const value = 'v'.repeat(2_000);
    const block = Uint8Array.from(['a', 'b', 'c'].flatMap((name) => remembered(name, value)));
    fieldsOf(decoder, block);
    expect(tableOf(decoder).map(([name]) => name)).toEqual(['c', 'b']);
    fieldsOf(decoder, Uint8Array.from(prefixed(0x20, 5, 10_000)));
    fieldsOf(decoder, block);
    expect(tableOf(decoder).map(([name]) => name)).toEqual(['c', 'b', 'a', 'c']);
  });

  /** A peer that remembers, uses and changes sizes at will, and a list as the table. */
  test('holds what a plain list would', () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'b', '\xe9'), maxLength: 20 });
    const action = fc.oneof(
      fc.record({ type: fc.constant('remember' as const), name: text, value: text }),
      fc.record({ type: fc.constant('pass' as const), name: text, value: text }),
      fc.record({ type: fc.constant('use' as const), index: fc.nat({ max: 80 }) }),
      fc.record({ type: fc.constant('rename' as const), index: fc.nat({ max: 80 }), value: text }),
      fc.record({ type: fc.constant('resize' as const), sizeBytes: fc.nat({ max: 400 }) }),
    );
    fc.assert(
      fc.property(fc.array(action, { maxLength: 60 }), (actions) => {
        const decoder = new HpackDecoder({ ...LIMITS, tableBytesMax: 400 });
        let table: HeaderField[] = [];
        let sizeBytesMax = 400;
        const evict = () => {
          let sizeBytes = 0;
          table = table.filter((field) => {
            sizeBytes += fieldSizeBytes(field);
            return sizeBytes <= sizeBytesMax;
          });
        };
        const remember = (field: HeaderField) => {
          table.unshift(field);
          evict();
          return [field];
        };
        for (const act of actions) {
          const all = [...STATIC_TABLE, ...table];
          let block: number[];
          let expected: HeaderField[] = [];
          if (act.type === 'remember') {
            block = remembered(act.name, act.value);
            expected = remember([act.name, act.value]);
          } else if (act.type === 'pass') {
            block = [0x10, ...plainString(act.name), ...plainString(act.value)];
            expected = [[act.name, act.value]];
          } else if (act.type === 'resize') {
            block = prefixed(0x20, 5, act.sizeBytes);
            sizeBytesMax = act.sizeBytes;
            evict();
          } else {
            const index = all.length - (act.index % all.length);
            const used = all[index - 1]!;
            if (act.type === 'use') {
              block = prefixed(0x80, 7, index);
              expected = [used];
            } else {
              block = [...prefixed(0x40, 6, index), ...plainString(act.value)];
              expected = remember([used[0], act.value]);
            }
          }
          expect(fieldsOf(decoder, Uint8Array.from(block))).toEqual(expected);
        }
        expect(tableOf(decoder)).toEqual(table);
      }),
      SEEDED,
    );
  });
});

describe('a list that is too large', () => {
  test('is dropped, and the table stays right', () => {
    const decoder = new HpackDecoder({ tableBytesMax: 4_096, listBytesMax: 100 });
    // 34 bytes each.
    const two = [...remembered('a', '1'), ...remembered('b', '2')];
    expect(fieldsOf(decoder, Uint8Array.from(two))).toHaveLength(2);
    const three = Uint8Array.from([...two, ...remembered('c', '3')]);
    expect(decoder.decode(three)).toEqual({ ok: false, error: 'tooLarge' });
    expect(fieldsOf(decoder, hex('be'))).toEqual([['c', '3']]);
  });

  test('may be exactly as large as allowed', () => {
    const block = Uint8Array.from(remembered('abc', 'def'));
    const at = (listBytesMax: number) =>
      new HpackDecoder({ ...LIMITS, listBytesMax }).decode(block);
    expect(at(38).ok).toBe(true);
    expect(at(37)).toEqual({ ok: false, error: 'tooLarge' });
  });

  test('is no excuse for a block that is none', () => {
    const decoder = new HpackDecoder({ ...LIMITS, listBytesMax: 10 });
    expect(decoder.decode(hex('8280'))).toEqual(COMPRESSION);
  });
});
