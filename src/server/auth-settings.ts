import type { FlagValues } from './flags.ts';
import { parseGoDuration } from './go-duration.ts';
import { integerOf, positiveOf, textOf } from './read-setting.ts';
import { SettingsError } from './settings-error.ts';

/** How users prove who they are. */

export interface AuthSettings {
  readonly token: TokenSettings;
  readonly bcryptCost: number;
}

export type TokenSettings =
  /** Unused for `ttlS` seconds it ends. */
  | { readonly type: 'simple'; readonly ttlS: number }
  /** With a public key only, this member checks tokens and makes none. */
  | {
      readonly type: 'jwt';
      readonly signMethod: JwtSignMethod;
      readonly publicKeyFile: string | undefined;
      readonly privateKeyFile: string | undefined;
      readonly ttlMs: number;
    };

export type JwtSignMethod = `${'RS' | 'PS' | 'ES' | 'HS'}${'256' | '384' | '512'}` | 'EdDSA';

const SIGN_METHODS: readonly JwtSignMethod[] = [
  ...(['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'] as const),
  ...(['ES256', 'ES384', 'ES512', 'EdDSA', 'HS256', 'HS384', 'HS512'] as const),
];

const JWT_TTL_MS = 5 * 60_000;
const BCRYPT_COST_MIN = 4;
const BCRYPT_COST_MAX = 31;

/** Throws SettingsError for the first setting that is wrong. */
export function authOf(values: FlagValues): AuthSettings {
  const bcryptCost = integerOf(values, 'bcrypt-cost');
  if (bcryptCost < BCRYPT_COST_MIN || bcryptCost > BCRYPT_COST_MAX) {
    throw new SettingsError('bcrypt-cost', `${bcryptCost} is not in 4 to 31; 10 is usual`);
  }
  return { token: tokenOf(values), bcryptCost };
}

function tokenOf(values: FlagValues): TokenSettings {
  const text = textOf(values, 'auth-token');
  const [type, ...parts] = text.split(',');
  const ttlS = positiveOf(values, 'auth-token-ttl');
  if (type === 'simple' || type === '') return { type: 'simple', ttlS };
  if (type !== 'jwt') throw wrong(`${JSON.stringify(type)} is not simple or jwt`);
  return jwtOf(parts);
}

function jwtOf(parts: readonly string[]): TokenSettings {
  const options = new Map<string, string>();
  for (const part of parts) {
    const at = part.indexOf('=');
    const name = part.slice(0, at);
    if (at <= 0 || !['pub-key', 'priv-key', 'sign-method', 'ttl'].includes(name)) {
      throw wrong(`${JSON.stringify(part)} is not pub-key=, priv-key=, sign-method= or ttl=`);
    }
    if (options.has(name)) throw wrong(`has ${name} twice; keep one`);
    options.set(name, part.slice(at + 1));
  }
  const method = options.get('sign-method') ?? '';
  const signMethod = SIGN_METHODS.find((each) => each === method);
  if (signMethod === undefined) {
    const given = method === '' ? 'is missing' : `${JSON.stringify(method)} is unknown`;
    throw wrong(`sign-method ${given}; there are ${SIGN_METHODS.join(', ')}`);
  }
  const ttl = options.get('ttl') ?? '';
  const ttlMs = ttl === '' ? JWT_TTL_MS : parseGoDuration(ttl);
  if (ttlMs === undefined || ttlMs <= 0) {
    throw wrong(`ttl ${JSON.stringify(ttl)} is not a duration; write 300s or 5m`);
  }
  const publicKeyFile = options.get('pub-key') || undefined;
  const privateKeyFile = options.get('priv-key') || undefined;
  if (publicKeyFile === undefined && privateKeyFile === undefined) {
    throw wrong('has no key; give pub-key=PATH or priv-key=PATH');
  }
  if (signMethod.startsWith('HS') && privateKeyFile === undefined) {
    throw wrong(`sign-method ${signMethod} has one key only; give it as priv-key=PATH`);
  }
  return { type: 'jwt', signMethod, publicKeyFile, privateKeyFile, ttlMs };
}

function wrong(problem: string): SettingsError {
  return new SettingsError('auth-token', problem);
}
