/** Requests in short form: texts for bytes, etcd's defaults for what a test leaves open. */
import { utf8Encode } from '../../src/lib/utf8.ts';
import type {
  Compare,
  CompareResult,
  DeleteRangeRequest,
  PutRequest,
  RangeRequest,
  RequestOp,
  TxnRequest,
} from '../../src/mvcc/request.ts';

type Options<Request> = Partial<Omit<Request, 'key' | 'rangeEnd' | 'value'>>;

/** The range end that means "no upper bound". */
export const OPEN_END = '\0';

export function rangeRequest(
  key: string,
  rangeEnd = '',
  options: Options<RangeRequest> = {},
): RangeRequest {
  return {
    key: utf8Encode(key),
    rangeEnd: utf8Encode(rangeEnd),
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
  };
}

export function putRequest(key: string, value = '', options: Options<PutRequest> = {}): PutRequest {
  return {
    key: utf8Encode(key),
    value: utf8Encode(value),
    lease: 0n,
    prevKv: false,
    ignoreValue: false,
    ignoreLease: false,
    ...options,
  };
}

export function deleteRequest(key: string, rangeEnd = '', prevKv = false): DeleteRangeRequest {
  return { key: utf8Encode(key), rangeEnd: utf8Encode(rangeEnd), prevKv };
}

export function txnRequest(parts: Partial<TxnRequest>): TxnRequest {
  return { compare: [], success: [], failure: [], ...parts };
}

export function rangeOp(...args: Parameters<typeof rangeRequest>): RequestOp {
  return { type: 'range', request: rangeRequest(...args) };
}

export function putOp(...args: Parameters<typeof putRequest>): RequestOp {
  return { type: 'put', request: putRequest(...args) };
}

export function deleteOp(...args: Parameters<typeof deleteRequest>): RequestOp {
  return { type: 'deleteRange', request: deleteRequest(...args) };
}

export function txnOp(parts: Partial<TxnRequest>): RequestOp {
  return { type: 'txn', request: txnRequest(parts) };
}

/** A guard on one of the numbers of a key, or of every key of a range. */
export function compareNumber(
  target: 'version' | 'create' | 'mod',
  key: string,
  result: CompareResult,
  operand: number,
  rangeEnd = '',
): Compare {
  return { target, operand, key: utf8Encode(key), rangeEnd: utf8Encode(rangeEnd), result };
}

export function compareValue(
  key: string,
  result: CompareResult,
  operand: string,
  rangeEnd = '',
): Compare {
  return {
    target: 'value',
    operand: utf8Encode(operand),
    key: utf8Encode(key),
    rangeEnd: utf8Encode(rangeEnd),
    result,
  };
}

export function compareLease(key: string, result: CompareResult, operand: bigint): Compare {
  return { target: 'lease', operand, key: utf8Encode(key), rangeEnd: utf8Encode(''), result };
}
