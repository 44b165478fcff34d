import { lookup, reverse } from 'node:dns/promises';
import { isIP } from 'node:net';
import type { PeerCertificate, TLSSocket } from 'node:tls';
import { checkServerIdentity } from 'node:tls';
import { err, ok, type Result } from '../lib/result.ts';
import type { TlsSettings } from './tls-settings.ts';
import { normalSerial, type SerialNumber } from './x509-revocation.ts';

/** What a certificate must be beyond being signed by the right authority. */

/** The last one, as in Go; undefined if there is none. */
export function commonNameIn(certificate: PeerCertificate): string | undefined {
  const names: string | readonly string[] | undefined = certificate.subject?.CN;
  return typeof names === 'string' ? names : names?.at(-1);
}

/** Certificates that the other end showed, its own first; empty if it showed none. */
export function chainOf(socket: TLSSocket): readonly PeerCertificate[] {
  const chain: PeerCertificate[] = [];
  let next = socket.getPeerCertificate(true);
  while (next?.raw !== undefined && chain.length < CHAIN_MAX) {
    chain.push(next);
    if (next.issuerCertificate === undefined || next.issuerCertificate === next) break;
    next = next.issuerCertificate;
  }
  return chain;
}

const CHAIN_MAX = 10;

/** Checks that need nothing but the certificates; the error says which failed. */
export function checkCertificates(
  chain: readonly PeerCertificate[],
  settings: TlsSettings,
  revoked: ReadonlySet<SerialNumber>,
): Result<void, string> {
  const bad = chain.find(({ serialNumber }) => revoked.has(normalSerial(serialNumber)));
  if (bad !== undefined) return err(`certificate ${bad.serialNumber} is revoked`);
  const [own] = chain;
  const { allowedCns, allowedHostnames } = settings;
  if (own === undefined) {
    const anyWillDo = allowedCns.length === 0 && allowedHostnames.length === 0;
    return anyWillDo ? ok(undefined) : err('no certificate was shown');
  }
  const commonName = commonNameIn(own);
  if (allowedCns.length > 0 && (commonName === undefined || !allowedCns.includes(commonName))) {
    return err(`common name ${JSON.stringify(commonName ?? '')} is not allowed`);
  }
  const isGoodFor = (host: string): boolean => checkServerIdentity(host, own) === undefined;
  if (allowedHostnames.length > 0 && !allowedHostnames.some(isGoodFor)) {
    return err('the certificate has no host name that is allowed');
  }
  return ok(undefined);
}

/** Names of a certificate that are looked up; one with more is refused. */
const NAMES_MAX = 32;

/**
 * As in etcd, whoever dials must do so from an address that its certificate has, if it has any:
 * literally, or by the names that the address has, or by the addresses that its names have.
 */
export async function checkAddress(
  certificate: PeerCertificate,
  remoteAddress: string,
): Promise<Result<void, string>> {
  const entries = (certificate.subjectaltname ?? '').split(', ');
  const valuesOf = (kind: string): readonly string[] =>
    entries.filter((entry) => entry.startsWith(kind)).map((entry) => entry.slice(kind.length));
  const [addresses, names] = [valuesOf('IP Address:'), valuesOf('DNS:')];
  if (addresses.length === 0 && names.length === 0) return ok(undefined);
  const remote = plainAddress(remoteAddress);
  if (addresses.some((address) => plainAddress(address) === remote)) return ok(undefined);
  const problem = `${remote} is not in the certificate (${[...addresses, ...names].join(', ')})`;
  if (names.length === 0 || names.length > NAMES_MAX) return err(problem);
  const found = (await isAddressOf(names, remote)) || (await hasNameIn(names, remote));
  return found ? ok(undefined) : err(problem);
}

async function isAddressOf(names: readonly string[], address: string): Promise<boolean> {
  for (const name of names) {
    if (name.startsWith('*.')) continue;
    const found = await lookup(name, { all: true }).catch(() => []);
    if (found.some((each) => plainAddress(each.address) === address)) return true;
  }
  return false;
}

async function hasNameIn(names: readonly string[], address: string): Promise<boolean> {
  const found = await reverse(address).catch(() => []);
  return found.some((each) =>
    names.some((name) => (name.startsWith('*.') ? each.endsWith(name.slice(1)) : each === name)),
  );
}

/** One spelling for each address; IPv4 is not written as IPv6. */
function plainAddress(address: string): string {
  const ipv4 = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (ipv4 !== undefined) return ipv4;
  return isIP(address) === 6 ? new URL(`http://[${address}]`).hostname.slice(1, -1) : address;
}
