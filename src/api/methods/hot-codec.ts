import type { Answer } from '../../service/response.ts';
import { GRPC_PREFIX_BYTES, sealFrame } from '../../wire/grpc-frame.ts';
import { decodeMessage, type ProtoReader, REQUEST_LIMITS } from '../../wire/proto-reader.ts';
import { ProtoWriter } from '../../wire/proto-writer.ts';
import type { Decode, Encode } from './method.ts';

/** For messages whose codecs are written by hand. */

export function hotRequest<Request>(read: (reader: ProtoReader) => Request): Decode<Request> {
  return (bytes) => decodeMessage(bytes, read, REQUEST_LIMITS);
}

/** Message and frame in one buffer of about the right size. */
export function hotResponse<Value>(
  sizeHintBytes: (result: Value) => number,
  write: (writer: ProtoWriter, answer: Answer<Value>) => void,
): Encode<Answer<Value>> {
  return (answer) => {
    const writer = new ProtoWriter(sizeHintBytes(answer.result), GRPC_PREFIX_BYTES);
    write(writer, answer);
    return sealFrame(writer.finish());
  };
}
