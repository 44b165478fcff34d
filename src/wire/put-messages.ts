import { EMPTY_BYTES } from '../lib/bytes.ts';
import type { KeyValue, PutRequest, PutResult } from '../mvcc/request.ts';
import {
  EMPTY_HEADER,
  HEADER_BYTES_MAX,
  keyValueSizeHintBytes,
  readHeader,
  readKeyValue,
  writeHeader,
  writeKeyValue,
} from './kv-messages.ts';
import type { ProtoReader } from './proto-reader.ts';
import type { ProtoWriter } from './proto-writer.ts';
import type { AnswerMessage } from './range-messages.ts';

/** etcdserverpb.PutRequest and PutResponse. */

export function putRequestSizeHintBytes(request: PutRequest): number {
  return request.key.length + request.value.length + 32;
}

export function writePutRequest(writer: ProtoWriter, request: PutRequest): void {
  writer.bytes(1, request.key);
  writer.bytes(2, request.value);
  writer.bits64(3, request.lease);
  writer.bool(4, request.prevKv);
  writer.bool(5, request.ignoreValue);
  writer.bool(6, request.ignoreLease);
}

export function readPutRequest(reader: ProtoReader): PutRequest {
  let key = EMPTY_BYTES;
  let value = EMPTY_BYTES;
  let lease = 0n;
  let prevKv = false;
  let ignoreValue = false;
  let ignoreLease = false;
  for (let field = reader.nextField(); field !== 0; field = reader.nextField()) {
    if (field === 1) key = reader.bytes();
    else if (field === 2) value = reader.bytes();
    else if (field === 3) lease = reader.int64Bits();
    else if (field === 4) prevKv = reader.bool();
    else if (field === 5) ignoreValue = reader.bool();
    else if (field === 6) ignoreLease = reader.bool();
    else reader.skip();
  }
  return { key, value, lease, prevKv, ignoreValue, ignoreLease };
}

export function putResponseSizeHintBytes(result: PutResult): number {
  const previous = result.prevKv === undefined ? 0 : keyValueSizeHintBytes(result.prevKv);
  return HEADER_BYTES_MAX + previous;
}

export function writePutResponse(writer: ProtoWriter, answer: AnswerMessage<PutResult>): void {
  writer.message(1, answer.header, writeHeader);
  if (answer.result.prevKv !== undefined) writer.message(2, answer.result.prevKv, writeKeyValue);
}

export function readPutResponse(reader: ProtoReader): AnswerMessage<PutResult> {
  let header = EMPTY_HEADER;
  let prevKv: KeyValue | undefined;
  for (let field = reader.nextField(); field !== 0; field = reader.nextField()) {
    if (field === 1) header = reader.message(readHeader);
    else if (field === 2) prevKv = reader.message(readKeyValue);
    else reader.skip();
  }
  return { header, result: { prevKv } };
}
