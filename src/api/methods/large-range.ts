import type { RangeResult } from '../../mvcc/request.ts';
import type { Answer } from '../../service/response.ts';
import { GRPC_PREFIX_BYTES, sealFrame } from '../../wire/grpc-frame.ts';
import { writeKeyValue } from '../../wire/kv-messages.ts';
import { ProtoWriter } from '../../wire/proto-writer.ts';
import {
  rangeResponseSizeHintBytes,
  writeRangeResponse,
  writeRangeResponseEnd,
  writeRangeResponseStart,
} from '../../wire/range-messages.ts';
import { hotResponse } from './hot-codec.ts';

/** Keys that are encoded before others have their turn: about a millisecond's worth. */
const KEYS_PER_TURN = 1_000;

const encodeAtOnce = hotResponse(rangeResponseSizeHintBytes, writeRangeResponse);

/** An answer with very many keys is encoded piece by piece. */
export function encodeRange(answer: Answer<RangeResult>): Uint8Array | Promise<Uint8Array> {
  return answer.result.kvs.length <= KEYS_PER_TURN ? encodeAtOnce(answer) : encodeInTurns(answer);
}

async function encodeInTurns(answer: Answer<RangeResult>): Promise<Uint8Array> {
  const { kvs } = answer.result;
  const writer = new ProtoWriter(rangeResponseSizeHintBytes(answer.result), GRPC_PREFIX_BYTES);
  writeRangeResponseStart(writer, answer);
  for (let at = 0; at < kvs.length; at += KEYS_PER_TURN) {
    const end = Math.min(at + KEYS_PER_TURN, kvs.length);
    for (let i = at; i < end; i++) writer.message(2, kvs[i]!, writeKeyValue);
    await new Promise<void>((resolve) => {
      setImmediate(resolve);
    });
  }
  writeRangeResponseEnd(writer, answer);
  return sealFrame(writer.finish());
}
