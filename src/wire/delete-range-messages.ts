import { EMPTY_BYTES } from '../lib/bytes.ts';
import type { DeleteRangeRequest, DeleteRangeResult, KeyValue } from '../mvcc/request.ts';
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

/** etcdserverpb.DeleteRangeRequest and DeleteRangeResponse. */

export function writeDeleteRangeRequest(writer: ProtoWriter, request: DeleteRangeRequest): void {
  writer.bytes(1, request.key);
  writer.bytes(2, request.rangeEnd);
  writer.bool(3, request.prevKv);
}

export function readDeleteRangeRequest(reader: ProtoReader): DeleteRangeRequest {
  let key = EMPTY_BYTES;
  let rangeEnd = EMPTY_BYTES;
  let prevKv = false;
  for (let field = reader.nextField(); field !== 0; field = reader.nextField()) {
    if (field === 1) key = reader.bytes();
    else if (field === 2) rangeEnd = reader.bytes();
    else if (field === 3) prevKv = reader.bool();
    else reader.skip();
  }
  return { key, rangeEnd, prevKv };
}

export function deleteRangeResponseSizeHintBytes(result: DeleteRangeResult): number {
  let sizeBytes = HEADER_BYTES_MAX + 16;
  for (const kv of result.prevKvs) sizeBytes += keyValueSizeHintBytes(kv);
  return sizeBytes;
}

export function writeDeleteRangeResponse(
  writer: ProtoWriter,
  answer: AnswerMessage<DeleteRangeResult>,
): void {
  writer.message(1, answer.header, writeHeader);
  writer.int64(2, answer.result.deleted);
  for (const kv of answer.result.prevKvs) writer.message(3, kv, writeKeyValue);
}

export function readDeleteRangeResponse(reader: ProtoReader): AnswerMessage<DeleteRangeResult> {
  let header = EMPTY_HEADER;
  let deleted = 0;
  const prevKvs: KeyValue[] = [];
  for (let field = reader.nextField(); field !== 0; field = reader.nextField()) {
    if (field === 1) header = reader.message(readHeader);
    else if (field === 2) deleted = reader.int64();
    else if (field === 3) prevKvs.push(reader.message(readKeyValue));
    else reader.skip();
  }
  return { header, result: { deleted, prevKvs } };
}
