/** Requests that are encoded once: only the digits of the key differ from one to the next. */
import { utf8Encode } from '../../src/lib/utf8.ts';
import { ProtoWriter } from '../../src/wire/proto-writer.ts';

export type Operation = 'put' | 'range';

export interface RequestTemplate {
  readonly path: string;
  /** gRPC's prefix and the message. */
  readonly message: Buffer;
  /** Where the key's {@link KEY_DIGITS} digits begin in it. */
  readonly digitsAt: number;
  /** A right answer has at least so many, prefix included: a range must have found its key. */
  readonly answerBytesMin: number;
}

export const KEY_PREFIX = 'bench/';
export const KEY_DIGITS = 10;
const GRPC_PREFIX_BYTES = 5;
const ZERO = 0x30;

export function requestTemplate(operation: Operation, valueBytes: number): RequestTemplate {
  const writer = new ProtoWriter(valueBytes + 64, GRPC_PREFIX_BYTES);
  const key = benchKey(0);
  writer.bytes(1, key);
  if (operation === 'put') writer.bytes(2, benchValue(valueBytes));
  const message = Buffer.from(writer.finish());
  message.writeUInt32BE(message.length - GRPC_PREFIX_BYTES, 1);
  const digitsAt = message.indexOf(KEY_PREFIX, 0, 'latin1') + KEY_PREFIX.length;
  const answerBytesMin = GRPC_PREFIX_BYTES + (operation === 'put' ? 1 : valueBytes);
  const path = operation === 'put' ? '/etcdserverpb.KV/Put' : '/etcdserverpb.KV/Range';
  return { path, message, digitsAt, answerBytesMin };
}

export function benchKey(number: number): Uint8Array {
  return utf8Encode(KEY_PREFIX + String(number).padStart(KEY_DIGITS, '0'));
}

/** Never empty, and no zero byte in it. */
export function benchValue(valueBytes: number): Uint8Array {
  return Uint8Array.from({ length: valueBytes }, (_, at) => 1 + ((at * 31) % 255));
}

/** Overwrites the digits at `at`. */
export function writeDigits(into: Buffer, at: number, number: number): void {
  let rest = number;
  for (let place = at + KEY_DIGITS - 1; place >= at; place--) {
    into[place] = ZERO + (rest % 10);
    rest = Math.floor(rest / 10);
  }
}
