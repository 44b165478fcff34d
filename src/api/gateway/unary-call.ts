import type { JsonValue } from '@bufbuild/protobuf';
import { err, ok, type Result } from '../../lib/result.ts';
import type { Log } from '../../ports/log.ts';
import { GrpcCode } from '../../wire/grpc-code.ts';
import { GRPC_PREFIX_BYTES } from '../../wire/grpc-frame.ts';
import type { LargeAnswer, RpcStatus, UnaryAnswer, UnaryMethod } from '../rpc.ts';
import type { CallMeter } from './call-meter.ts';
import type { GatewayContext } from './gateway-context.ts';
import type { JsonCodec } from './json-message.ts';
import { textOf } from './read-body.ts';

/** Longer deadlines than this, the longest a timer can take, are as good as none. */
const DEADLINE_MS_MAX = 2_147_483_000;

export interface UnaryCallOptions {
  readonly method: UnaryMethod;
  readonly codec: JsonCodec;
  readonly context: GatewayContext;
  readonly meter: CallMeter;
  /** A request as gRPC would carry it. */
  readonly messageBytesMax: number;
  readonly log: Log;
}

export type JsonAnswer =
  | { readonly type: 'json'; readonly json: JsonValue }
  /** To be released. */
  | { readonly type: 'large'; readonly answer: LargeAnswer };

/** One request with one answer: JSON in, JSON out. Never rejects. */
export async function callUnary(
  body: Uint8Array,
  options: UnaryCallOptions,
): Promise<Result<JsonAnswer, RpcStatus>> {
  const { method, codec, context, meter, log } = options;
  const message = decodeBody(body, options);
  if (!message.ok) return message;
  meter.received(message.value.length);
  try {
    const answer = await withDeadline(method.handle(message.value, context), context.timeoutMs);
    if (!answer.ok) return answer;
    if (!(answer.value instanceof Uint8Array)) {
      meter.sent(answer.value.messageBytes);
      return ok({ type: 'large', answer: answer.value });
    }
    const bytes = answer.value.subarray(GRPC_PREFIX_BYTES);
    meter.sent(bytes.length);
    return ok({ type: 'json', json: codec.encode(bytes) });
  } catch (cause) {
    // A bug in a method costs one request and a line in the log, not the member.
    const stack = cause instanceof Error ? (cause.stack ?? cause.message) : String(cause);
    log.error('request failed by a bug', { path: method.path, stack });
    return err({ code: GrpcCode.internal, message: 'internal error' });
  }
}

/** A request's message, from JSON. */
export function decodeBody(
  body: Uint8Array,
  { codec, messageBytesMax }: Pick<UnaryCallOptions, 'codec' | 'messageBytesMax'>,
): Result<Uint8Array, RpcStatus> {
  const text = textOf(body);
  if (text === undefined) {
    return err({ code: GrpcCode.invalidArgument, message: 'the request is not valid UTF-8' });
  }
  const message = codec.decode(text);
  if (!message.ok) return err({ code: GrpcCode.invalidArgument, message: message.error });
  return message.value.length > messageBytesMax ? err(tooLarge(messageBytesMax)) : message;
}

export function tooLarge(bytesMax: number): RpcStatus {
  const message = `grpc: received message larger than max (${bytesMax})`;
  return { code: GrpcCode.resourceExhausted, message };
}

async function withDeadline(
  work: Promise<Result<UnaryAnswer, RpcStatus>>,
  timeoutMs: number | undefined,
): Promise<Result<UnaryAnswer, RpcStatus>> {
  if (timeoutMs === undefined || timeoutMs > DEADLINE_MS_MAX) return work;
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<Result<never, RpcStatus>>((resolve) => {
    timer = setTimeout(() => {
      work.then(releaseLarge, () => undefined);
      resolve(err({ code: GrpcCode.deadlineExceeded, message: 'context deadline exceeded' }));
    }, timeoutMs);
  });
  try {
    return await Promise.race([work, deadline]);
  } finally {
    clearTimeout(timer);
  }
}

/** Of an answer that comes too late. */
function releaseLarge(answer: Result<UnaryAnswer, RpcStatus>): void {
  if (answer.ok && !(answer.value instanceof Uint8Array)) answer.value.release();
}
