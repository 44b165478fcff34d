import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compareBytes } from '../../src/lib/bytes.ts';
import { nameOf } from '../../src/lib/key-name.ts';
import { spanOf } from '../../src/mvcc/key-span.ts';

const SEED = 20260402;

describe('names of keys', () => {
  test('are ordered as the bytes are', () => {
    fc.assert(
      fc.property(fc.uint8Array(), fc.uint8Array(), (a, b) => {
        const order = nameOf(a) < nameOf(b) ? -1 : Number(nameOf(a) > nameOf(b));
        expect(order).toBe(Math.sign(compareBytes(a, b)));
      }),
      { seed: SEED },
    );
  });

  test('have one character per byte, however long the key', () => {
    const key = Uint8Array.from({ length: 20_001 }, (_, at) => at & 0xff);
    const name = nameOf(key);
    expect(name.length).toBe(key.length);
    expect(Uint8Array.from(name, (character) => character.charCodeAt(0))).toEqual(key);
  });
});

describe('range ends', () => {
  const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);

  test('empty: the key itself', () => {
    expect(spanOf(bytes(97), bytes())).toEqual({ type: 'point', name: 'a' });
  });

  test('one zero byte: no upper bound', () => {
    expect(spanOf(bytes(97), bytes(0))).toEqual({ type: 'interval', from: 'a', end: undefined });
  });

  test('two zero bytes are an end like any other', () => {
    expect(spanOf(bytes(0), bytes(0, 0))).toEqual({ type: 'interval', from: '\0', end: '\0\0' });
  });
});
