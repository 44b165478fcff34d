import { EMPTY_BYTES } from '../lib/bytes.ts';
import type { ClusterId, MemberId, Revision, Term } from '../lib/ids.ts';
import type { KeyValue } from '../mvcc/request.ts';
import type { ProtoReader } from './proto-reader.ts';
import type { ProtoWriter } from './proto-writer.ts';

/** Two messages that all answers of the KV service are made of: ResponseHeader and KeyValue. */

/** etcdserverpb.ResponseHeader. */
export interface HeaderMessage {
  readonly clusterId: ClusterId;
  readonly memberId: MemberId;
  readonly revision: Revision;
  readonly raftTerm: Term;
}

/** Bytes that a header never exceeds. */
export const HEADER_BYTES_MAX = 46;

/** A header as an absent one is read: all zero. */
export const EMPTY_HEADER: HeaderMessage = {
  clusterId: 0n,
  memberId: 0n,
  revision: 0,
  raftTerm: 0,
};

export function writeHeader(writer: ProtoWriter, header: HeaderMessage): void {
  writer.bits64(1, header.clusterId);
  writer.bits64(2, header.memberId);
  writer.int64(3, header.revision);
  writer.int64(4, header.raftTerm);
}

export function readHeader(reader: ProtoReader): HeaderMessage {
  let { clusterId, memberId, revision, raftTerm } = EMPTY_HEADER;
  for (let field = reader.nextField(); field !== 0; field = reader.nextField()) {
    if (field === 1) clusterId = reader.uint64Bits();
    else if (field === 2) memberId = reader.uint64Bits();
    else if (field === 3) revision = reader.int64();
    else if (field === 4) raftTerm = reader.uint64();
    else reader.skip();
  }
  return { clusterId, memberId, revision, raftTerm };
}

/** mvccpb.KeyValue. */
export function writeKeyValue(writer: ProtoWriter, kv: KeyValue): void {
  writer.bytes(1, kv.key);
  writer.int64(2, kv.createRevision);
  writer.int64(3, kv.modRevision);
  writer.int64(4, kv.version);
  writer.bytes(5, kv.value);
  writer.bits64(6, kv.lease);
}

export function readKeyValue(reader: ProtoReader): KeyValue {
  let key = EMPTY_BYTES;
  let createRevision = 0;
  let modRevision = 0;
  let version = 0;
  let value = EMPTY_BYTES;
  let lease = 0n;
  for (let field = reader.nextField(); field !== 0; field = reader.nextField()) {
    if (field === 1) key = reader.bytes();
    else if (field === 2) createRevision = reader.int64();
    else if (field === 3) modRevision = reader.int64();
    else if (field === 4) version = reader.int64();
    else if (field === 5) value = reader.bytes();
    else if (field === 6) lease = reader.int64Bits();
    else reader.skip();
  }
  return { key, createRevision, modRevision, version, value, lease };
}

/** About what `kv` takes on the wire, tag and length included; for size hints. */
export function keyValueSizeHintBytes(kv: KeyValue): number {
  return kv.key.length + kv.value.length + 48;
}

/** Exactly what {@link writeKeyValue} writes of `kv`. */
export function keyValueSizeBytes(kv: KeyValue): number {
  return (
    bytesFieldSizeBytes(kv.key.length) +
    int64FieldSizeBytes(kv.createRevision) +
    int64FieldSizeBytes(kv.modRevision) +
    int64FieldSizeBytes(kv.version) +
    bytesFieldSizeBytes(kv.value.length) +
    (kv.lease === 0n ? 0 : 1 + bits64SizeBytes(kv.lease))
  );
}

/** With tag and length; 0 if it is left out for being empty. Field numbers up to 15. */
export function bytesFieldSizeBytes(lengthBytes: number): number {
  return lengthBytes === 0 ? 0 : 1 + varintSizeBytes(lengthBytes) + lengthBytes;
}

/** `value` ≥ 0. */
function int64FieldSizeBytes(value: number): number {
  return value === 0 ? 0 : 1 + varintSizeBytes(value);
}

function varintSizeBytes(value: number): number {
  let sizeBytes = 1;
  for (let rest = value; rest > 127; rest = Math.floor(rest / 128)) sizeBytes++;
  return sizeBytes;
}

function bits64SizeBytes(value: bigint): number {
  let sizeBytes = 1;
  for (let rest = BigInt.asUintN(64, value); rest > 127n; rest >>= 7n) sizeBytes++;
  return sizeBytes;
}
