import { assertNever } from '../lib/assert.ts';
import { err, ok, type Result } from '../lib/result.ts';
import type {
  DeleteRangeRequest,
  DeleteRangeResult,
  PutRequest,
  PutResult,
  RangeRequest,
  RangeResult,
  TxnRequest,
  TxnResult,
} from '../mvcc/request.ts';
import { serviceError } from '../service/errors.ts';
import type { Answer, Reply } from '../service/response.ts';
import { decodeMemberListRequest, encodeMemberListResponse } from '../wire/cluster-messages.ts';
import {
  deleteRangeResponseSizeHintBytes,
  readDeleteRangeRequest,
  writeDeleteRangeResponse,
} from '../wire/delete-range-messages.ts';
import { GrpcCode } from '../wire/grpc-code.ts';
import { frameMessage, GRPC_PREFIX_BYTES, sealFrame } from '../wire/grpc-frame.ts';
import { encodeStatusResponse } from '../wire/maintenance-messages.ts';
import {
  decodeMessage,
  type ProtoReader,
  REQUEST_LIMITS,
  type WireError,
} from '../wire/proto-reader.ts';
import { ProtoWriter } from '../wire/proto-writer.ts';
import {
  putResponseSizeHintBytes,
  readPutRequest,
  writePutResponse,
} from '../wire/put-messages.ts';
import {
  rangeResponseSizeHintBytes,
  readRangeRequest,
  writeRangeResponse,
} from '../wire/range-messages.ts';
import {
  readTxnRequest,
  txnResponseSizeHintBytes,
  writeTxnResponse,
} from '../wire/txn-messages.ts';
import type { RpcStatus, UnaryMethod } from './rpc.ts';
import type { Services } from './services.ts';

/** etcd's methods over the services: which bytes mean which call. */
export function etcdMethods(services: Services): UnaryMethod[] {
  const { kv, maintenance, cluster } = services;
  return [
    unary<RangeRequest, RangeResult>({
      path: '/etcdserverpb.KV/Range',
      decode: hotRequest(readRangeRequest),
      call: (request) => kv.range(request),
      encode: hotResponse(rangeResponseSizeHintBytes, writeRangeResponse),
    }),
    unary<PutRequest, PutResult>({
      path: '/etcdserverpb.KV/Put',
      decode: hotRequest(readPutRequest),
      call: (request) => kv.put(request),
      encode: hotResponse(putResponseSizeHintBytes, writePutResponse),
    }),
    unary<DeleteRangeRequest, DeleteRangeResult>({
      path: '/etcdserverpb.KV/DeleteRange',
      decode: hotRequest(readDeleteRangeRequest),
      call: (request) => kv.deleteRange(request),
      encode: hotResponse(deleteRangeResponseSizeHintBytes, writeDeleteRangeResponse),
    }),
    unary<TxnRequest, TxnResult>({
      path: '/etcdserverpb.KV/Txn',
      decode: hotRequest(readTxnRequest),
      call: (request) => kv.txn(request),
      encode: hotResponse(txnResponseSizeHintBytes, writeTxnResponse),
    }),
    unary({
      path: '/etcdserverpb.Maintenance/Status',
      decode: () => ok(undefined),
      call: () => maintenance.status(),
      encode: (answer) => frameMessage(encodeStatusResponse(answer)),
    }),
    unary({
      path: '/etcdserverpb.Cluster/MemberList',
      decode: decodeMemberListRequest,
      call: (request) => cluster.memberList(request),
      encode: (answer) => frameMessage(encodeMemberListResponse(answer)),
    }),
  ];
}

interface UnaryDefinition<Request, Value> {
  readonly path: string;
  readonly decode: (bytes: Uint8Array) => Result<Request, WireError>;
  readonly call: (request: Request) => Reply<Value>;
  /** To a whole frame. */
  readonly encode: (answer: Answer<Value>) => Uint8Array;
}

function unary<Request, Value>(definition: UnaryDefinition<Request, Value>): UnaryMethod {
  const { path, decode, call, encode } = definition;
  return {
    path,
    async handle(bytes: Uint8Array): Promise<Result<Uint8Array, RpcStatus>> {
      const request = decode(bytes);
      if (!request.ok) return err(decodeStatus(request.error));
      const reply = await call(request.value);
      return reply.ok ? ok(encode(reply.value)) : reply;
    },
  };
}

function hotRequest<Request>(
  read: (reader: ProtoReader) => Request,
): (bytes: Uint8Array) => Result<Request, WireError> {
  return (bytes) => decodeMessage(bytes, read, REQUEST_LIMITS);
}

/** Message and frame in one buffer of about the right size. */
function hotResponse<Value>(
  sizeHintBytes: (result: Value) => number,
  write: (writer: ProtoWriter, answer: Answer<Value>) => void,
): (answer: Answer<Value>) => Uint8Array {
  return (answer) => {
    const writer = new ProtoWriter(sizeHintBytes(answer.result), GRPC_PREFIX_BYTES);
    write(writer, answer);
    return sealFrame(writer.finish());
  };
}

/** For a request that cannot be told to a service: etcd's error where it has one. */
function decodeStatus(error: WireError): RpcStatus {
  switch (error.code) {
    case 'malformed':
      return { code: GrpcCode.internal, message: `grpc: malformed request: ${error.message}` };
    case 'tooManyMessages':
      return serviceError('tooManyOps');
    case 'invalidSortOption':
      return serviceError('invalidSortOption');
    case 'emptyOperation':
      return serviceError('keyNotFound');
    case 'invalidCompare':
    case 'unknownVariant':
      return { code: GrpcCode.invalidArgument, message: `etcdserver: ${error.message}` };
    default:
      return assertNever(error.code);
  }
}
