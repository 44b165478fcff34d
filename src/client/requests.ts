import { EMPTY_BYTES } from '../lib/bytes.ts';
import { utf8Encode } from '../lib/utf8.ts';
import type { DeleteRangeRequest, PutRequest, RangeRequest } from '../mvcc/request.ts';

/** Requests with everything left out that has a default. Text is taken as UTF-8. */

export type Text = string | Uint8Array;

export type RangeOptions = Omit<Partial<RangeRequest>, 'key' | 'rangeEnd'> & {
  readonly key: Text;
  readonly rangeEnd?: Text;
};

export type PutOptions = Omit<Partial<PutRequest>, 'key' | 'value'> & {
  readonly key: Text;
  readonly value?: Text;
};

export type DeleteRangeOptions = Omit<Partial<DeleteRangeRequest>, 'key' | 'rangeEnd'> & {
  readonly key: Text;
  readonly rangeEnd?: Text;
};

export function rangeRequest(options: RangeOptions): RangeRequest {
  return {
    limit: 0,
    revision: 0,
    sortOrder: 'none',
    sortTarget: 'key',
    serializable: false,
    keysOnly: false,
    countOnly: false,
    minModRevision: 0,
    maxModRevision: 0,
    minCreateRevision: 0,
    maxCreateRevision: 0,
    ...options,
    key: bytesOf(options.key),
    rangeEnd: bytesOf(options.rangeEnd),
  };
}

export function putRequest(options: PutOptions): PutRequest {
  return {
    lease: 0n,
    prevKv: false,
    ignoreValue: false,
    ignoreLease: false,
    ...options,
    key: bytesOf(options.key),
    value: bytesOf(options.value),
  };
}

export function deleteRangeRequest(options: DeleteRangeOptions): DeleteRangeRequest {
  return {
    prevKv: false,
    ...options,
    key: bytesOf(options.key),
    rangeEnd: bytesOf(options.rangeEnd),
  };
}

/** The `rangeEnd` that makes a range of all keys beginning with `prefix`. */
export function prefixEnd(prefix: Text): Uint8Array {
  const end = bytesOf(prefix).slice();
  for (let i = end.length - 1; i >= 0; i--) {
    if (end[i]! < 0xff) {
      end[i]! += 1;
      return end.subarray(0, i + 1);
    }
  }
  // No key sorts behind the prefix that does not begin with it: up to the end.
  return Uint8Array.of(0);
}

export function bytesOf(text: Text | undefined): Uint8Array {
  if (text === undefined) return EMPTY_BYTES;
  return typeof text === 'string' ? utf8Encode(text) : text;
}
