/** Just enough of ASN.1's distinguished encoding to write a certificate and read a CRL. */

export const DER = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  oid: 0x06,
  utf8String: 0x0c,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const;

/** Tag, length, content. */
export function der(tag: number, ...contents: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(contents);
  const { length } = content;
  if (length < 0x80) return Buffer.concat([Buffer.of(tag, length), content]);
  const digits = Buffer.from(evenHex(BigInt(length)), 'hex');
  return Buffer.concat([Buffer.of(tag, 0x80 | digits.length), digits, content]);
}

/** A number that is not negative. */
export function derInteger(value: bigint): Buffer {
  const digits = Buffer.from(evenHex(value), 'hex');
  // A first bit of 1 would make it negative.
  const padding = (digits[0] ?? 0) >= 0x80 ? Buffer.of(0) : Buffer.alloc(0);
  return der(DER.integer, padding, digits);
}

/** From its usual form, such as `2.5.29.17`. */
export function derOid(text: string): Buffer {
  const [first = 0, second = 0, ...rest] = text.split('.').map(Number);
  const bytes = [first * 40 + second, ...rest].flatMap((arc) => {
    const groups = [arc & 0x7f];
    for (let left = arc >>> 7; left > 0; left >>>= 7) groups.unshift((left & 0x7f) | 0x80);
    return groups;
  });
  return der(DER.oid, Buffer.from(bytes));
}

/** Seconds of UTC; years before 2050 have two digits, as X.509 wants it. */
export function derTime(timeMs: number): Buffer {
  const digits = new Date(timeMs).toISOString().replace(/\.\d+|[-:T]/g, '');
  const short = Number(digits.slice(0, 4)) < 2050;
  return short
    ? der(DER.utcTime, Buffer.from(digits.slice(2), 'latin1'))
    : der(DER.generalizedTime, Buffer.from(digits, 'latin1'));
}

export interface DerElement {
  readonly tag: number;
  readonly content: Uint8Array;
}

/** What stands side by side in `bytes`; undefined if they are not DER through and through. */
export function readDer(bytes: Uint8Array): readonly DerElement[] | undefined {
  const elements: DerElement[] = [];
  for (let at = 0; at < bytes.length; ) {
    const tag = bytes[at]!;
    const first = bytes[at + 1];
    if (first === undefined || first === 0x80 || first > 0x84) return undefined;
    at += 2;
    let length = first;
    if (first > 0x80) {
      length = 0;
      for (const end = at + first - 0x80; at < end; at++) length = length * 256 + (bytes[at] ?? 0);
    }
    if (at + length > bytes.length) return undefined;
    elements.push({ tag, content: bytes.subarray(at, at + length) });
    at += length;
  }
  return elements;
}

/** Blocks of PEM with this label; none if there are none. */
export function readPem(text: string, label: string): readonly Buffer[] {
  const pattern = new RegExp(`-----BEGIN ${label}-----([^-]*)-----END ${label}-----`, 'g');
  return [...text.matchAll(pattern)].map(([, base64]) => Buffer.from(base64!, 'base64'));
}

export function writePem(label: string, bytes: Buffer): string {
  const lines = bytes.toString('base64').match(/.{1,64}/g) ?? [];
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ''].join('\n');
}

function evenHex(value: bigint): string {
  const hex = value.toString(16);
  return hex.length % 2 === 0 ? hex : `0${hex}`;
}
