import { expect, test } from 'vitest';
import { compareBytes } from '../../src/lib/bytes.ts';
import type { BucketItem } from '../../src/snap/bucket-content.ts';
import { decodeLeases, leaseItems, roleItems, userItems } from '../../src/snap/state-buckets.ts';

function expectAscending(items: readonly BucketItem[]): void {
  const isAscending = items.slice(1).map(([key], at) => compareBytes(items[at]![0], key) < 0);
  expect(isAscending).toEqual(isAscending.map(() => true));
}

test('leases come in the order of their bytes, those with negative ids last', () => {
  const ids = [5n, -1n, 2n ** 62n, -(2n ** 63n), 1n];
  const leases = ids.map((id) => ({ id, ttlS: 9, remainingTtlS: 0 }));
  const items = leaseItems(leases);
  expectAscending(items);
  const stored = items.map(([key, value]) => ({ key, value: value as Uint8Array }));
  expect(decodeLeases(stored)?.map(({ id }) => id)).toEqual([1n, 5n, 2n ** 62n, -(2n ** 63n), -1n]);
});

test('users and roles come in the order of their bytes, not of UTF-16', () => {
  const names = ['\u{1f600}', '\ufffd', 'a'].sort();
  expectAscending(roleItems(names.map((name) => ({ name, permissions: [] }))));
  const user = { hashedPassword: new Uint8Array(0), roles: [], noPassword: true };
  expectAscending(userItems(names.map((name) => ({ ...user, name }))));
});
