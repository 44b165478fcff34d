import { createPrivateKey, createPublicKey, createSecretKey, type KeyObject } from 'node:crypto';
import { err, ok, type Result } from '../lib/result.ts';
import type { Clock } from '../ports/clock.ts';
import type { TokenClaims, TokenProvider } from '../ports/token-provider.ts';
import { type JwtAlgorithm, refuseKey, signBytes, verifyBytes } from './jwt-algorithms.ts';

/** Longer texts are no tokens of ours; ours are a few hundred bytes. */
const TOKEN_LENGTH_MAX = 8192;

/** etcd's `--auth-token jwt,…`. */
export interface JwtOptions {
  readonly signMethod: JwtAlgorithm;
  /** PEM files; of the HS methods, the private key is the file's bytes and there is no other. */
  readonly publicKeyFile: string | undefined;
  readonly privateKeyFile: string | undefined;
  /** From a login until its token expires. */
  readonly ttlMs: number;
}

export interface JwtKeys {
  /** undefined: tokens are made elsewhere. */
  readonly signing: KeyObject | undefined;
  readonly verifying: KeyObject;
}

/**
 * JSON web tokens (RFC 7519) as etcd makes them: claims `username`, `revision` and `exp`. Valid
 * until they expire or anything about users changes; nothing about them is kept.
 */
export class JwtTokens implements TokenProvider {
  readonly #options: Pick<JwtOptions, 'signMethod' | 'ttlMs'>;
  readonly #keys: JwtKeys;
  readonly #clock: Pick<Clock, 'wallMs'>;

  constructor(
    options: Pick<JwtOptions, 'signMethod' | 'ttlMs'>,
    keys: JwtKeys,
    clock: Pick<Clock, 'wallMs'>,
  ) {
    this.#options = options;
    this.#keys = keys;
    this.#clock = clock;
  }

  sign({ username, revision }: TokenClaims): Result<string, 'verifyOnly'> {
    const { signMethod, ttlMs } = this.#options;
    const { signing } = this.#keys;
    if (signing === undefined) return err('verifyOnly');
    const exp = Math.floor((this.#clock.wallMs() + ttlMs) / 1000);
    const header = encode({ alg: signMethod, typ: 'JWT' });
    const signed = `${header}.${encode({ username, revision, exp })}`;
    const signature = signBytes(signMethod, signing, Buffer.from(signed));
    return ok(`${signed}.${Buffer.from(signature).toString('base64url')}`);
  }

  verify(token: string): TokenClaims | undefined {
    const { signMethod } = this.#options;
    const [header, payload, signature, ...rest] = token.split('.', 4);
    if (header === undefined || payload === undefined || signature === undefined) return undefined;
    if (rest.length > 0 || token.length > TOKEN_LENGTH_MAX) return undefined;
    // Ours only: a token must not choose how it is verified.
    if (decode(header).alg !== signMethod) return undefined;
    const signed = Buffer.from(`${header}.${payload}`);
    const bytes = Buffer.from(signature, 'base64url');
    if (!verifyBytes(signMethod, this.#keys.verifying, signed, bytes)) return undefined;
    return this.#claimsOf(decode(payload));
  }

  /** Times are optional, as in etcd: whoever has the key may make tokens that never expire. */
  #claimsOf(payload: Record<string, unknown>): TokenClaims | undefined {
    const { username, revision, exp, nbf } = payload;
    const nowS = this.#clock.wallMs() / 1000;
    if (exp !== undefined && !(typeof exp === 'number' && nowS < exp)) return undefined;
    if (nbf !== undefined && !(typeof nbf === 'number' && nowS >= nbf)) return undefined;
    if (typeof username !== 'string' || typeof revision !== 'number') return undefined;
    return Number.isSafeInteger(revision) ? { username, revision } : undefined;
  }
}

/** Reads the keys; an error is one line. Without a private key, tokens are only verified. */
export async function loadJwtTokens(
  options: JwtOptions,
  readFile: (path: string) => Promise<Uint8Array>,
  clock: Pick<Clock, 'wallMs'>,
): Promise<Result<JwtTokens, string>> {
  const keys = await loadKeys(options, readFile);
  return keys.ok ? ok(new JwtTokens(options, keys.value, clock)) : keys;
}

async function loadKeys(
  { signMethod, publicKeyFile, privateKeyFile }: JwtOptions,
  readFile: (path: string) => Promise<Uint8Array>,
): Promise<Result<JwtKeys, string>> {
  const isSecret = signMethod.startsWith('HS');
  const signing = await loadKey(signMethod, 'priv-key', privateKeyFile, async (path) => {
    const bytes = Buffer.from(await readFile(path));
    return isSecret ? createSecretKey(bytes) : createPrivateKey(bytes);
  });
  if (!signing.ok) return signing;
  if (isSecret) {
    const secret = signing.value;
    if (secret === undefined) return refuse(`${signMethod} needs priv-key`);
    return ok({ signing: secret, verifying: secret });
  }
  const verifying = await loadKey(signMethod, 'pub-key', publicKeyFile, async (path) =>
    createPublicKey(Buffer.from(await readFile(path))),
  );
  if (!verifying.ok) return verifying;
  const derived = signing.value && createPublicKey(signing.value);
  const known = verifying.value ?? derived;
  if (known === undefined) return refuse(`${signMethod} needs priv-key, or pub-key to verify only`);
  if (derived !== undefined && !derived.equals(known)) {
    return refuse('pub-key and priv-key are not of one pair');
  }
  return ok({ signing: signing.value, verifying: known });
}

async function loadKey(
  algorithm: JwtAlgorithm,
  field: string,
  path: string | undefined,
  load: (path: string) => Promise<KeyObject>,
): Promise<Result<KeyObject | undefined, string>> {
  if (path === undefined) return ok(undefined);
  try {
    const key = await load(path);
    const why = refuseKey(algorithm, key);
    return why === undefined ? ok(key) : refuse(`${field} ${path}: ${why}, for ${algorithm}`);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return refuse(`cannot use ${field} ${path}: ${why.split('\n')[0]}`);
  }
}

function refuse(why: string): Result<never, string> {
  return err(`auth-token: ${why}`);
}

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

/** No fields where there is no JSON object. */
function decode(part: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString());
    return typeof value === 'object' && value !== null ? { ...value } : {};
  } catch {
    // Anybody may send anything; it is not a token then.
    return {};
  }
}
