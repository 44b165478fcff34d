import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { frameMessage, MessageAssembler } from '../../src/wire/grpc-frame.ts';
import {
  decodeGrpcMessage,
  encodeGrpcMessage,
  formatGrpcTimeout,
  parseGrpcTimeout,
} from '../../src/wire/grpc-text.ts';
import { PROPERTY } from './arbitraries.ts';

describe('frames', () => {
  test('messages come out as they went in, however the bytes are cut', () => {
    const messages = fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 5 });
    const sizes = fc.array(fc.integer({ min: 1, max: 90 }), { minLength: 1, maxLength: 9 });
    fc.assert(
      fc.property(messages, sizes, (sent, chunkSizes) => {
        const bytes = Buffer.concat(sent.map(frameMessage));
        const assembler = new MessageAssembler(300);
        const received: Uint8Array[] = [];
        for (let at = 0, turn = 0; at < bytes.length; turn++) {
          const end = at + chunkSizes[turn % chunkSizes.length]!;
          assembler.push(Uint8Array.from(bytes.subarray(at, end)));
          at = end;
          for (;;) {
            const next = assembler.next();
            if (!next.ok) expect.fail(next.error.type);
            if (next.value === undefined) break;
            received.push(next.value);
          }
        }
        expect(received).toEqual(sent);
        expect(assembler.isMidMessage()).toBe(false);
      }),
      PROPERTY as fc.Parameters<[Uint8Array[], number[]]>,
    );
  });

  test('too large and compressed ones are refused by their prefix alone', () => {
    const tooLarge = new MessageAssembler(10);
    tooLarge.push(Uint8Array.of(0, 0xff, 0xff, 0xff, 0xff));
    expect(tooLarge.next()).toEqual({
      ok: false,
      error: { type: 'tooLarge', sizeBytes: 0xffff_ffff },
    });
    const compressed = new MessageAssembler(10);
    compressed.push(Uint8Array.of(1, 0, 0, 0, 1));
    expect(compressed.next()).toEqual({ ok: false, error: { type: 'compressed' } });
  });
});

describe('header values', () => {
  test('messages survive', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (message) => {
        const encoded = encodeGrpcMessage(message);
        expect(encoded).toMatch(/^[\x20-\x7e]*$/);
        expect(decodeGrpcMessage(encoded)).toBe(message);
      }),
      PROPERTY as fc.Parameters<[string]>,
    );
  });

  test('what is not encoded properly stays as it is', () => {
    expect(encodeGrpcMessage('100 % · ok\n')).toBe('100 %25 %C2%B7 ok%0A');
    expect(decodeGrpcMessage('5% %zz %2')).toBe('5% %zz %2');
  });

  test('time-outs', () => {
    expect(parseGrpcTimeout('5000000u')).toEqual({ ok: true, value: 5000 });
    expect(parseGrpcTimeout('2H')).toEqual({ ok: true, value: 7_200_000 });
    expect(parseGrpcTimeout('3S')).toEqual({ ok: true, value: 3000 });
    for (const text of ['', '5', 'm', '5x', '-5m', '1.5S', '123456789m']) {
      expect(parseGrpcTimeout(text).ok).toBe(false);
    }
    expect(formatGrpcTimeout(1500.2)).toBe('1501m');
    expect(formatGrpcTimeout(1e12)).toBe('99999999m');
  });
});
