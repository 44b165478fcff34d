import { EMPTY_BYTES } from '../lib/bytes.ts';
import type { KeyValue, RangeRequest, RangeResult } from '../mvcc/request.ts';
import {
  bytesFieldSizeBytes,
  EMPTY_HEADER,
  HEADER_BYTES_MAX,
  type HeaderMessage,
  keyValueSizeBytes,
  keyValueSizeHintBytes,
  readHeader,
  readKeyValue,
  writeHeader,
  writeKeyValue,
} from './kv-messages.ts';
import type { ProtoReader } from './proto-reader.ts';
import type { ProtoWriter } from './proto-writer.ts';

/** etcdserverpb.RangeRequest and RangeResponse. */

/** An answer as it travels: the header and what was asked for. */
export interface AnswerMessage<Value> {
  readonly header: HeaderMessage;
  readonly result: Value;
}

/** Positions are the enums' numbers. */
const SORT_ORDERS = ['none', 'ascend', 'descend'] as const;
const SORT_TARGETS = ['key', 'version', 'create', 'mod', 'value'] as const;

export function writeRangeRequest(writer: ProtoWriter, request: RangeRequest): void {
  writer.bytes(1, request.key);
  writer.bytes(2, request.rangeEnd);
  writer.int64(3, request.limit);
  writer.int64(4, request.revision);
  writer.int64(5, SORT_ORDERS.indexOf(request.sortOrder));
  writer.int64(6, SORT_TARGETS.indexOf(request.sortTarget));
  writer.bool(7, request.serializable);
  writer.bool(8, request.keysOnly);
  writer.bool(9, request.countOnly);
  writer.int64(10, request.minModRevision);
  writer.int64(11, request.maxModRevision);
  writer.int64(12, request.minCreateRevision);
  writer.int64(13, request.maxCreateRevision);
}

/** Fails with `invalidSortOption` on enum numbers that do not exist. */
export function readRangeRequest(reader: ProtoReader): RangeRequest {
  let key = EMPTY_BYTES;
  let rangeEnd = EMPTY_BYTES;
  let limit = 0;
  let revision = 0;
  let sortOrderNumber = 0;
  let sortTargetNumber = 0;
  let serializable = false;
  let keysOnly = false;
  let countOnly = false;
  let minModRevision = 0;
  let maxModRevision = 0;
  let minCreateRevision = 0;
  let maxCreateRevision = 0;
  for (let field = reader.nextField(); field !== 0; field = reader.nextField()) {
    if (field === 1) key = reader.bytes();
    else if (field === 2) rangeEnd = reader.bytes();
    else if (field === 3) limit = reader.int64();
    else if (field === 4) revision = reader.int64();
    else if (field === 5) sortOrderNumber = reader.enumNumber();
    else if (field === 6) sortTargetNumber = reader.enumNumber();
    else if (field === 7) serializable = reader.bool();
    else if (field === 8) keysOnly = reader.bool();
    else if (field === 9) countOnly = reader.bool();
    else if (field === 10) minModRevision = reader.int64();
    else if (field === 11) maxModRevision = reader.int64();
    else if (field === 12) minCreateRevision = reader.int64();
    else if (field === 13) maxCreateRevision = reader.int64();
    else reader.skip();
  }
  const sortOrder = SORT_ORDERS[sortOrderNumber];
  const sortTarget = SORT_TARGETS[sortTargetNumber];
  // An empty key is the graver mistake, and found later: it keeps its own error.
  if ((sortOrder === undefined || sortTarget === undefined) && key.length > 0) {
    reader.fail('invalidSortOption', `sort order ${sortOrderNumber}, target ${sortTargetNumber}`);
  }
  return {
    key,
    rangeEnd,
    limit,
    revision,
    sortOrder: sortOrder ?? 'none',
    sortTarget: sortTarget ?? 'key',
    serializable,
    keysOnly,
    countOnly,
    minModRevision,
    maxModRevision,
    minCreateRevision,
    maxCreateRevision,
  };
}

export function rangeResponseSizeHintBytes(result: RangeResult): number {
  let sizeBytes = HEADER_BYTES_MAX + 16;
  for (const kv of result.kvs) sizeBytes += keyValueSizeHintBytes(kv);
  return sizeBytes;
}

export function writeRangeResponse(writer: ProtoWriter, answer: AnswerMessage<RangeResult>): void {
  writeRangeResponseStart(writer, answer);
  for (const kv of answer.result.kvs) writer.message(2, kv, writeKeyValue);
  writeRangeResponseEnd(writer, answer);
}

/** Exactly what one key takes in the answer, tag and length included. */
export function rangeKeyValueSizeBytes(kv: KeyValue): number {
  return bytesFieldSizeBytes(keyValueSizeBytes(kv));
}

/** What comes before the keys, for who writes those bit by bit. */
export function writeRangeResponseStart(
  writer: ProtoWriter,
  answer: Pick<AnswerMessage<unknown>, 'header'>,
): void {
  writer.message(1, answer.header, writeHeader);
}

/** What comes behind them. */
export function writeRangeResponseEnd(
  writer: ProtoWriter,
  answer: AnswerMessage<Omit<RangeResult, 'kvs'>>,
): void {
  writer.bool(3, answer.result.more);
  writer.int64(4, answer.result.count);
}

export function readRangeResponse(reader: ProtoReader): AnswerMessage<RangeResult> {
  let header = EMPTY_HEADER;
  const kvs: KeyValue[] = [];
  let more = false;
  let count = 0;
  for (let field = reader.nextField(); field !== 0; field = reader.nextField()) {
    if (field === 1) header = reader.message(readHeader);
    else if (field === 2) kvs.push(reader.message(readKeyValue));
    else if (field === 3) more = reader.bool();
    else if (field === 4) count = reader.int64();
    else reader.skip();
  }
  return { header, result: { kvs, more, count } };
}
