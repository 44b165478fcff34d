import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ensureSelfSigned } from '../../src/host/tls-self-signed.ts';
import { readRevocations } from '../../src/host/x509-revocation.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { crlPem, TestAuthority, TlsDirectory } from '../support/test-certificates.ts';

const HOSTS = ['localhost', '127.0.0.1', '::1', '2001:db8::5'];
const YEAR_MS = 365 * 86_400_000;

describe('certificates that the server makes', () => {
  test('are good for the hosts and years asked for, and readable by the owner only', () => {
    using directory = new TlsDirectory();
    const [certFile, keyFile] = ['cert.pem', 'key.pem'].map((name) =>
      join(directory.path, 'fixtures', 'client', name),
    ) as [string, string];
    const clock = new ManualClock();
    const options = { certFile, keyFile, hosts: HOSTS, validityYears: 3 };
    expect(ensureSelfSigned(options, clock)).toBe(true);
    expect(statSync(keyFile).mode & 0o777).toBe(0o600);
    const certificate = new X509Certificate(readFileSync(certFile));
    expect(certificate.checkHost('localhost')).toBe('localhost');
    for (const address of HOSTS.slice(1)) expect(certificate.checkIP(address)).toBeDefined();
    expect(certificate.checkHost('elsewhere')).toBeUndefined();
    expect(certificate.verify(certificate.publicKey)).toBe(true);
    expect(certificate.publicKey.asymmetricKeyDetails?.namedCurve).toBe('prime256v1');
    const endMs = clock.wallMs() + 3 * YEAR_MS;
    expect(Math.abs(certificate.validToDate.getTime() - endMs)).toBeLessThan(1_000);
  });

  test('stay as they are until they have expired or are damaged', () => {
    using directory = new TlsDirectory();
    const options = {
      certFile: join(directory.path, 'cert.pem'),
      keyFile: join(directory.path, 'key.pem'),
      hosts: ['localhost'],
      validityYears: 1,
    };
    const clock = new ManualClock();
    const later = (years: number) => ({ wallMs: () => clock.wallMs() + years * YEAR_MS });
    expect(ensureSelfSigned(options, clock)).toBe(true);
    const first = readFileSync(options.certFile, 'utf8');
    expect(ensureSelfSigned(options, Object.assign(new ManualClock(), later(0.9)))).toBe(false);
    expect(readFileSync(options.certFile, 'utf8')).toBe(first);
    expect(ensureSelfSigned(options, Object.assign(new ManualClock(), later(1.1)))).toBe(true);
    expect(readFileSync(options.certFile, 'utf8')).not.toBe(first);
    writeFileSync(options.certFile, 'nonsense');
    expect(ensureSelfSigned(options, clock)).toBe(true);
  });

  const OPENSSL = '/usr/bin/openssl';

  test.runIf(existsSync(OPENSSL) || process.env.CI === 'true')('openssl reads them', () => {
    using directory = new TlsDirectory();
    const authority = new TestAuthority('an authority');
    const [alice, bob] = [authority.issue('alice', HOSTS), authority.issue('bob')];
    const ca = directory.write('ca.pem', authority.cert);
    const crl = directory.write('crl.pem', crlPem(authority.revoke(bob.cert)));
    const verify = (cert: string): string => {
      const path = directory.write('leaf.pem', cert);
      const flags = ['-CAfile', ca, '-CRLfile', crl, '-crl_check', path];
      try {
        return execFileSync(OPENSSL, ['verify', ...flags], { encoding: 'utf8', stdio: 'pipe' });
      } catch (error) {
        return String((error as { stderr: unknown }).stderr);
      }
    };
    expect(verify(alice.cert)).toMatch(/leaf\.pem: OK/);
    expect(verify(bob.cert)).toMatch(/certificate revoked/);
  });
});

describe('revocation lists', () => {
  const authority = new TestAuthority();
  const [one, two] = [authority.issue('one'), authority.issue('two')];
  const serialOf = (cert: string): string =>
    new X509Certificate(cert).serialNumber.toLowerCase().replace(/^0+/, '');

  test('DER, PEM and several in one file', () => {
    const lists = [authority.revoke(one.cert), authority.revoke(two.cert)] as const;
    const serials = [serialOf(one.cert), serialOf(two.cert)] as const;
    expect(readRevocations(lists[0])).toEqual({ ok: true, value: new Set([serials[0]]) });
    const both = Buffer.from(lists.map(crlPem).join(''));
    expect(readRevocations(both)).toEqual({ ok: true, value: new Set(serials) });
    expect(readRevocations(authority.revoke())).toEqual({ ok: true, value: new Set() });
  });

  test('damaged ones are refused or read, never thrown at', () => {
    const list = authority.revoke(one.cert, two.cert);
    for (let length = 0; length < list.length; length++) {
      expect(readRevocations(list.subarray(0, length)).ok).toBe(false);
    }
    for (let at = 0; at < list.length; at++) {
      const flipped = Buffer.from(list);
      flipped[at]! ^= 0x80;
      expect(typeof readRevocations(flipped).ok).toBe('boolean');
    }
    expect(readRevocations(Buffer.from(one.cert)).ok).toBe(false);
  });
});
