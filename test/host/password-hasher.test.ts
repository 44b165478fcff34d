import { afterEach, describe, expect, test } from 'vitest';
import { PasswordCache } from '../../src/host/password-cache.ts';
import { BCRYPT_COST_MIN, BcryptHasher } from '../../src/host/password-hasher.ts';
import { assert } from '../../src/lib/assert.ts';
import { err, ok } from '../../src/lib/result.ts';

/** Made by another implementation of bcrypt, as etcd writes them: of "U*U", cost 5. */
const FOREIGN = '$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW';

const open: BcryptHasher[] = [];

function cheapHasher(jobsMax = 64): BcryptHasher {
  const hasher = new BcryptHasher({ cost: BCRYPT_COST_MIN, jobsMax });
  open.push(hasher);
  return hasher;
}

afterEach(async () => {
  for (const hasher of open.splice(0)) await hasher.close();
});

describe('a hash', () => {
  test('fits its password and no other, and has the cost asked for', async () => {
    const hasher = cheapHasher();
    const hashed = await hasher.hash('secret');
    assert(hashed.ok, 'there is room');
    expect(hashed.value).toMatch(/^\$2[aby]\$04\$.{53}$/);
    expect(await hasher.compare('secret', hashed.value)).toEqual(ok(true));
    expect(await hasher.compare('Secret', hashed.value)).toEqual(ok(false));
    const again = await hasher.hash('secret');
    expect(again.ok && again.value).not.toBe(hashed.value);
  });

  test('made by another is understood', async () => {
    const hasher = cheapHasher();
    expect(await hasher.compare('U*U', FOREIGN)).toEqual(ok(true));
    expect(await hasher.compare('U*V', FOREIGN)).toEqual(ok(false));
  });

  test.each(['', 'nonsense', `$9a${FOREIGN.slice(3)}`, '#'.repeat(60)])(
    'that is none fits nothing: %j',
    async (hash) => {
      expect(await cheapHasher().compare('', hash)).toEqual(ok(false));
    },
  );
});

describe('passwords that wait', () => {
  test('are refused when there are too many', async () => {
    const hasher = cheapHasher(2);
    const jobs = [hasher.hash('a'), hasher.hash('b'), hasher.hash('c')];
    const done = await Promise.all(jobs);
    expect(done.map((result) => result.ok)).toEqual([true, true, false]);
    expect(done[2]).toEqual(err('tooManyRequests'));
    expect((await hasher.hash('c')).ok).toBe(true);
  });

  test('share the answer if they are the same', async () => {
    const hasher = cheapHasher(1);
    const answers = await Promise.all([1, 2, 3].map(() => hasher.compare('U*U', FOREIGN)));
    expect(answers).toEqual([ok(true), ok(true), ok(true)]);
  });

  test('are told when the server stops, and so are later ones', async () => {
    const hasher = cheapHasher();
    const waiting = hasher.hash('a');
    await hasher.close();
    expect(await waiting).toEqual(err('stopped'));
    expect(await hasher.hash('b')).toEqual(err('stopped'));
  });
});

test('a password that was verified needs no thread', async () => {
  const hasher = cheapHasher();
  expect(await hasher.compare('U*U', FOREIGN)).toEqual(ok(true));
  expect(await hasher.compare('U*V', FOREIGN)).toEqual(ok(false));
  await hasher.close();
  expect(await hasher.compare('U*U', FOREIGN)).toEqual(ok(true));
  expect(await hasher.compare('U*V', FOREIGN)).toEqual(err('stopped'));
});

describe('the cache of verified passwords', () => {
  test('forgets the one seen longest ago', () => {
    const cache = new PasswordCache(2);
    const [a, b, c] = ['a', 'b', 'c'].map((password) => cache.digest(password, 'hash'));
    for (const digest of [a, b]) cache.add(digest!);
    expect(cache.has(a!)).toBe(true);
    cache.add(c!);
    expect([a, b, c].map((digest) => cache.has(digest!))).toEqual([true, false, true]);
  });

  test('tells pairs apart however they are cut, and processes from each other', () => {
    const cache = new PasswordCache();
    expect(cache.digest('bc', 'a')).not.toBe(cache.digest('c', 'ab'));
    expect(cache.digest('a', 'b')).toBe(cache.digest('a', 'b'));
    expect(new PasswordCache().digest('a', 'b')).not.toBe(cache.digest('a', 'b'));
  });
});
