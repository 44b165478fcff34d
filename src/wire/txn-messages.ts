import { assertNever } from '../lib/assert.ts';
import type { Compare, RequestOp, ResponseOp, TxnRequest, TxnResult } from '../mvcc/request.ts';
import { readCompare, writeCompare } from './compare-messages.ts';
import {
  deleteRangeResponseSizeHintBytes,
  readDeleteRangeRequest,
  readDeleteRangeResponse,
  writeDeleteRangeRequest,
  writeDeleteRangeResponse,
} from './delete-range-messages.ts';
import {
  EMPTY_HEADER,
  HEADER_BYTES_MAX,
  type HeaderMessage,
  readHeader,
  writeHeader,
} from './kv-messages.ts';
import type { ProtoReader } from './proto-reader.ts';
import type { ProtoWriter } from './proto-writer.ts';
import {
  putResponseSizeHintBytes,
  readPutRequest,
  readPutResponse,
  writePutRequest,
  writePutResponse,
} from './put-messages.ts';
import {
  type AnswerMessage,
  rangeResponseSizeHintBytes,
  readRangeRequest,
  readRangeResponse,
  writeRangeRequest,
  writeRangeResponse,
} from './range-messages.ts';

/** etcdserverpb.TxnRequest and TxnResponse; both nest, through RequestOp and ResponseOp. */

export function writeTxnRequest(writer: ProtoWriter, request: TxnRequest): void {
  for (const compare of request.compare) writer.message(1, compare, writeCompare);
  for (const op of request.success) writer.message(2, op, writeRequestOp);
  for (const op of request.failure) writer.message(3, op, writeRequestOp);
}

export function readTxnRequest(reader: ProtoReader): TxnRequest {
  const compare: Compare[] = [];
  const success: RequestOp[] = [];
  const failure: RequestOp[] = [];
  for (let field = reader.nextField(); field !== 0; field = reader.nextField()) {
    if (field === 1) compare.push(reader.message(readCompare));
    else if (field === 2) success.push(reader.message(readRequestOp));
    else if (field === 3) failure.push(reader.message(readRequestOp));
    else reader.skip();
  }
  return { compare, success, failure };
}

function writeRequestOp(writer: ProtoWriter, op: RequestOp): void {
  switch (op.type) {
    case 'range':
      writer.message(1, op.request, writeRangeRequest);
      break;
    case 'put':
      writer.message(2, op.request, writePutRequest);
      break;
    case 'deleteRange':
      writer.message(3, op.request, writeDeleteRangeRequest);
      break;
    case 'txn':
      writer.message(4, op.request, writeTxnRequest);
      break;
    default:
      assertNever(op);
  }
}

const EMPTY_OP: RequestOp = {
  type: 'txn',
  request: { compare: [], success: [], failure: [] },
};

/** Fails with `emptyOperation` if no member of the union is there; the last one counts. */
function readRequestOp(reader: ProtoReader): RequestOp {
  let op: RequestOp | undefined;
  for (let field = reader.nextField(); field !== 0; field = reader.nextField()) {
    if (field === 1) op = { type: 'range', request: reader.message(readRangeRequest) };
    else if (field === 2) op = { type: 'put', request: reader.message(readPutRequest) };
    else if (field === 3) {
      op = { type: 'deleteRange', request: reader.message(readDeleteRangeRequest) };
    } else if (field === 4) op = { type: 'txn', request: reader.message(readTxnRequest) };
    else reader.skip();
  }
  if (op === undefined) reader.fail('emptyOperation', 'an operation without a request');
  return op ?? EMPTY_OP;
}

export function txnResponseSizeHintBytes(result: TxnResult): number {
  let sizeBytes = HEADER_BYTES_MAX + 16;
  for (const response of result.responses) sizeBytes += 16 + responseOpSizeHintBytes(response);
  return sizeBytes;
}

function responseOpSizeHintBytes(response: ResponseOp): number {
  switch (response.type) {
    case 'range':
      return rangeResponseSizeHintBytes(response.result);
    case 'put':
      return putResponseSizeHintBytes(response.result);
    case 'deleteRange':
      return deleteRangeResponseSizeHintBytes(response.result);
    case 'txn':
      return txnResponseSizeHintBytes(response.result);
    default:
      return assertNever(response);
  }
}

export function writeTxnResponse(writer: ProtoWriter, answer: AnswerMessage<TxnResult>): void {
  writer.message(1, answer.header, writeHeader);
  writer.bool(2, answer.result.succeeded);
  if (answer.result.responses.length === 0) return;
  // Inside a transaction etcd fills in nothing of the headers but the revision.
  const header: HeaderMessage = { ...EMPTY_HEADER, revision: answer.header.revision };
  for (const response of answer.result.responses) {
    writer.message(3, { header, response }, writeResponseOp);
  }
}

interface InnerResponse {
  readonly header: HeaderMessage;
  readonly response: ResponseOp;
}

function writeResponseOp(writer: ProtoWriter, { header, response }: InnerResponse): void {
  switch (response.type) {
    case 'range':
      writer.message(1, { header, result: response.result }, writeRangeResponse);
      break;
    case 'put':
      writer.message(2, { header, result: response.result }, writePutResponse);
      break;
    case 'deleteRange':
      writer.message(3, { header, result: response.result }, writeDeleteRangeResponse);
      break;
    case 'txn':
      writer.message(4, { header, result: response.result }, writeTxnResponse);
      break;
    default:
      assertNever(response);
  }
}

export function readTxnResponse(reader: ProtoReader): AnswerMessage<TxnResult> {
  let header = EMPTY_HEADER;
  let succeeded = false;
  const responses: ResponseOp[] = [];
  for (let field = reader.nextField(); field !== 0; field = reader.nextField()) {
    if (field === 1) header = reader.message(readHeader);
    else if (field === 2) succeeded = reader.bool();
    else if (field === 3) responses.push(reader.message(readResponseOp));
    else reader.skip();
  }
  return { header, result: { succeeded, responses } };
}

const EMPTY_RESPONSE: ResponseOp = { type: 'txn', result: { succeeded: false, responses: [] } };

/** The inner headers say nothing that the outer one does not: they are dropped. */
function readResponseOp(reader: ProtoReader): ResponseOp {
  let op: ResponseOp | undefined;
  for (let field = reader.nextField(); field !== 0; field = reader.nextField()) {
    if (field === 1) op = { type: 'range', result: reader.message(readRangeResponse).result };
    else if (field === 2) op = { type: 'put', result: reader.message(readPutResponse).result };
    else if (field === 3) {
      op = { type: 'deleteRange', result: reader.message(readDeleteRangeResponse).result };
    } else if (field === 4) op = { type: 'txn', result: reader.message(readTxnResponse).result };
    else reader.skip();
  }
  if (op === undefined) reader.fail('malformed', 'a response without a result');
  return op ?? EMPTY_RESPONSE;
}
