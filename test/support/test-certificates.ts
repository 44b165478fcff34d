import { generateKeyPairSync, type KeyObject, X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DER, der, derInteger, derTime, writePem } from '../../src/host/der.ts';
import type { TlsSettings } from '../../src/host/tls-settings.ts';
import {
  createCertificate,
  derName,
  signatureAlgorithm,
  signed,
} from '../../src/host/x509-certificate.ts';

/** Authorities and certificates, made anew for every test: no key is ever stored. */

export interface Issued {
  readonly cert: string;
  readonly key: string;
}

const HOUR_MS = 3_600_000;

export class TestAuthority {
  readonly cert: string;
  readonly #name: { readonly commonName: string };
  readonly #key: KeyObject;

  constructor(commonName = 'test authority') {
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    this.#name = { commonName };
    this.#key = privateKey;
    this.cert = createCertificate({
      ...this.#signed(),
      subject: this.#name,
      publicKey,
      isAuthority: true,
      usages: [],
      hosts: [],
    });
  }

  issue(commonName: string, hosts: readonly string[] = [], days = 1): Issued {
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const cert = createCertificate({
      ...this.#signed(days),
      subject: { commonName },
      publicKey,
      isAuthority: false,
      usages: ['serverAuth', 'clientAuth'],
      hosts,
    });
    return { cert, key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() };
  }

  /** A revocation list in DER. */
  revoke(...certs: readonly string[]): Buffer {
    const entries = certs.map((cert) =>
      der(
        DER.sequence,
        derInteger(BigInt(`0x${new X509Certificate(cert).serialNumber}`)),
        derTime(Date.now()),
      ),
    );
    const toBeSigned = der(
      DER.sequence,
      derInteger(1n),
      signatureAlgorithm(),
      derName(this.#name),
      derTime(Date.now() - HOUR_MS),
      derTime(Date.now() + HOUR_MS),
      ...(entries.length === 0 ? [] : [der(DER.sequence, ...entries)]),
    );
    return signed(toBeSigned, this.#key);
  }

  #signed(days = 1) {
    return {
      issuer: this.#name,
      issuerKey: this.#key,
      notBeforeMs: Date.now() - HOUR_MS,
      notAfterMs: Date.now() + days * 24 * HOUR_MS,
    };
  }
}

export function crlPem(list: Buffer): string {
  return writePem('X509 CRL', list);
}

/** A directory of TLS files that goes away with the test. */
export class TlsDirectory implements Disposable {
  readonly path: string = mkdtempSync(join(tmpdir(), 'stormraft-tls-'));

  write(name: string, content: string | Buffer): string {
    const path = join(this.path, name);
    writeFileSync(path, content, { mode: 0o600 });
    return path;
  }

  /** Settings of a side that shows `issued`. */
  settings(issued: Issued | undefined, more: Partial<TlsSettings> = {}): TlsSettings {
    return {
      certFile: issued && this.write('cert.pem', issued.cert),
      keyFile: issued && this.write('key.pem', issued.key),
      clientCertFile: undefined,
      clientKeyFile: undefined,
      trustedCaFile: undefined,
      crlFile: undefined,
      requireClientCert: false,
      allowedCns: [],
      allowedHostnames: [],
      skipClientSanVerification: false,
      cipherSuites: undefined,
      minVersion: 'TLSv1.2',
      maxVersion: undefined,
      selfSigned: false,
      ...more,
    };
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}
