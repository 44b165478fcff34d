import { err, ok, type Result } from '../lib/result.ts';
import { DER, type DerElement, readDer, readPem } from './der.ts';

/**
 * Serial numbers in certificate revocation lists (RFC 5280 §5). As in etcd, a list is believed
 * because it is in the file: its signature, its issuer and its date are not looked at.
 */

/** In hexadecimal, without leading zeros. */
export type SerialNumber = string;

/** One list in DER, or any number of them in PEM; the error says what is wrong. */
export function readRevocations(bytes: Buffer): Result<ReadonlySet<SerialNumber>, string> {
  const lists = readPem(bytes.toString('latin1'), 'X509 CRL');
  const serials = new Set<SerialNumber>();
  for (const list of lists.length > 0 ? lists : [bytes]) {
    const found = serialsOf(list);
    if (found === undefined) return err('is no certificate revocation list');
    for (const serial of found) serials.add(serial);
  }
  return ok(serials);
}

export function normalSerial(hex: string): SerialNumber {
  return hex.toLowerCase().replace(/^0+(?=.)/, '');
}

function serialsOf(list: Buffer): readonly SerialNumber[] | undefined {
  const [outer] = readDer(list) ?? [];
  const parts = outer?.tag === DER.sequence ? readDer(outer.content) : undefined;
  // What is signed, how, and the signature.
  if (parts?.length !== 3 || parts[0]!.tag !== DER.sequence) return undefined;
  const fields = readDer(parts[0]!.content);
  if (fields === undefined) return undefined;
  const times = fields.filter(isTime);
  // Algorithm, issuer, thisUpdate; a version before them and a nextUpdate after them may be there.
  if (times.length === 0 || fields.filter(isSequence).length < 2) return undefined;
  const next = fields[fields.lastIndexOf(times.at(-1)!) + 1];
  if (next?.tag !== DER.sequence) return [];
  return readDer(next.content)?.flatMap((entry) => {
    const [serial] = readDer(entry.content) ?? [];
    return serial?.tag === DER.integer ? [hexOf(serial.content)] : [];
  });
}

function isTime({ tag }: DerElement): boolean {
  return tag === DER.utcTime || tag === DER.generalizedTime;
}

function isSequence({ tag }: DerElement): boolean {
  return tag === DER.sequence;
}

function hexOf(bytes: Uint8Array): SerialNumber {
  return normalSerial(Buffer.from(bytes).toString('hex'));
}
