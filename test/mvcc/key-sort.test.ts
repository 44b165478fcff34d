import fc from 'fast-check';
import { expect, test } from 'vitest';
import { compareBytes } from '../../src/lib/bytes.ts';
import { sortKeys } from '../../src/mvcc/key-sort.ts';
import { KeyTable } from '../../src/mvcc/key-table.ts';
import { smallRandom } from '../support/small-random.ts';

const SEED = 20260503;

test('keys are sorted as their bytes are, also many that share much', () => {
  const byte = fc.constantFrom(0, 1, 97, 98, 254, 255);
  const key = fc
    .tuple(fc.constantFrom([], [97, 97, 97, 97], [97, 97, 97, 98]), fc.array(byte))
    .map(([prefix, rest]) => Uint8Array.from([...prefix, ...rest]));
  const distinct = fc.uniqueArray(key, { maxLength: 300, size: 'max', selector: String });
  fc.assert(
    fc.property(distinct, (keys) => {
      const table = new KeyTable();
      const ids = Uint32Array.from(keys, (each) => table.add(each, 0));
      sortKeys(table, ids);
      expect([...ids].map((id) => table.bytes(id))).toEqual(keys.toSorted(compareBytes));
    }),
    { seed: SEED, numRuns: 200 },
  );
});

test('very many keys are sorted, some of them the beginning of others', () => {
  const random = smallRandom(SEED);
  const texts = new Set<string>();
  while (texts.size < 20_000) {
    const length = 1 + random.below(6);
    const bytes = Array.from({ length }, () => [0, 1, 7, 97, 98, 255][random.below(6)]!);
    texts.add(String.fromCharCode(...bytes));
  }
  const keys = Array.from(texts, (text) => Uint8Array.from(text, (char) => char.charCodeAt(0)));
  const table = new KeyTable();
  const ids = Uint32Array.from(keys, (each) => table.add(each, 0));
  sortKeys(table, ids);
  expect(Array.from(ids, (id) => table.bytes(id))).toEqual(keys.toSorted(compareBytes));
});
