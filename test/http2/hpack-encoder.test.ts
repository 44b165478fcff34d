import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { HeaderField } from '../../src/http2/header-field.ts';
import { HpackDecoder } from '../../src/http2/hpack-decoder.ts';
import { encodeHeaders } from '../../src/http2/hpack-encoder.ts';
import { STATIC_TABLE } from '../../src/http2/hpack-static.ts';
import { fieldsOf, hex, LIMITS, plainString, tableOf } from './hpack-blocks.ts';

test('writes an index where there is one', () => {
  expect(encodeHeaders([[':status', '200']])).toEqual(hex('88'));
  expect(encodeHeaders([[':status', '418']])).toEqual(Uint8Array.of(0x08, ...plainString('418')));
  expect(encodeHeaders([['content-type', 'application/grpc']])).toEqual(
    Uint8Array.of(0x0f, 31 - 15, ...plainString('application/grpc')),
  );
  expect(encodeHeaders([['grpc-status', '0']])).toEqual(
    Uint8Array.of(0, ...plainString('grpc-status'), ...plainString('0')),
  );
  const all = encodeHeaders(STATIC_TABLE);
  expect([...all]).toEqual(STATIC_TABLE.map((_, at) => 0x80 | (at + 1)));
});

test('what it writes is read back, and leaves nothing in the table', () => {
  const latin1 = fc.nat({ max: 0xff }).map((code) => String.fromCharCode(code));
  const lower = latin1.filter((char) => !/[A-Z]/.test(char));
  const field = fc.oneof(
    fc.tuple(
      fc.string({ unit: lower, maxLength: 300 }),
      fc.string({ unit: latin1, maxLength: 400 }),
    ),
    fc.constantFrom(...STATIC_TABLE),
    fc.tuple(
      fc.constantFrom(...STATIC_TABLE).map(([name]) => name),
      fc.string({ unit: latin1, maxLength: 20 }),
    ),
  );
  fc.assert(
    fc.property(fc.array(field, { maxLength: 20 }), (fields: readonly HeaderField[]) => {
      const decoder = new HpackDecoder(LIMITS);
      expect(fieldsOf(decoder, encodeHeaders(fields))).toEqual(fields);
      expect(tableOf(decoder)).toEqual([]);
    }),
    { seed: 7_541, numRuns: 200 },
  );
});

test('values may be long', () => {
  const fields: HeaderField[] = [['grpc-message', 'm'.repeat(70_000)]];
  expect(fieldsOf(new HpackDecoder(LIMITS), encodeHeaders(fields))).toEqual(fields);
});

test('what no header can hold is a bug', () => {
  expect(() => encodeHeaders([['Grpc-status', '0']])).toThrow('lower case');
  expect(() => encodeHeaders([['x\u0101', '0']])).toThrow('lower case');
  expect(() => encodeHeaders([['grpc-message', '\u0100']])).toThrow('one byte a char');
});
