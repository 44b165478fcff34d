import { err, ok, type Result } from '../lib/result.ts';
import { utf8Decode, utf8Encode } from '../lib/utf8.ts';

/** The two gRPC header values with a syntax of their own: `grpc-message` and `grpc-timeout`. */

const PERCENT = 0x25;
const PRINTABLE_MIN = 0x20;
const PRINTABLE_MAX = 0x7e;

/** Percent-encodes what is not printable ASCII, and the percent sign. */
export function encodeGrpcMessage(message: string): string {
  let encoded = '';
  for (const byte of utf8Encode(message)) {
    if (byte >= PRINTABLE_MIN && byte <= PRINTABLE_MAX && byte !== PERCENT) {
      encoded += String.fromCharCode(byte);
    } else {
      encoded += `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
    }
  }
  return encoded;
}

/** Sequences that are no encoding stay as they are, as gRPC asks. */
export function decodeGrpcMessage(encoded: string): string {
  if (!encoded.includes('%')) return encoded;
  const bytes: number[] = [];
  for (let at = 0; at < encoded.length; at++) {
    const hex = encoded.slice(at + 1, at + 3);
    if (encoded[at] === '%' && /^[0-9a-fA-F]{2}$/.test(hex)) {
      bytes.push(Number.parseInt(hex, 16));
      at += 2;
    } else {
      bytes.push(...utf8Encode(encoded[at]!));
    }
  }
  return utf8Decode(Uint8Array.from(bytes));
}

/** `grpc-timeout` has at most eight digits. */
const TIMEOUT_VALUE_MAX = 99_999_999;

const MS_PER_UNIT: Readonly<Record<string, number>> = {
  H: 3_600_000,
  M: 60_000,
  S: 1000,
  m: 1,
  u: 0.001,
  n: 0.000_001,
};

/** Milliseconds, not rounded. */
export function parseGrpcTimeout(text: string): Result<number, 'malformed'> {
  const match = /^([0-9]{1,8})([HMSmun])$/.exec(text);
  if (match === null) return err('malformed');
  return ok(Number(match[1]) * MS_PER_UNIT[match[2]!]!);
}

export function formatGrpcTimeout(timeoutMs: number): string {
  return `${Math.min(Math.ceil(timeoutMs), TIMEOUT_VALUE_MAX)}m`;
}
