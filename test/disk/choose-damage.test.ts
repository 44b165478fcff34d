import { expect, test } from 'vitest';
import { chooseDamage } from '../../harness/disk/choose-damage.ts';
import { seededRandom } from '../../harness/seeded-random.ts';

const SECTOR_BYTES = 512;

function segment(sectors: number, byteOf: (sector: number) => number): Uint8Array {
  const content = new Uint8Array(sectors * SECTOR_BYTES);
  for (let at = 0; at < sectors; at++) {
    content.fill(byteOf(at), at * SECTOR_BYTES, (at + 1) * SECTOR_BYTES);
  }
  return content;
}

test('a sector goes where another one was, never where the same bytes are', () => {
  const content = segment(12, (at) => (at === 5 ? 2 : 1));
  const random = seededRandom(1);
  for (let turn = 0; turn < 50; turn++) {
    const damage = chooseDamage([{ name: '0.wal', content }], 'misdirected-write', random)!;
    expect(damage.bytes).not.toEqual(content.subarray(damage.offset, damage.offset + SECTOR_BYTES));
  }
});

test('a log of equal sectors cannot be damaged so', () => {
  const log = [{ name: '0.wal', content: segment(12, () => 1) }];
  expect(chooseDamage(log, 'misdirected-write', seededRandom(1))).toBeUndefined();
});

test('a whole segment of floods is damaged without comparing each sector with each', () => {
  const content = segment(131_072, (at) => 1 + (at % 251));
  const log = [{ name: '0.wal', content }];
  const damage = chooseDamage(log, 'misdirected-write', seededRandom(1))!;
  expect(damage.offset % SECTOR_BYTES).toBe(0);
  expect(damage.bytes).not.toEqual(content.subarray(damage.offset, damage.offset + SECTOR_BYTES));
});
