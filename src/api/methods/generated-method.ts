import { type DescMessage, fromBinary, type MessageShape, toBinary } from '@bufbuild/protobuf';
import { err, ok, type Result } from '../../lib/result.ts';
import { type Call, OpenCall } from '../../service/call.ts';
import type { Caller } from '../../service/caller.ts';
import type { ServiceError } from '../../service/errors.ts';
import type { AnswerStream, StreamSink, StreamSource } from '../../service/stream.ts';
import { frameMessage } from '../../wire/grpc-frame.ts';
import type { WireError } from '../../wire/proto-reader.ts';
import type { FrameSource, StreamMethod, UnaryContext, UnaryMethod } from '../rpc.ts';
import { cutStatus } from '../rpc-fault.ts';
import { bidiStream, decodeStatus, messageSink, unary } from './method.ts';

/** Methods whose messages are the generated ones, for all that is not hot. */

/** Bytes in the request alias what was received: a service copies what it keeps. */
export function esUnary<In extends DescMessage, Out extends DescMessage>(
  path: string,
  input: In,
  output: Out,
  call: (
    request: MessageShape<In>,
    caller: Caller,
    context: UnaryContext,
  ) => Promise<Result<MessageShape<Out>, ServiceError>>,
): UnaryMethod {
  return unary({
    path,
    decode: (bytes) => decodeGenerated(input, bytes),
    call,
    encode: (response) => frameMessage(toBinary(output, response)),
  });
}

/** The call as a service sees it that keeps its client waiting. */
export function waitingCall(context: UnaryContext): Call {
  const call = new OpenCall(context.caller);
  context.onOver(() => call.end());
  return call;
}

export function esBidiStream<In extends DescMessage, Out extends DescMessage>(
  path: string,
  input: In,
  output: Out,
  open: (caller: Caller, sink: StreamSink<MessageShape<Out>>) => StreamSource<MessageShape<In>>,
): StreamMethod {
  return bidiStream({
    path,
    decode: (bytes) => decodeGenerated(input, bytes),
    open,
    encode: (response) => frameMessage(toBinary(output, response)),
  });
}

/** One request, which opens the call at the service; what comes behind it is dropped. */
export function esServerStream<In extends DescMessage, Out extends DescMessage>(
  path: string,
  input: In,
  output: Out,
  open: (
    request: MessageShape<In>,
    caller: Caller,
    sink: StreamSink<MessageShape<Out>>,
  ) => AnswerStream,
): StreamMethod {
  return {
    type: 'server_stream',
    path,
    open(context, sink): FrameSource {
      let answers: AnswerStream | undefined;
      return {
        receive: (bytes) => {
          if (answers !== undefined) return undefined;
          const request = decodeGenerated(input, bytes);
          if (request.ok) {
            const encode = (response: MessageShape<Out>): Uint8Array =>
              frameMessage(toBinary(output, response));
            answers = open(request.value, context.caller, messageSink(sink, encode));
          } else {
            sink.end(decodeStatus(request.error));
          }
          return undefined;
        },
        halfClosed: () => {
          if (answers === undefined) sink.end(cutStatus(false));
        },
        closed: () => answers?.closed(),
      };
    },
  };
}

function decodeGenerated<In extends DescMessage>(
  input: In,
  bytes: Uint8Array,
): Result<MessageShape<In>, WireError> {
  try {
    return ok(fromBinary(input, bytes, { readUnknownFields: false }));
  } catch (error) {
    // The generated codec reports malformed bytes by throwing.
    return err({ code: 'malformed', message: String(error) });
  }
}
