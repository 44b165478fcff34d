import type { MessageInitShape } from '@bufbuild/protobuf';
import type {
  Compare,
  DeleteRangeRequest,
  DeleteRangeResult,
  KeyValue,
  PutRequest,
  PutResult,
  RangeRequest,
  RangeResult,
  RequestOp,
  ResponseOp,
  TxnRequest,
  TxnResult,
} from '../../src/mvcc/request.ts';
import type {
  CompareSchema,
  DeleteRangeRequestSchema,
  DeleteRangeResponseSchema,
  PutRequestSchema,
  PutResponseSchema,
  RangeRequestSchema,
  RangeResponseSchema,
  RequestOpSchema,
  ResponseHeaderSchema,
  ResponseOpSchema,
  TxnRequestSchema,
  TxnResponseSchema,
} from '../../src/wire/gen/etcdserverpb/rpc_pb.ts';
import type { KeyValueSchema } from '../../src/wire/gen/mvccpb/kv_pb.ts';
import type { HeaderMessage } from '../../src/wire/kv-messages.ts';

/** Our plain values as the generated codec wants them: the oracle's half of the comparison. */

export function headerInit(header: HeaderMessage): MessageInitShape<typeof ResponseHeaderSchema> {
  return {
    clusterId: header.clusterId,
    memberId: header.memberId,
    revision: BigInt(header.revision),
    raftTerm: BigInt(header.raftTerm),
  };
}

export function keyValueInit(kv: KeyValue): MessageInitShape<typeof KeyValueSchema> {
  return {
    key: kv.key,
    createRevision: BigInt(kv.createRevision),
    modRevision: BigInt(kv.modRevision),
    version: BigInt(kv.version),
    value: kv.value,
    lease: kv.lease,
  };
}

export function rangeRequestInit(
  request: RangeRequest,
): MessageInitShape<typeof RangeRequestSchema> {
  return {
    key: request.key,
    rangeEnd: request.rangeEnd,
    limit: BigInt(request.limit),
    revision: BigInt(request.revision),
    sortOrder: ({ none: 0, ascend: 1, descend: 2 } as const)[request.sortOrder],
    sortTarget: ({ key: 0, version: 1, create: 2, mod: 3, value: 4 } as const)[request.sortTarget],
    serializable: request.serializable,
    keysOnly: request.keysOnly,
    countOnly: request.countOnly,
    minModRevision: BigInt(request.minModRevision),
    maxModRevision: BigInt(request.maxModRevision),
    minCreateRevision: BigInt(request.minCreateRevision),
    maxCreateRevision: BigInt(request.maxCreateRevision),
  };
}

export function rangeResponseInit(
  header: HeaderMessage,
  result: RangeResult,
): MessageInitShape<typeof RangeResponseSchema> {
  return {
    header: headerInit(header),
    kvs: result.kvs.map(keyValueInit),
    more: result.more,
    count: BigInt(result.count),
  };
}

export function putRequestInit(request: PutRequest): MessageInitShape<typeof PutRequestSchema> {
  return { ...request };
}

export function putResponseInit(
  header: HeaderMessage,
  result: PutResult,
): MessageInitShape<typeof PutResponseSchema> {
  const { prevKv } = result;
  return {
    header: headerInit(header),
    prevKv: prevKv === undefined ? undefined : keyValueInit(prevKv),
  };
}

export function deleteRangeRequestInit(
  request: DeleteRangeRequest,
): MessageInitShape<typeof DeleteRangeRequestSchema> {
  return { ...request };
}

export function deleteRangeResponseInit(
  header: HeaderMessage,
  result: DeleteRangeResult,
): MessageInitShape<typeof DeleteRangeResponseSchema> {
  return {
    header: headerInit(header),
    deleted: BigInt(result.deleted),
    prevKvs: result.prevKvs.map(keyValueInit),
  };
}

export function compareInit(compare: Compare): MessageInitShape<typeof CompareSchema> {
  return {
    result: ({ equal: 0, greater: 1, less: 2, notEqual: 3 } as const)[compare.result],
    target: ({ version: 0, create: 1, mod: 2, value: 3, lease: 4 } as const)[compare.target],
    key: compare.key,
    rangeEnd: compare.rangeEnd,
    targetUnion: targetUnion(compare),
  };
}

function targetUnion(
  compare: Compare,
): NonNullable<MessageInitShape<typeof CompareSchema>['targetUnion']> {
  switch (compare.target) {
    case 'version':
      return { case: 'version', value: BigInt(compare.operand) };
    case 'create':
      return { case: 'createRevision', value: BigInt(compare.operand) };
    case 'mod':
      return { case: 'modRevision', value: BigInt(compare.operand) };
    case 'value':
      return { case: 'value', value: compare.operand };
    case 'lease':
      return { case: 'lease', value: compare.operand };
  }
}

function requestOpInit(op: RequestOp): MessageInitShape<typeof RequestOpSchema> {
  switch (op.type) {
    case 'range':
      return { request: { case: 'requestRange', value: rangeRequestInit(op.request) } };
    case 'put':
      return { request: { case: 'requestPut', value: putRequestInit(op.request) } };
    case 'deleteRange':
      return {
        request: { case: 'requestDeleteRange', value: deleteRangeRequestInit(op.request) },
      };
    case 'txn':
      return { request: { case: 'requestTxn', value: txnRequestInit(op.request) } };
  }
}

export function txnRequestInit(request: TxnRequest): MessageInitShape<typeof TxnRequestSchema> {
  return {
    compare: request.compare.map(compareInit),
    success: request.success.map(requestOpInit),
    failure: request.failure.map(requestOpInit),
  };
}

function responseOpInit(
  header: HeaderMessage,
  op: ResponseOp,
): MessageInitShape<typeof ResponseOpSchema> {
  switch (op.type) {
    case 'range':
      return { response: { case: 'responseRange', value: rangeResponseInit(header, op.result) } };
    case 'put':
      return { response: { case: 'responsePut', value: putResponseInit(header, op.result) } };
    case 'deleteRange':
      return {
        response: {
          case: 'responseDeleteRange',
          value: deleteRangeResponseInit(header, op.result),
        },
      };
    case 'txn':
      return { response: { case: 'responseTxn', value: txnResponseInit(header, op.result) } };
  }
}

export function txnResponseInit(
  header: HeaderMessage,
  result: TxnResult,
): MessageInitShape<typeof TxnResponseSchema> {
  const inner = { clusterId: 0n, memberId: 0n, revision: header.revision, raftTerm: 0 };
  return {
    header: headerInit(header),
    succeeded: result.succeeded,
    responses: result.responses.map((op) => responseOpInit(inner, op)),
  };
}
