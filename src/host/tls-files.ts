import { readFileSync, statSync } from 'node:fs';
import { createSecureContext, type SecureContext, type SecureContextOptions } from 'node:tls';
import { err, ok, type Result } from '../lib/result.ts';
import type { TlsSettings } from './tls-settings.ts';
import { readRevocations, type SerialNumber } from './x509-revocation.ts';

/** What the files of one side's TLS hold, read as a whole. */

export interface TlsMaterial {
  /** For who dials us; undefined where there is no certificate. */
  readonly server: SecureContextOptions | undefined;
  /** For whom we dial. */
  readonly client: SecureContext;
  readonly revoked: ReadonlySet<SerialNumber>;
}

/** Changes whenever a file does; cheap enough for every handshake. */
export function fingerprintOf(settings: TlsSettings): string {
  return pathsOf(settings)
    .map((path) => {
      const stat = statSync(path, { bigint: true, throwIfNoEntry: false });
      return stat === undefined ? 'none' : `${stat.ino}.${stat.size}.${stat.mtimeNs}`;
    })
    .join();
}

/** The error names the file and what is wrong with it. */
export function readMaterial(settings: TlsSettings): Result<TlsMaterial, string> {
  const files = new Map<string, Buffer>();
  for (const path of pathsOf(settings)) {
    try {
      files.set(path, readFileSync(path));
    } catch (error) {
      return err(`${path} cannot be read (${reasonOf(error)})`);
    }
  }
  const read = (path: string | undefined): Buffer | undefined =>
    path === undefined ? undefined : files.get(path);
  const base: SecureContextOptions = {
    ca: read(settings.trustedCaFile),
    ciphers: settings.cipherSuites,
    minVersion: settings.minVersion,
    maxVersion: settings.maxVersion,
  };
  const { certFile, keyFile, clientCertFile, clientKeyFile } = settings;
  const shown = { cert: read(certFile), key: read(keyFile) };
  const shownByClient =
    clientCertFile === undefined ? shown : { cert: read(clientCertFile), key: read(clientKeyFile) };
  const revoked = revokedOf(settings.crlFile, read(settings.crlFile));
  if (!revoked.ok) return revoked;
  const unusable = unusableAuthority(settings.trustedCaFile, read(settings.trustedCaFile));
  if (unusable !== undefined) return err(unusable);
  try {
    const server = { ...base, ...shown };
    // Also finds a key that is not the certificate's.
    if (certFile !== undefined) createSecureContext(server);
    const client = createSecureContext({ ...base, ...shownByClient });
    const hasServer = certFile !== undefined;
    return ok({ server: hasServer ? server : undefined, client, revoked: revoked.value });
  } catch (error) {
    const paths = [certFile, keyFile, clientCertFile, clientKeyFile].filter(Boolean).join(', ');
    return err(`${paths} cannot be used (${reasonOf(error)}); certificate and key must be a pair`);
  }
}

function pathsOf(settings: TlsSettings): readonly string[] {
  const { certFile, keyFile, clientCertFile, clientKeyFile, trustedCaFile, crlFile } = settings;
  return [certFile, keyFile, clientCertFile, clientKeyFile, trustedCaFile, crlFile].filter(
    (path) => path !== undefined,
  );
}

function revokedOf(
  path: string | undefined,
  bytes: Buffer | undefined,
): Result<ReadonlySet<SerialNumber>, string> {
  if (bytes === undefined) return ok(new Set());
  const revoked = readRevocations(bytes);
  return revoked.ok ? revoked : err(`${path} ${revoked.error}`);
}

/** OpenSSL takes a file without any certificate for one that trusts nobody, and says nothing. */
function unusableAuthority(
  path: string | undefined,
  bytes: Buffer | undefined,
): string | undefined {
  if (bytes === undefined || bytes.includes('-----BEGIN CERTIFICATE-----')) return undefined;
  return `${path} has no certificate of an authority in it`;
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return 'code' in error ? String(error.code) : error.message;
}
