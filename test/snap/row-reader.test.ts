import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeRevisionKey, encodeRevisionKey } from '../../src/snap/bucket-content.ts';
import { ELEMENT_BYTES, PAGE_HEADER_BYTES } from '../../src/snap/page.ts';
import { RowReader } from '../../src/snap/row-reader.ts';
import { decodeKeyValue, encodeKeyValue } from '../../src/wire/key-value.ts';

const SEED = 20_261_121;

/** A leaf page with one element. */
function leafOf(key: Uint8Array, value: Uint8Array): Uint8Array {
  const page = new Uint8Array(PAGE_HEADER_BYTES + ELEMENT_BYTES + key.length + value.length);
  const view = new DataView(page.buffer);
  view.setUint32(PAGE_HEADER_BYTES + 4, ELEMENT_BYTES, true);
  view.setUint32(PAGE_HEADER_BYTES + 8, key.length, true);
  view.setUint32(PAGE_HEADER_BYTES + 12, value.length, true);
  page.set(key, PAGE_HEADER_BYTES + ELEMENT_BYTES);
  page.set(value, PAGE_HEADER_BYTES + ELEMENT_BYTES + key.length);
  return page;
}

const bytes = (max: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ maxLength: max });
const number = fc.oneof(fc.nat(300), fc.maxSafeNat());
const keyValueBytes = fc
  .record({
    key: bytes(40),
    value: bytes(300),
    createRevision: number,
    modRevision: number,
    version: number,
    lease: fc.oneof(fc.constant(0n), fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n)),
  })
  .map((keyValue) => encodeKeyValue(keyValue).slice());
/** Fields that nobody knows, or bytes that are no fields at all. */
const otherBytes = fc.tuple(keyValueBytes, bytes(12)).map(([known, more]) => {
  return Uint8Array.of(...known, ...more);
});
const brokenBytes = fc.tuple(keyValueBytes, fc.nat()).map(([known, end]) => {
  return known.slice(0, end % (known.length + 1));
});
const revisionKey = fc.oneof(
  fc
    .tuple(fc.maxSafeNat(), fc.nat(), fc.boolean())
    .map(([main, sub, tombstone]) => encodeRevisionKey(main, sub, tombstone)),
  bytes(20),
);

test('a row is read as its parts are decoded, right or wrong', () => {
  const row = new RowReader();
  const value = fc.oneof(keyValueBytes, otherBytes, brokenBytes, bytes(60));
  fc.assert(
    fc.property(revisionKey, value, (key, encoded) => {
      const problem = row.read(leafOf(key, encoded), 0);
      const [revision, keyValue] = [decodeRevisionKey(key), decodeKeyValue(encoded)];
      if (revision === undefined) expect(problem).toBe('a revision is malformed');
      else if (!keyValue.ok) expect(problem).toContain(keyValue.error.reason);
      else if (keyValue.value.key.length === 0) expect(problem).toContain('no key');
      else {
        expect(problem).toBeUndefined();
        expect(row.record()).toEqual({ ...revision, keyValue: keyValue.value });
      }
    }),
    { seed: SEED, numRuns: 3_000 },
  );
});
