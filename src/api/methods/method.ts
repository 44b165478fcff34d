import { assertNever } from '../../lib/assert.ts';
import { err, ok, type Result } from '../../lib/result.ts';
import type { Caller } from '../../service/caller.ts';
import { type ServiceError, serviceError } from '../../service/errors.ts';
import type { StreamSink, StreamSource } from '../../service/stream.ts';
import { GrpcCode } from '../../wire/grpc-code.ts';
import type { WireError } from '../../wire/proto-reader.ts';
import type {
  FrameSink,
  FrameSource,
  RpcStatus,
  StreamMethod,
  UnaryAnswer,
  UnaryContext,
  UnaryMethod,
} from '../rpc.ts';

/** Methods of bytes, made from calls of services and codecs of their messages. */

export type Decode<Request> = (bytes: Uint8Array) => Result<Request, WireError>;
/** To a whole frame. */
export type Encode<Response> = (response: Response) => Uint8Array;
/** For answers that may be so long that encoding them at once would hold up everybody. */
export type UnaryEncode<Response> = (response: Response) => UnaryAnswer;

export interface UnaryDefinition<Request, Response> {
  readonly path: string;
  readonly decode: Decode<Request>;
  readonly call: (
    request: Request,
    caller: Caller,
    context: UnaryContext,
  ) => Promise<Result<Response, ServiceError>>;
  readonly encode: UnaryEncode<Response>;
}

export function unary<Request, Response>(
  definition: UnaryDefinition<Request, Response>,
): UnaryMethod {
  const { path, decode, call, encode } = definition;
  return {
    type: 'unary',
    path,
    async handle(bytes, context): Promise<Result<UnaryAnswer, RpcStatus>> {
      const request = decode(bytes);
      if (!request.ok) return err(decodeStatus(request.error));
      const reply = await call(request.value, context.caller, context);
      if (!reply.ok) return reply;
      return ok(encode(reply.value));
    },
  };
}

export interface BidiDefinition<Request, Response> {
  readonly path: string;
  readonly decode: Decode<Request>;
  readonly open: (caller: Caller, sink: StreamSink<Response>) => StreamSource<Request>;
  readonly encode: Encode<Response>;
}

/** A service that answers `receive` with a promise gets the next request only after it. */
export function bidiStream<Request, Response>(
  definition: BidiDefinition<Request, Response>,
): StreamMethod {
  const { path, decode, open, encode } = definition;
  return {
    type: 'bidi_stream',
    path,
    open(context, sink): FrameSource {
      const source = open(context.caller, messageSink(sink, encode));
      return {
        receive: (bytes) => {
          const request = decode(bytes);
          if (!request.ok) {
            sink.end(decodeStatus(request.error));
            return undefined;
          }
          const pending: unknown = source.receive(request.value);
          return pending instanceof Promise ? pending : undefined;
        },
        halfClosed: () => source.halfClosed(),
        closed: () => source.closed(),
      };
    },
  };
}

export function messageSink<Response>(
  sink: FrameSink,
  encode: Encode<Response>,
): StreamSink<Response> {
  return {
    send: (response) => sink.send(encode(response)),
    get writable(): boolean {
      return sink.writable;
    },
    onWritable: (callback) => sink.onWritable(callback),
    end: (error) => sink.end(error),
  };
}

/** For a request that cannot be told to a service: etcd's error where it has one. */
export function decodeStatus(error: WireError): RpcStatus {
  switch (error.code) {
    case 'malformed':
      return { code: GrpcCode.internal, message: `grpc: malformed request: ${error.message}` };
    case 'tooManyMessages':
      return serviceError('tooManyOps');
    case 'invalidSortOption':
      return serviceError('invalidSortOption');
    case 'emptyOperation':
      return serviceError('keyNotFound');
    case 'invalidCompare':
    case 'unknownVariant':
      return { code: GrpcCode.invalidArgument, message: `etcdserver: ${error.message}` };
    default:
      return assertNever(error.code);
  }
}
