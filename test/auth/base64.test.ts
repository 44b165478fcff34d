import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeBase64, encodeBase64 } from '../../src/auth/base64.ts';

test('is what the platform makes of it, both ways', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 70 }), (bytes) => {
      const text = Buffer.from(bytes).toString('base64');
      expect(encodeBase64(bytes)).toBe(text);
      expect(decodeBase64(text)).toEqual(bytes);
    }),
    { seed: 20261121, numRuns: 300 },
  );
});

test.each(['a', 'ab', 'abc', 'ab=c', 'a===', 'ab\n=', 'ab-_', '===='])('%j is none', (text) => {
  expect(decodeBase64(text)).toBeUndefined();
});
