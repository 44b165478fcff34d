import { getCiphers } from 'node:tls';
import { err, ok, type Result } from '../lib/result.ts';

/** Cipher suites by the names that Go gives them, as etcd's flag takes them. */

/** Those of TLS 1.3 cannot be chosen in Go; they stay in use beside any list. */
const TLS13_SUITES: readonly string[] = [
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
];

/** Go's older names for two of them. */
const SHORT_NAMES: Readonly<Record<string, string>> = {
  TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305: 'TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256',
  TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305: 'TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256',
};

const NAME =
  /^TLS_(?:(ECDHE_RSA|ECDHE_ECDSA)|RSA)_WITH_(?:AES_(128|256)_(CBC|GCM)|CHACHA20_POLY1305)_(SHA\d*)$/;

/** OpenSSL's list for Node; the error is the first name that cannot be used. */
export function opensslCipherSuites(goNames: readonly string[]): Result<string, string> {
  const available = new Set(getCiphers());
  const suites: string[] = [];
  for (const goName of goNames) {
    if (TLS13_SUITES.includes(goName)) continue;
    const suite = opensslName(SHORT_NAMES[goName] ?? goName);
    if (suite === undefined || !available.has(suite.toLowerCase())) return err(goName);
    suites.push(suite);
  }
  return ok([...suites, ...TLS13_SUITES].join(':'));
}

function opensslName(goName: string): string | undefined {
  const [matched, exchange, bits, mode, hash] = NAME.exec(goName) ?? [];
  if (matched === undefined || hash === undefined) return undefined;
  const prefix = exchange === undefined ? '' : `${exchange.replace('_', '-')}-`;
  if (bits === undefined) return hash === 'SHA256' ? `${prefix}CHACHA20-POLY1305` : undefined;
  return `${prefix}AES${bits}-${mode === 'GCM' ? 'GCM-' : ''}${hash}`;
}
