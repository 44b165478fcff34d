import { err, ok, type Result } from '../lib/result.ts';
import type {
  DeleteRangeResult,
  KeyValue,
  PutResult,
  RangeResult,
  TxnRequest,
  TxnResult,
} from '../mvcc/request.ts';
import {
  decodeMemberListResponse,
  encodeMemberListRequest,
  type MembersMessage,
} from '../wire/cluster-messages.ts';
import { readDeleteRangeResponse, writeDeleteRangeRequest } from '../wire/delete-range-messages.ts';
import { GrpcCode } from '../wire/grpc-code.ts';
import { frameMessage, GRPC_PREFIX_BYTES, sealFrame } from '../wire/grpc-frame.ts';
import type { HeaderMessage } from '../wire/kv-messages.ts';
import { decodeStatusResponse, type StatusMessage } from '../wire/maintenance-messages.ts';
import { decodeMessage, type ProtoReader, type WireError } from '../wire/proto-reader.ts';
import { ProtoWriter } from '../wire/proto-writer.ts';
import { putRequestSizeHintBytes, readPutResponse, writePutRequest } from '../wire/put-messages.ts';
import {
  type AnswerMessage,
  readRangeResponse,
  writeRangeRequest,
} from '../wire/range-messages.ts';
import { readTxnResponse, writeTxnRequest } from '../wire/txn-messages.ts';
import { type ClientError, maybeSent } from './client-error.ts';
import { type ClientTls, Connection } from './connection.ts';
import {
  type DeleteRangeOptions,
  deleteRangeRequest,
  type PutOptions,
  putRequest,
  type RangeOptions,
  rangeRequest,
  type Text,
} from './requests.ts';
import { StreamCall, type StreamCallOptions } from './stream-call.ts';
import { UnaryCall } from './unary-call.ts';

/**
 * A client of one member of an etcd v3 cluster, ours or etcd's own. It never asks twice: what
 * to do about an error is the caller's business, who learns whether it is definite.
 */

export interface EtcdClientOptions {
  /** `http://host:port` or `https://host:port`. */
  readonly endpoint: string;
  /** For `https://`. */
  readonly tls?: ClientTls;
  /** Requests in flight; one more is refused at once, definitely. Default 4096. */
  readonly requestsMax?: number;
  /** From dialling to being connected. Default 1000. */
  readonly dialTimeoutMs?: number;
  /** For requests that do not say. Default 5000. */
  readonly timeoutMs?: number;
}

export interface CallOptions {
  readonly timeoutMs?: number;
  /** Besides gRPC's own headers, e.g. `token`. */
  readonly metadata?: Readonly<Record<string, string>>;
}

export interface StreamOptions {
  /** Besides gRPC's own headers, e.g. `hasleader`. */
  readonly metadata?: Readonly<Record<string, string>>;
  /** To the first sign of the server. Default: as for requests. */
  readonly openTimeoutMs?: number;
}

/** An answer's result, with the header beside it. */
export type Answered<Value> = Value & { readonly header: HeaderMessage };
export type Outcome<Value> = Promise<Result<Answered<Value>, ClientError>>;

const REQUESTS_MAX = 4096;
const DIAL_TIMEOUT_MS = 1000;
const TIMEOUT_MS = 5000;
/** An answer longer than this is refused; a range of everything can be that long. */
const RESPONSE_BYTES_MAX = 512 * 1024 * 1024;
const SIZE_HINT_BYTES = 128;

export class EtcdClient {
  readonly endpoint: string;
  private readonly connection: Connection;
  private readonly requestsMax: number;
  /** For requests that do not say. */
  readonly timeoutMs: number;
  private requests = 0;

  /** Throws on an endpoint that is no URL. */
  constructor(options: EtcdClientOptions) {
    new URL(options.endpoint);
    const { endpoint, tls, dialTimeoutMs = DIAL_TIMEOUT_MS } = options;
    this.endpoint = endpoint;
    this.requestsMax = options.requestsMax ?? REQUESTS_MAX;
    this.timeoutMs = options.timeoutMs ?? TIMEOUT_MS;
    this.connection = new Connection({ endpoint, tls, dialTimeoutMs });
  }

  range(request: RangeOptions, options?: CallOptions): Outcome<RangeResult> {
    const frame = hotFrame(rangeRequest(request), writeRangeRequest, SIZE_HINT_BYTES);
    return this.call('etcdserverpb.KV/Range', frame, hotResponse(readRangeResponse), options);
  }

  /** One key; `kv` is undefined if it is not there. */
  async get(
    key: Text,
    options?: CallOptions,
  ): Promise<Result<{ header: HeaderMessage; kv: KeyValue | undefined }, ClientError>> {
    const answer = await this.range({ key }, options);
    return answer.ok ? ok({ header: answer.value.header, kv: answer.value.kvs[0] }) : answer;
  }

  put(request: PutOptions, options?: CallOptions): Outcome<PutResult> {
    const complete = putRequest(request);
    const frame = hotFrame(complete, writePutRequest, putRequestSizeHintBytes(complete));
    return this.call('etcdserverpb.KV/Put', frame, hotResponse(readPutResponse), options);
  }

  deleteRange(request: DeleteRangeOptions, options?: CallOptions): Outcome<DeleteRangeResult> {
    const frame = hotFrame(deleteRangeRequest(request), writeDeleteRangeRequest, SIZE_HINT_BYTES);
    return this.call(
      'etcdserverpb.KV/DeleteRange',
      frame,
      hotResponse(readDeleteRangeResponse),
      options,
    );
  }

  txn(request: TxnRequest, options?: CallOptions): Outcome<TxnResult> {
    const frame = hotFrame(request, writeTxnRequest, SIZE_HINT_BYTES);
    return this.call('etcdserverpb.KV/Txn', frame, hotResponse(readTxnResponse), options);
  }

  status(options?: CallOptions): Outcome<StatusMessage> {
    const frame = frameMessage(new Uint8Array(0));
    return this.call('etcdserverpb.Maintenance/Status', frame, decodeStatusResponse, options);
  }

  memberList(
    request: { readonly linearizable: boolean },
    options?: CallOptions,
  ): Outcome<MembersMessage> {
    const frame = frameMessage(encodeMemberListRequest(request));
    return this.call('etcdserverpb.Cluster/MemberList', frame, decodeMemberListResponse, options);
  }

  /** Requests in flight end as after a lost connection. */
  close(): void {
    this.connection.close();
  }

  /** A streaming call, opened now; it does not count as a request. */
  stream(
    method: string,
    handlers: Pick<StreamCallOptions, 'onMessage' | 'onEnd'>,
    options: StreamOptions = {},
  ): StreamCall {
    const call = new StreamCall({
      connection: this.connection,
      path: `/${method}`,
      metadata: options.metadata ?? {},
      openTimeoutMs: options.openTimeoutMs ?? this.timeoutMs,
      responseBytesMax: RESPONSE_BYTES_MAX,
      ...handlers,
    });
    call.start();
    return call;
  }

  /** For services with a file of their own; `method` is `package.Service/Method`. */
  call<Value extends object>(
    method: string,
    frame: Uint8Array,
    decode: (bytes: Uint8Array) => Result<AnswerMessage<Value>, WireError>,
    options: CallOptions | undefined,
  ): Outcome<Value> {
    if (this.requests >= this.requestsMax) {
      const message = `more than ${this.requestsMax} requests in flight`;
      return Promise.resolve(err({ code: GrpcCode.resourceExhausted, message, definite: true }));
    }
    this.requests += 1;
    return new Promise((resolve) => {
      const done = (outcome: Result<Uint8Array, ClientError>): void => {
        this.requests -= 1;
        resolve(outcome.ok ? decodeAnswer(outcome.value, decode) : outcome);
      };
      new UnaryCall({
        connection: this.connection,
        path: `/${method}`,
        frame,
        ...(options?.metadata !== undefined && { metadata: options.metadata }),
        timeoutMs: options?.timeoutMs ?? this.timeoutMs,
        responseBytesMax: RESPONSE_BYTES_MAX,
        done,
      }).start();
    });
  }
}

function decodeAnswer<Value extends object>(
  bytes: Uint8Array,
  decode: (bytes: Uint8Array) => Result<AnswerMessage<Value>, WireError>,
): Result<Answered<Value>, ClientError> {
  const answer = decode(bytes);
  if (!answer.ok) return err(maybeSent(`unreadable answer: ${answer.error.message}`));
  return ok({ ...answer.value.result, header: answer.value.header });
}

function hotFrame<Request>(
  request: Request,
  write: (writer: ProtoWriter, request: Request) => void,
  sizeHintBytes: number,
): Uint8Array {
  const writer = new ProtoWriter(sizeHintBytes, GRPC_PREFIX_BYTES);
  write(writer, request);
  return sealFrame(writer.finish());
}

function hotResponse<Value>(
  read: (reader: ProtoReader) => AnswerMessage<Value>,
): (bytes: Uint8Array) => Result<AnswerMessage<Value>, WireError> {
  return (bytes) => decodeMessage(bytes, read);
}
