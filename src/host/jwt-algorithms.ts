/** The signatures of JSON web tokens (RFC 7518 §3, RFC 8037), on Node's cryptography. */
import {
  constants,
  createHmac,
  type KeyObject,
  type SigningOptions,
  sign,
  timingSafeEqual,
  verify,
} from 'node:crypto';
import { assert } from '../lib/assert.ts';

/** Those etcd takes as `sign-method`. */
export const JWT_ALGORITHMS = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'HS256',
  'HS384',
  'HS512',
  'EdDSA',
] as const;

export type JwtAlgorithm = (typeof JWT_ALGORITHMS)[number];

/** Why the key cannot be used with the algorithm; undefined: it can. */
export function refuseKey(algorithm: JwtAlgorithm, key: KeyObject): string | undefined {
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = key;
  if (algorithm === 'EdDSA') return type === 'ed25519' ? undefined : 'not an Ed25519 key';
  switch (algorithm.slice(0, 2)) {
    case 'HS':
      if (key.type !== 'secret') return 'not a secret key';
      return (key.symmetricKeySize ?? 0) > 0 ? undefined : 'an empty file';
    case 'ES': {
      const curve = CURVES[algorithm];
      return type === 'ec' && details?.namedCurve === curve ? undefined : `not a ${curve} key`;
    }
    default:
      return type === 'rsa' ? undefined : 'not an RSA key';
  }
}

export function signBytes(algorithm: JwtAlgorithm, key: KeyObject, bytes: Uint8Array): Uint8Array {
  if (key.type === 'secret') {
    return createHmac(digestOf(algorithm), key).update(bytes).digest();
  }
  assert(key.type === 'private', 'only a private key signs');
  return sign(algorithm === 'EdDSA' ? null : digestOf(algorithm), bytes, keyInput(algorithm, key));
}

export function verifyBytes(
  algorithm: JwtAlgorithm,
  key: KeyObject,
  bytes: Uint8Array,
  signature: Uint8Array,
): boolean {
  if (key.type === 'secret') {
    const expected = signBytes(algorithm, key, bytes);
    return expected.length === signature.length && timingSafeEqual(expected, signature);
  }
  const digest = algorithm === 'EdDSA' ? null : digestOf(algorithm);
  return verify(digest, bytes, keyInput(algorithm, key), signature);
}

/** P-256, P-384 and P-521, in OpenSSL's words. */
const CURVES: Readonly<Partial<Record<JwtAlgorithm, string>>> = {
  ES256: 'prime256v1',
  ES384: 'secp384r1',
  ES512: 'secp521r1',
};

function digestOf(algorithm: JwtAlgorithm): string {
  return `sha${algorithm.slice(2)}`;
}

type KeyInput = KeyObject | ({ readonly key: KeyObject } & SigningOptions);

/** JWTs have ECDSA's two numbers side by side, and PSS salts as long as the digest. */
function keyInput(algorithm: JwtAlgorithm, key: KeyObject): KeyInput {
  if (algorithm.startsWith('ES')) return { key, dsaEncoding: 'ieee-p1363' };
  if (!algorithm.startsWith('PS')) return key;
  const padding = constants.RSA_PKCS1_PSS_PADDING;
  return { key, padding, saltLength: constants.RSA_PSS_SALTLEN_DIGEST };
}
