import { createHmac, generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { JwtAlgorithm } from '../../src/host/jwt-algorithms.ts';
import { JWT_ALGORITHMS } from '../../src/host/jwt-algorithms.ts';
import { type JwtOptions, type JwtTokens, loadJwtTokens } from '../../src/host/jwt-tokens.ts';
import { assert } from '../../src/lib/assert.ts';
import { err } from '../../src/lib/result.ts';

const clock = { nowMs: 1_700_000_000_000, wallMs: () => clock.nowMs };
const ALICE = { username: 'alice', revision: 7 };

interface Pem {
  readonly publicKey: Uint8Array;
  readonly privateKey: Uint8Array;
}

function pem(pair: { readonly publicKey: KeyObject; readonly privateKey: KeyObject }): Pem {
  return {
    publicKey: Buffer.from(pair.publicKey.export({ type: 'spki', format: 'pem' })),
    privateKey: Buffer.from(pair.privateKey.export({ type: 'pkcs8', format: 'pem' })),
  };
}

const RSA = pem(generateKeyPairSync('rsa', { modulusLength: 2048 }));
const RSA_OTHER = pem(generateKeyPairSync('rsa', { modulusLength: 2048 }));
const P256 = pem(generateKeyPairSync('ec', { namedCurve: 'P-256' }));
const P384 = pem(generateKeyPairSync('ec', { namedCurve: 'P-384' }));
const P521 = pem(generateKeyPairSync('ec', { namedCurve: 'P-521' }));
const ED25519 = pem(generateKeyPairSync('ed25519'));
const SECRET: Pem = { publicKey: new Uint8Array(0), privateKey: randomBytes(32) };

const KEYS: Readonly<Record<string, Pem>> = {
  RS: RSA,
  PS: RSA,
  HS: SECRET,
  ES256: P256,
  ES384: P384,
  ES512: P521,
  EdDSA: ED25519,
};

function keysFor(algorithm: JwtAlgorithm): Pem {
  const keys = KEYS[algorithm] ?? KEYS[algorithm.slice(0, 2)];
  assert(keys !== undefined, `keys for ${algorithm}`);
  return keys;
}

function load(
  signMethod: JwtAlgorithm,
  files: Readonly<Record<string, Uint8Array>>,
): ReturnType<typeof loadJwtTokens> {
  const options: JwtOptions = {
    signMethod,
    publicKeyFile: files.pub && 'pub',
    privateKeyFile: files.priv && 'priv',
    ttlMs: 10_000,
  };
  return loadJwtTokens(options, async (path) => files[path]!, clock);
}

async function tokensOf(
  signMethod: JwtAlgorithm,
  files: Readonly<Record<string, Uint8Array>>,
): Promise<JwtTokens> {
  const loaded = await load(signMethod, files);
  assert(loaded.ok, 'these keys fit');
  return loaded.value;
}

function signed(tokens: JwtTokens): string {
  const token = tokens.sign(ALICE);
  assert(token.ok, 'there is a private key');
  return token.value;
}

function part(token: string, at: number): unknown {
  return JSON.parse(Buffer.from(token.split('.')[at]!, 'base64url').toString());
}

function unsigned(header: unknown, payload: unknown): string {
  const [head, body] = [header, payload].map((value) =>
    Buffer.from(JSON.stringify(value)).toString('base64url'),
  );
  return `${head}.${body}`;
}

describe.each(JWT_ALGORITHMS)('%s', (algorithm) => {
  const { privateKey } = keysFor(algorithm);

  test('signs what it verifies, with etcd’s claims', async () => {
    const tokens = await tokensOf(algorithm, { priv: privateKey });
    const token = signed(tokens);
    expect(part(token, 0)).toEqual({ alg: algorithm, typ: 'JWT' });
    expect(part(token, 1)).toEqual({ ...ALICE, exp: 1_700_000_010 });
    expect(tokens.verify(token)).toEqual(ALICE);
  });

  test('refuses another signature', async () => {
    const tokens = await tokensOf(algorithm, { priv: privateKey });
    const [head, body, signature] = signed(tokens).split('.');
    const forged = unsigned(part(`${head}.`, 0), { username: 'root', revision: 7 });
    expect(tokens.verify(`${forged}.${signature}`)).toBeUndefined();
    expect(tokens.verify(`${head}.${body}.`)).toBeUndefined();
    expect(tokens.verify(`${head}.${body}.${signature!.slice(4)}`)).toBeUndefined();
    expect(tokens.verify(`${head}.${body}`)).toBeUndefined();
    expect(tokens.verify(`${head}.${body}.${signature}.`)).toBeUndefined();
  });
});

const PAIRED = JWT_ALGORITHMS.filter((algorithm) => !algorithm.startsWith('HS'));

test.each(PAIRED)('%s verifies with the public key alone', async (algorithm) => {
  const { publicKey, privateKey } = keysFor(algorithm);
  const signing = await tokensOf(algorithm, { priv: privateKey, pub: publicKey });
  const verifying = await tokensOf(algorithm, { pub: publicKey });
  expect(verifying.verify(signed(signing))).toEqual(ALICE);
  expect(verifying.sign(ALICE)).toEqual(err('verifyOnly'));
});

describe('a token', () => {
  test('expires', async () => {
    const tokens = await tokensOf('HS256', { priv: SECRET.privateKey });
    const token = signed(tokens);
    clock.nowMs += 9_999;
    expect(tokens.verify(token)).toEqual(ALICE);
    clock.nowMs += 1;
    expect(tokens.verify(token)).toBeUndefined();
    clock.nowMs -= 10_000;
  });

  test('cannot choose how it is verified', async () => {
    const rsa = await tokensOf('RS256', { pub: RSA.publicKey });
    // The classic: the public key, which anybody has, taken for a secret.
    const forger = await tokensOf('HS256', { priv: RSA.publicKey });
    expect(forger.verify(signed(forger))).toEqual(ALICE);
    expect(rsa.verify(signed(forger))).toBeUndefined();
    expect(rsa.verify(`${unsigned({ alg: 'none' }, ALICE)}.`)).toBeUndefined();
    const other = await tokensOf('RS512', { priv: RSA.privateKey });
    expect(rsa.verify(signed(other))).toBeUndefined();
  });

  test.each(['', '.', '..', 'a.b.c', 'abcdefghijklmnop.12', 'x'.repeat(9000)])(
    'is not %j',
    async (text) => {
      const tokens = await tokensOf('RS256', { pub: RSA.publicKey });
      expect(tokens.verify(text)).toBeUndefined();
    },
  );

  test.each<[string, object, boolean]>([
    ['no times at all', {}, true],
    ['a time before which it is not valid', { nbf: 1_700_000_001 }, false],
    ['a time from which it is', { nbf: 1_700_000_000 }, true],
    ['a time that is none', { exp: 'never' }, false],
    ['another kind of name', { username: 1 }, false],
    ['no whole revision', { revision: 1.5 }, false],
  ])('made elsewhere with %s', async (_, claims, isValid) => {
    const tokens = await tokensOf('HS256', { priv: SECRET.privateKey });
    const text = unsigned({ alg: 'HS256' }, { ...ALICE, ...claims });
    const mac = createHmac('sha256', SECRET.privateKey).update(text).digest('base64url');
    expect(tokens.verify(`${text}.${mac}`)).toEqual(isValid ? ALICE : undefined);
  });
});

test('a token that names another method is refused, even if its signature fits', async () => {
  const tokens = await tokensOf('HS256', { priv: SECRET.privateKey });
  const text = unsigned({ alg: 'HS512' }, ALICE);
  const mac = createHmac('sha256', SECRET.privateKey).update(text).digest('base64url');
  expect(tokens.verify(`${text}.${mac}`)).toBeUndefined();
});

describe('keys are refused', () => {
  test.each<[string, JwtAlgorithm, Record<string, Uint8Array>, RegExp]>([
    ['if there are none', 'RS256', {}, /^auth-token: RS256 needs priv-key, or pub-key/],
    [
      'if there is no secret',
      'HS256',
      { pub: RSA.publicKey },
      /^auth-token: HS256 needs priv-key$/,
    ],
    ['if the secret is empty', 'HS256', { priv: new Uint8Array(0) }, /an empty file, for HS256$/],
    [
      'of another kind',
      'RS256',
      { priv: P256.privateKey },
      /priv-key priv: not an RSA key, for RS256$/,
    ],
    ['of another curve', 'ES256', { pub: P384.publicKey }, /pub-key pub: not a prime256v1 key/],
    ['that are no Ed25519', 'EdDSA', { priv: RSA.privateKey }, /not an Ed25519 key, for EdDSA$/],
    [
      'that are none',
      'PS256',
      { pub: Buffer.from('nonsense') },
      /^auth-token: cannot use pub-key pub: /,
    ],
    [
      'of two pairs',
      'RS256',
      { pub: RSA.publicKey, priv: RSA_OTHER.privateKey },
      /pub-key and priv-key are not of one pair$/,
    ],
  ])('%s', async (_, algorithm, files, why) => {
    const loaded = await load(algorithm, files);
    const error = loaded.ok ? '' : loaded.error;
    expect(error).toMatch(why);
    expect(error).not.toContain('\n');
  });

  test('that cannot be read', async () => {
    const files = { publicKeyFile: 'gone.pem', privateKeyFile: undefined };
    const options: JwtOptions = { signMethod: 'RS256', ...files, ttlMs: 10_000 };
    const gone = (): Promise<never> => Promise.reject(new Error('ENOENT'));
    const loaded = await loadJwtTokens(options, gone, clock);
    expect(loaded).toEqual(err('auth-token: cannot use pub-key gone.pem: ENOENT'));
  });
});
