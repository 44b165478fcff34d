import type {
  DeleteRangeRequest,
  DeleteRangeResult,
  PutRequest,
  PutResult,
  RangeRequest,
  TxnRequest,
  TxnResult,
} from '../../mvcc/request.ts';
import type { OpenedRange } from '../../service/large-ranges.ts';
import type { Answer } from '../../service/response.ts';
import {
  deleteRangeResponseSizeHintBytes,
  readDeleteRangeRequest,
  writeDeleteRangeResponse,
} from '../../wire/delete-range-messages.ts';
import {
  CompactionRequestSchema,
  CompactionResponseSchema,
} from '../../wire/gen/etcdserverpb/rpc_pb.ts';
import {
  putResponseSizeHintBytes,
  readPutRequest,
  writePutResponse,
} from '../../wire/put-messages.ts';
import { readRangeRequest } from '../../wire/range-messages.ts';
import {
  readTxnRequest,
  txnResponseSizeHintBytes,
  writeTxnResponse,
} from '../../wire/txn-messages.ts';
import type { RpcMethod } from '../rpc.ts';
import type { KvService } from '../services.ts';
import { esUnary } from './generated-method.ts';
import { hotRequest, hotResponse } from './hot-codec.ts';
import { encodeRange } from './large-range.ts';
import { unary } from './method.ts';

/** etcdserverpb.KV. */
export function kvMethods(kv: KvService): RpcMethod[] {
  return [
    unary<RangeRequest, OpenedRange>({
      path: '/etcdserverpb.KV/Range',
      decode: hotRequest(readRangeRequest),
      call: (request, caller) => kv.openRange(request, caller),
      encode: encodeRange,
    }),
    unary<PutRequest, Answer<PutResult>>({
      path: '/etcdserverpb.KV/Put',
      decode: hotRequest(readPutRequest),
      call: (request, caller) => kv.put(request, caller),
      encode: hotResponse(putResponseSizeHintBytes, writePutResponse),
    }),
    unary<DeleteRangeRequest, Answer<DeleteRangeResult>>({
      path: '/etcdserverpb.KV/DeleteRange',
      decode: hotRequest(readDeleteRangeRequest),
      call: (request, caller) => kv.deleteRange(request, caller),
      encode: hotResponse(deleteRangeResponseSizeHintBytes, writeDeleteRangeResponse),
    }),
    unary<TxnRequest, Answer<TxnResult>>({
      path: '/etcdserverpb.KV/Txn',
      decode: hotRequest(readTxnRequest),
      call: (request, caller) => kv.txn(request, caller),
      encode: hotResponse(txnResponseSizeHintBytes, writeTxnResponse),
    }),
    esUnary(
      '/etcdserverpb.KV/Compact',
      CompactionRequestSchema,
      CompactionResponseSchema,
      (request, caller) => kv.compact(request, caller),
    ),
  ];
}
