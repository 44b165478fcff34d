import { EMPTY_BYTES } from '../lib/bytes.ts';
import { err, ok, type Result } from '../lib/result.ts';
import type { KeyValue } from '../mvcc/request.ts';
import { allocateBytes } from './byte-arena.ts';
import type { Malformed } from './raft-records.ts';
import { FieldReader, FieldWriter } from './record-fields.ts';

/**
 * mvccpb.KeyValue {key 1, create_revision 2, mod_revision 3, version 4, value 5, lease 6} in
 * field order with zero fields omitted: the exact bytes matter, HashKV is computed over them.
 */

export function encodeKeyValue(keyValue: KeyValue): Uint8Array {
  const sizeBytes = OTHER_FIELDS_BYTES + keyValue.key.length + keyValue.value.length;
  const writer = new FieldWriter(sizeBytes, allocateBytes(sizeBytes));
  writeKeyValue(writer, keyValue);
  return writer.view();
}

/** Appends what {@link encodeKeyValue} gives, without an array of its own. */
export function writeKeyValue(writer: FieldWriter, keyValue: KeyValue): void {
  if (keyValue.key.length > 0) writer.bytes(1, keyValue.key);
  if (keyValue.createRevision !== 0) writer.uint(2, keyValue.createRevision);
  if (keyValue.modRevision !== 0) writer.uint(3, keyValue.modRevision);
  if (keyValue.version !== 0) writer.uint(4, keyValue.version);
  if (keyValue.value.length > 0) writer.bytes(5, keyValue.value);
  if (keyValue.lease !== 0n) writer.uint64(6, keyValue.lease);
}

/** `key` and `value` are views into `bytes`. */
export function decodeKeyValue(bytes: Uint8Array): Result<KeyValue, Malformed> {
  const reader = new FieldReader(bytes);
  let key = EMPTY_BYTES;
  let createRevision = 0;
  let modRevision = 0;
  let version = 0;
  let value = EMPTY_BYTES;
  let lease = 0n;
  while (reader.next()) {
    if (reader.field === 1) key = reader.bytes();
    else if (reader.field === 2) createRevision = reader.uint();
    else if (reader.field === 3) modRevision = reader.uint();
    else if (reader.field === 4) version = reader.uint();
    else if (reader.field === 5) value = reader.bytes();
    else if (reader.field === 6) lease = BigInt.asIntN(64, reader.uint64());
  }
  if (reader.failure !== undefined) {
    return err({ kind: 'malformed', reason: `key-value: ${reader.failure}` });
  }
  return ok({ key, createRevision, modRevision, version, value, lease });
}

/** Tags and varints at their longest: six tags, two lengths, four 64-bit numbers. */
const OTHER_FIELDS_BYTES = 6 + 2 * 5 + 4 * 10;
