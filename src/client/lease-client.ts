import {
  create,
  type DescMessage,
  fromBinary,
  type MessageShape,
  toBinary,
} from '@bufbuild/protobuf';
import type { LeaseId } from '../lib/ids.ts';
import { err, ok, type Result } from '../lib/result.ts';
import * as rpc from '../wire/gen/etcdserverpb/rpc_pb.ts';
import { fromGeneratedHeader, safeNumber } from '../wire/generated-fields.ts';
import { frameMessage } from '../wire/grpc-frame.ts';
import type { HeaderMessage } from '../wire/kv-messages.ts';
import type { WireError } from '../wire/proto-reader.ts';
import type { AnswerMessage } from '../wire/range-messages.ts';
import { type ClientError, maybeSent, timedOut } from './client-error.ts';
import type { CallOptions, EtcdClient, Outcome, StreamOptions } from './etcd-client.ts';
import type { StreamCall } from './stream-call.ts';

/** etcd's Lease service. */

export interface GrantedLease {
  readonly id: LeaseId;
  /** Maybe more than was asked for. */
  readonly ttlS: number;
}

export interface LeaseTimeToLive {
  readonly id: LeaseId;
  /** Seconds left; −1: there is no such lease. */
  readonly ttlS: number;
  readonly grantedTtlS: number;
  /** If they were asked for. */
  readonly keys: readonly Uint8Array[];
}

/** `id` 0: the server chooses. */
export function leaseGrant(
  client: EtcdClient,
  request: { readonly ttlS: number; readonly id?: LeaseId },
  options?: CallOptions,
): Outcome<GrantedLease> {
  const message = create(rpc.LeaseGrantRequestSchema, {
    TTL: BigInt(request.ttlS),
    ID: request.id ?? 0n,
  });
  const frame = frameMessage(toBinary(rpc.LeaseGrantRequestSchema, message));
  const decode = answerOf(rpc.LeaseGrantResponseSchema, ({ ID, TTL }) => ({
    id: ID,
    ttlS: safeNumber(TTL),
  }));
  return client.call('etcdserverpb.Lease/LeaseGrant', frame, decode, options);
}

/** The lease's keys are deleted, in one revision. */
export function leaseRevoke(
  client: EtcdClient,
  id: LeaseId,
  options?: CallOptions,
): Outcome<object> {
  const message = create(rpc.LeaseRevokeRequestSchema, { ID: id });
  const frame = frameMessage(toBinary(rpc.LeaseRevokeRequestSchema, message));
  const decode = answerOf(rpc.LeaseRevokeResponseSchema, () => ({}));
  return client.call('etcdserverpb.Lease/LeaseRevoke', frame, decode, options);
}

export function leaseTimeToLive(
  client: EtcdClient,
  request: { readonly id: LeaseId; readonly keys?: boolean },
  options?: CallOptions,
): Outcome<LeaseTimeToLive> {
  const message = create(rpc.LeaseTimeToLiveRequestSchema, {
    ID: request.id,
    keys: request.keys ?? false,
  });
  const frame = frameMessage(toBinary(rpc.LeaseTimeToLiveRequestSchema, message));
  const decode = answerOf(rpc.LeaseTimeToLiveResponseSchema, (response) => ({
    id: response.ID,
    ttlS: safeNumber(response.TTL),
    grantedTtlS: safeNumber(response.grantedTTL),
    keys: response.keys,
  }));
  return client.call('etcdserverpb.Lease/LeaseTimeToLive', frame, decode, options);
}

export interface KeepAliveHandlers {
  /** `ttlS` 0: there is no such lease. */
  onKept(header: HeaderMessage, lease: GrantedLease): void;
  /** Called once, unless the caller closes; undefined: the server ended the stream well. */
  onEnd(error: ClientError | undefined): void;
}

/** A stream on which any number of leases are kept alive; answers come in order. */
export class KeepAliveCall {
  private readonly call: StreamCall;
  private readonly handlers: KeepAliveHandlers;

  constructor(client: EtcdClient, handlers: KeepAliveHandlers, options: StreamOptions = {}) {
    this.handlers = handlers;
    this.call = client.stream(
      'etcdserverpb.Lease/LeaseKeepAlive',
      {
        onMessage: (message) => this.receive(message),
        onEnd: (error) => handlers.onEnd(error),
      },
      options,
    );
  }

  /** false: not sent, see {@link StreamCall.send}. */
  keepAlive(id: LeaseId): boolean {
    const message = create(rpc.LeaseKeepAliveRequestSchema, { ID: id });
    return this.call.send(frameMessage(toBinary(rpc.LeaseKeepAliveRequestSchema, message)));
  }

  /** Nothing is called back any more. */
  close(): void {
    this.call.cancel();
  }

  private receive(message: Uint8Array): void {
    const decode = answerOf(rpc.LeaseKeepAliveResponseSchema, ({ ID, TTL }) => ({
      id: ID,
      ttlS: safeNumber(TTL),
    }));
    const answer = decode(message);
    if (answer.ok) this.handlers.onKept(answer.value.header, answer.value.result);
    else {
      this.close();
      this.handlers.onEnd(maybeSent(`unreadable answer: ${answer.error.message}`));
    }
  }
}

/** One keep-alive on a stream of its own; `ttlS` 0: there is no such lease. */
export function keepAliveOnce(
  client: EtcdClient,
  id: LeaseId,
  options: CallOptions = {},
): Outcome<GrantedLease> {
  const timeoutMs = options.timeoutMs ?? client.timeoutMs;
  return new Promise((resolve) => {
    const timer = setTimeout(() => settle(err(timedOut({ sent: true }))), timeoutMs);
    const call = new KeepAliveCall(
      client,
      {
        onKept: (header, lease) => settle(ok({ ...lease, header })),
        onEnd: (error) => settle(err(error ?? maybeSent('the server ended the stream'))),
      },
      { openTimeoutMs: timeoutMs, ...(options.metadata && { metadata: options.metadata }) },
    );
    function settle(outcome: Awaited<Outcome<GrantedLease>>): void {
      clearTimeout(timer);
      call.close();
      resolve(outcome);
    }
    call.keepAlive(id);
  });
}

/** Reads an answer of the generated codec, and what `pick` takes of it. */
export function answerOf<Schema extends DescMessage, Value>(
  schema: Schema,
  pick: (message: MessageShape<Schema>) => Value,
): (bytes: Uint8Array) => Result<AnswerMessage<Value>, WireError> {
  return (bytes) => {
    try {
      const message = fromBinary(schema, bytes);
      const header = 'header' in message ? (message.header as rpc.ResponseHeader) : undefined;
      return ok({ header: fromGeneratedHeader(header), result: pick(message) });
    } catch (error) {
      // The generated codec reports malformed bytes by throwing.
      return err({ code: 'malformed', message: String(error) });
    }
  };
}
