import type { Socket } from 'node:net';
import { Http2Connection, type Http2Limits } from '../http2/connection.ts';
import { encodeHeaders } from '../http2/hpack-encoder.ts';
import type { RequestHead } from '../http2/request-head.ts';
import type { Http2Stream } from '../http2/stream.ts';
import type { Clock } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';
import { serviceError } from '../service/errors.ts';
import { GrpcCode } from '../wire/grpc-code.ts';
import { parseGrpcTimeout } from '../wire/grpc-text.ts';
import { type CallObserver, NO_OBSERVER } from './call-observer.ts';
import {
  type AnswerBlocks,
  answerStatus,
  type Connection,
  encodeAnswerBlocks,
  logBug,
} from './call-options.ts';
import { UnaryCall } from './grpc-call.ts';
import { Http2Socket } from './http2-socket.ts';
import { DEFAULT_KEEP_ALIVE, type KeepAliveSettings, keepAlive } from './keep-alive.ts';
import type { ApiLimits } from './limits.ts';
import type { RpcMethod, RpcStatus } from './rpc.ts';
import { type ConnectionPeer, PLAIN_PEER } from './rpc-caller.ts';
import { StreamCall } from './stream-call.ts';

/** gRPC over HTTP/2, for sockets that speak it from the first byte. */

const STREAM_WINDOW_BYTES = 1024 * 1024;
const CONNECTION_WINDOW_BYTES = 16 * 1024 * 1024;
/**
 * Clients cancel on every time-out, thousands at once when a member stops answering: no attack
 * yet.
 */
const RESETS = { burst: 100_000, perS: 20_000 };
/** Streams beyond the limit before a client that ignores it is cut off. */
const REFUSED_STREAMS_MAX = 10_000;
/** As gRPC's Go server: what a request's metadata may take. */
const HEADER_LIST_BYTES_MAX = 64 * 1024;

export interface GrpcServerOptions {
  readonly methods: readonly RpcMethod[];
  readonly limits: ApiLimits;
  readonly log: Log;
  readonly observer?: CallObserver;
  /** Default: etcd's. */
  readonly keepAlive?: KeepAliveSettings;
  readonly clock: Pick<Clock, 'nowNs'>;
  /** Takes requests that are not gRPC; without it they get an HTTP status. */
  readonly notGrpc?: HttpHandler;
}

export type HttpHandler = (stream: Http2Stream, peer: ConnectionPeer) => void;

export class GrpcServer {
  private readonly limits: ApiLimits;
  private readonly log: Log;
  private readonly observer: CallObserver;
  private readonly clock: Pick<Clock, 'nowNs'>;
  private readonly keepAlive: KeepAliveSettings;
  private readonly notGrpc: HttpHandler;
  private readonly methods: ReadonlyMap<string, RpcMethod>;
  private readonly services: ReadonlySet<string>;
  private readonly blocks: AnswerBlocks;
  private readonly http2Limits: Http2Limits;
  private readonly connections = new Map<Socket, Http2Connection>();
  private readonly streamCalls = new Set<StreamCall>();

  constructor(options: GrpcServerOptions) {
    this.limits = options.limits;
    this.log = options.log;
    this.observer = options.observer ?? NO_OBSERVER;
    this.clock = options.clock;
    this.keepAlive = options.keepAlive ?? DEFAULT_KEEP_ALIVE;
    this.notGrpc = options.notGrpc ?? refuseMediaType;
    this.methods = new Map(options.methods.map((method) => [method.path, method]));
    this.services = new Set(options.methods.map((method) => serviceOf(method.path)));
    this.blocks = encodeAnswerBlocks();
    this.http2Limits = {
      concurrentStreamsMax: options.limits.concurrentStreamsMax,
      streamWindowBytes: STREAM_WINDOW_BYTES,
      connectionWindowBytes: CONNECTION_WINDOW_BYTES,
      headerListBytesMax: HEADER_LIST_BYTES_MAX,
      resets: RESETS,
      refusedMax: REFUSED_STREAMS_MAX,
    };
  }

  /** Takes over a connection; bytes already read must be back in its buffer. */
  accept(socket: Socket, peer: ConnectionPeer = PLAIN_PEER): void {
    const { clock, log } = this;
    const http2 = new Http2Connection({
      transport: new Http2Socket(socket),
      limits: this.http2Limits,
      clock,
      defer: (callback) => process.nextTick(callback),
      onRequest: (stream) => this.request(connection, stream),
      onPing: () => pinged(),
      onBug: (cause) => logBug(log, 'http2', cause),
      onClose: (fault) => {
        if (fault !== undefined) log.debug('closed a client connection', { fault });
      },
    });
    const connection: Connection = {
      peer,
      get unsentBytes(): number {
        return http2.unsentBytes;
      },
      get isAnswering(): boolean {
        return http2.isAnswering;
      },
      get openStreams(): number {
        return http2.openStreams;
      },
      unfinishedBytes: 0,
      wasUsed: false,
    };
    const pinged = keepAlive(
      http2,
      { socket, connection },
      { settings: this.keepAlive, clock, log },
    );
    this.connections.set(socket, http2);
    // Plain bytes rather than Buffers, whose subarrays cost more.
    socket.on('data', (chunk: Buffer) => {
      http2.receive(new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength));
    });
    socket.on('drain', () => http2.drained());
    socket.on('error', (cause) => log.debug('client connection failed', { cause: String(cause) }));
    // As gRPC's Go server: who shuts its half wants no answers any more.
    socket.on('end', () => socket.destroy());
    const sniff = setTimeout(() => {
      if (!http2.isOpen) socket.destroy();
    }, this.limits.sniffTimeoutMs);
    socket.on('close', () => {
      clearTimeout(sniff);
      this.connections.delete(socket);
      http2.lost();
    });
  }

  /**
   * Streams are ended, so that their clients go elsewhere; requests in flight get the grace time,
   * then their connections are cut.
   */
  async close(): Promise<void> {
    for (const call of this.streamCalls) call.end(serviceError('stopped'));
    const closed = [...this.connections].map(
      ([socket, http2]) =>
        new Promise<void>((resolve) => {
          socket.once('close', resolve);
          http2.close();
        }),
    );
    const cut = setTimeout(() => {
      for (const socket of this.connections.keys()) socket.destroy();
    }, this.limits.closeGraceMs);
    await Promise.all(closed);
    clearTimeout(cut);
  }

  private request(connection: Connection, stream: Http2Stream): void {
    const { head } = stream;
    if (!isGrpc(head)) return this.notGrpc(stream, connection.peer);
    if (head.method !== 'POST') return answerHttpStatus(stream, 405);
    const { path } = head;
    const method = this.methods.get(path);
    if (method === undefined) return answerStatus(stream, this.unknownMethod(path));
    const timeoutHeader = head.header('grpc-timeout');
    const timeout = timeoutHeader === undefined ? undefined : parseGrpcTimeout(timeoutHeader);
    if (timeout !== undefined && !timeout.ok) {
      const message = `malformed grpc-timeout: ${timeoutHeader}`;
      return answerStatus(stream, { code: GrpcCode.internal, message });
    }
    if (connection.unsentBytes > this.limits.unsentBytesMax) {
      const message = 'grpc: too many answers wait to be read on this connection';
      return answerStatus(stream, { code: GrpcCode.resourceExhausted, message });
    }
    const timeoutMs = timeout?.value;
    const { blocks, limits, observer, clock, log } = this;
    connection.wasUsed = true;
    // Written out twice: a spread costs too much in front of every request.
    if (method.type === 'unary') {
      const options = {
        stream,
        method,
        timeoutMs,
        connection,
        blocks,
        limits,
        observer,
        clock,
        log,
      };
      new UnaryCall(options).start();
    } else {
      const options = {
        stream,
        method,
        timeoutMs,
        connection,
        blocks,
        limits,
        observer,
        clock,
        log,
      };
      const call = new StreamCall(options);
      this.streamCalls.add(call);
      call.start(() => this.streamCalls.delete(call));
    }
  }

  /** In the words of the servers that etcd's clients know. */
  private unknownMethod(path: string): RpcStatus {
    const service = serviceOf(path);
    const name = path.slice(path.lastIndexOf('/') + 1);
    const message = this.services.has(service)
      ? `unknown method ${name} for service ${service}`
      : `unknown service ${service}`;
    return { code: GrpcCode.unimplemented, message };
  }
}

/** `package.Service` of `/package.Service/Method`. */
function serviceOf(path: string): string {
  return path.slice(1, Math.max(path.lastIndexOf('/'), 1));
}

const CONTENT_TYPE = 'application/grpc';

function isGrpc(head: RequestHead): boolean {
  const contentType = head.header('content-type') ?? '';
  if (contentType === CONTENT_TYPE) return true;
  const next = contentType.startsWith(CONTENT_TYPE) ? contentType[CONTENT_TYPE.length] : undefined;
  return next === '+' || next === ';';
}

function refuseMediaType(stream: Http2Stream): void {
  answerHttpStatus(stream, stream.head.method === 'POST' ? 415 : 405);
}

function answerHttpStatus(stream: Http2Stream, status: number): void {
  stream.respondOnly(encodeHeaders([[':status', String(status)]]));
  stream.stopRequest();
}
