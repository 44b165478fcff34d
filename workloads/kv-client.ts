/** The part of an etcd client that workloads use, and how its answers end an operation. */
import type { Json } from '../checkers/history/op.ts';
import type { ClientError } from '../src/client/client-error.ts';
import { EMPTY_BYTES } from '../src/lib/bytes.ts';
import type { Result } from '../src/lib/result.ts';
import { utf8Decode, utf8Encode } from '../src/lib/utf8.ts';
import type {
  PutRequest,
  PutResult,
  RangeRequest,
  RangeResult,
  TxnRequest,
  TxnResult,
} from '../src/mvcc/request.ts';
import type { Completion } from './workload.ts';

export interface CallOptions {
  readonly timeoutMs: number;
}

/** An answer, and the store's revision when it was given. */
export interface KvAnswer<Value> {
  readonly header: { readonly revision: number };
  readonly result: Value;
}

export type Reply<Value> = Promise<Result<KvAnswer<Value>, ClientError>>;

/** One connection to one member; calls never reject and are never retried. */
export interface KvClient {
  range(request: RangeRequest, options: CallOptions): Reply<RangeResult>;
  put(request: PutRequest, options: CallOptions): Reply<PutResult>;
  txn(request: TxnRequest, options: CallOptions): Reply<TxnResult>;
  close(): void;
}

/** Connects to the member at a client URL. Must not touch the store. */
export type Connect = (endpoint: string) => KvClient;

/** A linearizable read of one key, or of all keys that begin with `key`. */
export function rangeRequest(key: string, scope: 'key' | 'prefix'): RangeRequest {
  const bytes = utf8Encode(key);
  return {
    key: bytes,
    rangeEnd: scope === 'prefix' ? prefixEnd(bytes) : EMPTY_BYTES,
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
  };
}

export function putRequest(key: string, value: string): PutRequest {
  return {
    key: utf8Encode(key),
    value: utf8Encode(value),
    lease: 0n,
    prevKv: false,
    ignoreValue: false,
    ignoreLease: false,
  };
}

/** The first key that does not begin with `prefix`, whose last byte must be below 0xff. */
function prefixEnd(prefix: Uint8Array): Uint8Array {
  return prefix.with(prefix.length - 1, prefix[prefix.length - 1]! + 1);
}

/** The values of a range: as numbers, or as they are where they are not what we write. */
export function valuesIn(result: RangeResult): readonly (number | string)[] {
  return result.kvs.map((kv) => {
    const text = utf8Decode(kv.value);
    return String(Number(text)) === text ? Number(text) : text;
  });
}

/** How `value` ended well, with the revision in the answer's header. */
export function completed(value: Json, revision: number): Completion {
  return { type: 'ok', value, revision };
}

/** A read that did not succeed certainly changed nothing, whatever the error. */
export function failedRead(error: ClientError): Completion {
  return { type: 'fail', error: errorText(error) };
}

/** A write is certain not to have happened only if the error says so. */
export function failedWrite(error: ClientError): Completion {
  return { type: error.definite ? 'fail' : 'info', error: errorText(error) };
}

function errorText(error: ClientError): string {
  return `${error.message} (code ${error.code})`;
}
