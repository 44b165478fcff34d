import { type KeyObject, randomBytes, sign } from 'node:crypto';
import { isIP } from 'node:net';
import { DER, der, derInteger, derOid, derTime, writePem } from './der.ts';

/** Writes X.509 certificates (RFC 5280), signed by a P-256 key with SHA-256. */

export interface CertificateName {
  readonly commonName?: string;
  readonly organization?: string;
}

export interface CertificateOptions {
  readonly subject: CertificateName;
  readonly publicKey: KeyObject;
  /** Who signs: the subject itself, or an authority. */
  readonly issuer: CertificateName;
  readonly issuerKey: KeyObject;
  readonly isAuthority: boolean;
  /** What it may be shown for; empty: not restricted. */
  readonly usages: readonly ('serverAuth' | 'clientAuth')[];
  /** Names and addresses that it is good for. */
  readonly hosts: readonly string[];
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}

const OID = {
  commonName: '2.5.4.3',
  organization: '2.5.4.10',
  ecdsaWithSha256: '1.2.840.10045.4.3.2',
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  extendedKeyUsage: '2.5.29.37',
  serverAuth: '1.3.6.1.5.5.7.3.1',
  clientAuth: '1.3.6.1.5.5.7.3.2',
} as const;

const SERIAL_BYTES = 16;
const VERSION_3 = 2n;

/** PEM. */
export function createCertificate(options: CertificateOptions): string {
  const serial = BigInt(`0x${randomBytes(SERIAL_BYTES).toString('hex')}`) >> 1n;
  const toBeSigned = der(
    DER.sequence,
    der(0xa0, derInteger(VERSION_3)),
    derInteger(serial),
    signatureAlgorithm(),
    derName(options.issuer),
    der(DER.sequence, derTime(options.notBeforeMs), derTime(options.notAfterMs)),
    derName(options.subject),
    options.publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, der(DER.sequence, ...extensions(options))),
  );
  return writePem('CERTIFICATE', signed(toBeSigned, options.issuerKey));
}

/** What is signed, how, and the signature: certificates and revocation lists alike. */
export function signed(toBeSigned: Buffer, key: KeyObject): Buffer {
  const signature = sign('sha256', toBeSigned, key);
  return der(
    DER.sequence,
    toBeSigned,
    signatureAlgorithm(),
    der(DER.bitString, Buffer.of(0), signature),
  );
}

export function signatureAlgorithm(): Buffer {
  return der(DER.sequence, derOid(OID.ecdsaWithSha256));
}

export function derName({ organization, commonName }: CertificateName): Buffer {
  const part = (oid: string, text: string): Buffer =>
    der(DER.set, der(DER.sequence, derOid(oid), der(DER.utf8String, Buffer.from(text))));
  return der(
    DER.sequence,
    ...(organization === undefined ? [] : [part(OID.organization, organization)]),
    ...(commonName === undefined ? [] : [part(OID.commonName, commonName)]),
  );
}

function extensions({ isAuthority, usages, hosts }: CertificateOptions): readonly Buffer[] {
  const extension = (oid: string, critical: boolean, value: Buffer): Buffer =>
    der(
      DER.sequence,
      derOid(oid),
      ...(critical ? [der(DER.boolean, Buffer.of(0xff))] : []),
      der(DER.octetString, value),
    );
  // Bits from the left: digitalSignature; with keyCertSign and cRLSign for an authority.
  const keyUsage = isAuthority ? Buffer.of(1, 0b1000_0110) : Buffer.of(7, 0b1000_0000);
  const constraints = isAuthority ? [der(DER.boolean, Buffer.of(0xff))] : [];
  const found = [
    extension(OID.keyUsage, true, der(DER.bitString, keyUsage)),
    extension(OID.basicConstraints, true, der(DER.sequence, ...constraints)),
  ];
  if (usages.length > 0) {
    const oids = usages.map((usage) => derOid(OID[usage]));
    found.push(extension(OID.extendedKeyUsage, false, der(DER.sequence, ...oids)));
  }
  if (hosts.length > 0) {
    const names = hosts.map(derGeneralName);
    found.push(extension(OID.subjectAltName, false, der(DER.sequence, ...names)));
  }
  return found;
}

const DNS_NAME = 0x82;
const IP_ADDRESS = 0x87;

function derGeneralName(host: string): Buffer {
  switch (isIP(host)) {
    case 4:
      return der(IP_ADDRESS, Buffer.from(host.split('.').map(Number)));
    case 6:
      return der(IP_ADDRESS, ipv6Bytes(host));
    default:
      return der(DNS_NAME, Buffer.from(host, 'latin1'));
  }
}

/** Sixteen bytes of an address in any of its forms; a URL's host has no IPv4 part in it. */
function ipv6Bytes(address: string): Buffer {
  const plain = new URL(`http://[${address}]`).hostname.slice(1, -1);
  const [head = '', tail = ''] = plain.split('::');
  const groups = (part: string): string[] => (part === '' ? [] : part.split(':'));
  const [left, right] = [groups(head), groups(tail)];
  const zeros = Array.from({ length: 8 - left.length - right.length }, () => '0');
  const all = [...left, ...zeros, ...right];
  return Buffer.from(all.map((group) => group.padStart(4, '0')).join(''), 'hex');
}
