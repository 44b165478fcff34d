/** What roles permit, against asking every key there is. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isPermissionRange, KeyIntervals, type KeyRange } from '../../src/auth/key-intervals.ts';
import type { Permission, PermissionType } from '../../src/auth/request.ts';
import { compareBytes } from '../../src/lib/bytes.ts';
import {
  bytes,
  enabledStoreOf,
  grant,
  grantRole,
  permission,
  roleAdd,
  userAdd,
} from './requests.ts';

const NAMES = ['a', 'b', 'aa', 'ab', 'ba', 'bb'];

/** Every bound that a range over the names can have: between two of them no range ends. */
const KEYS = NAMES.flatMap((name) => [name, `${name}\0`]).map(bytes);

const name = fc.constantFrom(...NAMES);
const range: fc.Arbitrary<KeyRange> = fc
  .tuple(name, fc.oneof(fc.constant(''), fc.constant('\0'), { arbitrary: name, weight: 5 }))
  .map(([key, rangeEnd]) => ({ key: bytes(key), rangeEnd: bytes(rangeEnd) }));
const given: fc.Arbitrary<Permission> = fc
  .tuple(
    range.filter(isPermissionRange),
    fc.constantFrom<PermissionType>('read', 'write', 'readWrite'),
  )
  .map(([{ key, rangeEnd }, type]) => ({ type, key, rangeEnd }));

function contains({ key, rangeEnd }: KeyRange, one: Uint8Array): boolean {
  if (rangeEnd.length === 0) return compareBytes(one, key) === 0;
  if (compareBytes(one, key) < 0) return false;
  return (rangeEnd.length === 1 && rangeEnd[0] === 0) || compareBytes(one, rangeEnd) < 0;
}

/** A range without keys is asked for its first one. */
function keysOf(asked: KeyRange): readonly Uint8Array[] {
  const inside = KEYS.filter((key) => contains(asked, key));
  return inside.length === 0 ? [asked.key] : inside;
}

function coversEach(ranges: readonly KeyRange[], asked: KeyRange): boolean {
  return keysOf(asked).every((key) => ranges.some((one) => contains(one, key)));
}

const SEED = 20261121;

describe('a union of ranges', () => {
  test('covers a range if it covers each of its keys', () => {
    fc.assert(
      fc.property(fc.array(given, { maxLength: 8 }), fc.array(range), (ranges, asked) => {
        const union = new KeyIntervals(ranges);
        for (const one of asked) {
          expect(union.covers(one.key, one.rangeEnd)).toBe(coversEach(ranges, one));
        }
      }),
      { seed: SEED, numRuns: 2000 },
    );
  });

  test('covers nothing if it is of nothing', () => {
    expect(new KeyIntervals([]).covers(bytes('a'), bytes(''))).toBe(false);
  });

  test('everything is covered by the range from the first key on only', () => {
    const [zero, all] = [bytes('\0'), bytes('\0')];
    expect(new KeyIntervals([{ key: bytes('\0'), rangeEnd: bytes('\0') }]).covers(zero, all)).toBe(
      true,
    );
    expect(new KeyIntervals([{ key: bytes('a'), rangeEnd: bytes('\0') }]).covers(zero, all)).toBe(
      false,
    );
  });
});

describe('a store', () => {
  test('permits what the roles of a user permit together', () => {
    const roles = fc.array(fc.array(given, { maxLength: 4 }), { maxLength: 3 });
    fc.assert(
      fc.property(roles, fc.array(range), (permissions, asked) => {
        const store = enabledStoreOf(
          userAdd('alice'),
          ...permissions.flatMap((ofRole, at) => [
            roleAdd(`r${at}`),
            ...ofRole.map((one) => grant(`r${at}`, one)),
            grantRole('alice', `r${at}`),
          ]),
        );
        const info = { username: 'alice', revision: store.revision };
        const kept = store.roles().flatMap((role) => role.permissions);
        const readable = kept.filter(({ type }) => type !== 'write');
        const writable = kept.filter(({ type }) => type !== 'read');
        for (const one of asked) {
          const { key, rangeEnd } = one;
          expect(store.checkRange(info, key, rangeEnd) === undefined).toBe(
            coversEach(readable, one),
          );
          expect(store.checkDeleteRange(info, key, rangeEnd) === undefined).toBe(
            coversEach(writable, one),
          );
          expect(store.checkPut(info, key) === undefined).toBe(
            writable.some((kept) => contains(kept, key)),
          );
        }
      }),
      { seed: SEED, numRuns: 500 },
    );
  });

  test('does not permit what two ranges with a gap between them leave out', () => {
    const store = enabledStoreOf(
      userAdd('alice'),
      roleAdd('r'),
      grant('r', permission('read', 'a', 'b')),
      grant('r', permission('read', 'b\0', 'c')),
      grantRole('alice', 'r'),
    );
    const info = { username: 'alice', revision: store.revision };
    expect(store.checkRange(info, bytes('a'), bytes('c'))).toBe('permissionDenied');
    expect(store.apply(grant('r', permission('read', 'b')), 99, 0).ok).toBe(true);
    const renewed = { ...info, revision: store.revision };
    expect(store.checkRange(renewed, bytes('a'), bytes('c'))).toBeUndefined();
  });
});
