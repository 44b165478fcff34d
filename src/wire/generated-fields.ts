import { create } from '@bufbuild/protobuf';
import { type ResponseHeader, ResponseHeaderSchema } from './gen/etcdserverpb/rpc_pb.ts';
import { EMPTY_HEADER, type HeaderMessage } from './kv-messages.ts';

/** Between generated messages, whose 64-bit fields are bigints, and this program's values. */

/** The nearest safe integer. */
export function safeNumber(value: bigint): number {
  const number = Number(value);
  return Math.min(Math.max(number, Number.MIN_SAFE_INTEGER), Number.MAX_SAFE_INTEGER);
}

export function toGeneratedHeader(header: HeaderMessage): ResponseHeader {
  return create(ResponseHeaderSchema, {
    clusterId: header.clusterId,
    memberId: header.memberId,
    revision: BigInt(header.revision),
    raftTerm: BigInt(header.raftTerm),
  });
}

export function fromGeneratedHeader(header: ResponseHeader | undefined): HeaderMessage {
  if (header === undefined) return EMPTY_HEADER;
  return {
    clusterId: header.clusterId,
    memberId: header.memberId,
    revision: safeNumber(header.revision),
    raftTerm: safeNumber(header.raftTerm),
  };
}
