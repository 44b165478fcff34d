import { generateKeyPairSync, X509Certificate } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Clock } from '../ports/clock.ts';
import { createCertificate } from './x509-certificate.ts';

/** Certificates that the server makes for itself: encryption without anybody's word for it. */

export interface SelfSigned {
  readonly certFile: string;
  readonly keyFile: string;
  readonly hosts: readonly string[];
  readonly validityYears: number;
}

const DAY_MS = 86_400_000;
const NAME = { organization: 'stormraft' };

/**
 * Makes certificate and key unless both are there and good for now; true: they are new. P-256, as
 * its handshake is the cheapest. Throws the system's error if the files cannot be written.
 */
export function ensureSelfSigned(options: SelfSigned, clock: Clock): boolean {
  const { certFile, keyFile, hosts, validityYears } = options;
  const nowMs = clock.wallMs();
  if (isUsable(certFile, keyFile, nowMs)) return false;
  for (const file of [certFile, keyFile]) {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  }
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const certificate = createCertificate({
    subject: NAME,
    publicKey,
    issuer: NAME,
    issuerKey: privateKey,
    // So that clients can name it as the authority that they trust.
    isAuthority: true,
    usages: ['serverAuth', 'clientAuth'],
    hosts,
    // Clocks of clients may be behind.
    notBeforeMs: nowMs - DAY_MS,
    notAfterMs: nowMs + validityYears * 365 * DAY_MS,
  });
  const key = privateKey.export({ type: 'pkcs8', format: 'pem' });
  writeFileSync(keyFile, key, { mode: 0o600 });
  writeFileSync(certFile, certificate, { mode: 0o600 });
  return true;
}

function isUsable(certFile: string, keyFile: string, nowMs: number): boolean {
  try {
    readFileSync(keyFile);
    return new X509Certificate(readFileSync(certFile)).validToDate.getTime() > nowMs;
  } catch {
    // Missing or damaged: nobody can have used it, so a new one harms nobody.
    return false;
  }
}
