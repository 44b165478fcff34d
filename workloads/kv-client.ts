/** The part of an etcd client that workloads use, and how its answers end an operation. */
import type { Json } from '../checkers/history/op.ts';
import type { ClientError } from '../src/client/client-error.ts';
import type { Result } from '../src/lib/result.ts';
import { utf8Decode } from '../src/lib/utf8.ts';
import type {
  DeleteRangeRequest,
  DeleteRangeResult,
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
  deleteRange(request: DeleteRangeRequest, options: CallOptions): Reply<DeleteRangeResult>;
  txn(request: TxnRequest, options: CallOptions): Reply<TxnResult>;
  close(): void;
}

/** Connects to the member at a client URL. Must not touch the store. */
export type Connect = (endpoint: string) => KvClient;

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
