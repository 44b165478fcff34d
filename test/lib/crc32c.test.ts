import fc from 'fast-check';
import { expect, test } from 'vitest';
import { concatBytes } from '../../src/lib/bytes.ts';
import { crc32c } from '../../src/lib/crc32c.ts';
import { utf8Encode } from '../../src/lib/utf8.ts';

test('gives the published check values (RFC 3720 B.4)', () => {
  expect(crc32c(utf8Encode('123456789'))).toBe(0xe3069283);
  expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa);
  expect(crc32c(new Uint8Array(32).fill(0xff))).toBe(0x62a8ab43);
  expect(crc32c(Uint8Array.from({ length: 32 }, (_, i) => i))).toBe(0x46dd794e);
  expect(crc32c(new Uint8Array(0), 7)).toBe(7);
});

test('continues from the checksum of what came before, wherever it is cut', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), fc.uint8Array({ maxLength: 40 }), (a, b) => {
      expect(crc32c(b, crc32c(a))).toBe(crc32c(concatBytes([a, b])));
    }),
    { seed: 1 },
  );
});
