import {
  createServer,
  type Http2Server,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import type { Socket } from 'node:net';
import type { Clock } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';
import { serviceError } from '../service/errors.ts';
import { GrpcCode } from '../wire/grpc-code.ts';
import { parseGrpcTimeout } from '../wire/grpc-text.ts';
import { type CallObserver, NO_OBSERVER } from './call-observer.ts';
import { answerStatus, type Connection, isGone, stopRequest } from './call-options.ts';
import { awaitFirstRequest } from './first-request.ts';
import { UnaryCall } from './grpc-call.ts';
import type { ApiLimits } from './limits.ts';
import type { RpcMethod, RpcStatus } from './rpc.ts';
import { type ConnectionPeer, PLAIN_PEER } from './rpc-caller.ts';
import { StreamCall } from './stream-call.ts';

/** gRPC over node:http2's stream interface, for sockets that speak HTTP/2 from the first byte. */

const STREAM_WINDOW_BYTES = 1024 * 1024;
const CONNECTION_WINDOW_BYTES = 16 * 1024 * 1024;
/** Per connection, before its requests are refused; Node counts headers and queued frames. */
const SESSION_MEMORY_MB = 64;
/**
 * Clients cancel on every time-out, thousands at once when a member stops answering. Node's
 * defaults (1000, then 33 a second) take that for an attack and end the connection.
 */
const STREAM_RESETS_BURST = 100_000;
const STREAM_RESETS_PER_S = 20_000;
/** Streams beyond the limit before a client that ignores it is cut off. */
const REJECTED_STREAMS_MAX = 10_000;

export interface GrpcServerOptions {
  readonly methods: readonly RpcMethod[];
  readonly limits: ApiLimits;
  readonly log: Log;
  readonly observer?: CallObserver;
  readonly clock: Pick<Clock, 'nowNs'>;
  /** Takes requests that are not gRPC; without it they get an HTTP status. */
  readonly notGrpc?: HttpHandler;
}

/** The stream's 'error' is listened to. */
export type HttpHandler = (
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
  peer: ConnectionPeer,
) => void;

export class GrpcServer {
  private readonly limits: ApiLimits;
  private readonly log: Log;
  private readonly observer: CallObserver;
  private readonly clock: Pick<Clock, 'nowNs'>;
  private readonly notGrpc: HttpHandler;
  private readonly methods: ReadonlyMap<string, RpcMethod>;
  private readonly services: ReadonlySet<string>;
  private readonly server: Http2Server;
  private readonly sessions = new Set<ServerHttp2Session>();
  private readonly streamCalls = new Set<StreamCall>();
  /** Connections that have asked nothing yet. */
  private readonly beginning = new Set<Socket>();
  /** Of the connection that is being taken over. */
  private peer: ConnectionPeer = PLAIN_PEER;

  constructor(options: GrpcServerOptions) {
    this.limits = options.limits;
    this.log = options.log;
    this.observer = options.observer ?? NO_OBSERVER;
    this.clock = options.clock;
    this.notGrpc = options.notGrpc ?? refuseMediaType;
    this.methods = new Map(options.methods.map((method) => [method.path, method]));
    this.services = new Set(options.methods.map((method) => serviceOf(method.path)));
    this.server = createServer({
      settings: {
        maxConcurrentStreams: options.limits.concurrentStreamsMax,
        initialWindowSize: STREAM_WINDOW_BYTES,
      },
      maxSessionMemory: SESSION_MEMORY_MB,
      maxSessionRejectedStreams: REJECTED_STREAMS_MAX,
      streamResetBurst: STREAM_RESETS_BURST,
      streamResetRate: STREAM_RESETS_PER_S,
    });
    this.server.on('session', (session) => this.open(session));
  }

  /** Takes over a connection; bytes already read must be back in its buffer. */
  accept(socket: Socket, peer: ConnectionPeer = PLAIN_PEER): void {
    this.beginning.add(socket);
    socket.once('close', () => this.beginning.delete(socket));
    awaitFirstRequest(socket, this.limits.sniffTimeoutMs, () => {
      this.beginning.delete(socket);
      // The session is opened before `emit` returns.
      this.peer = peer;
      this.server.emit('connection', socket);
      this.peer = PLAIN_PEER;
    });
  }

  /**
   * Streams are ended, so that their clients go elsewhere; requests in flight get the grace time,
   * then their connections are cut.
   */
  async close(): Promise<void> {
    for (const socket of this.beginning) socket.destroy();
    for (const call of this.streamCalls) call.end(serviceError('stopped'));
    const closed = [...this.sessions].map(
      (session) =>
        new Promise<void>((resolve) => {
          session.once('close', resolve);
          session.close();
        }),
    );
    const cut = setTimeout(() => {
      for (const session of this.sessions) session.destroy();
    }, this.limits.closeGraceMs);
    await Promise.all(closed);
    clearTimeout(cut);
  }

  private open(session: ServerHttp2Session): void {
    this.sessions.add(session);
    session.setLocalWindowSize(CONNECTION_WINDOW_BYTES);
    const connection: Connection = { peer: this.peer, unsentBytes: 0 };
    session.on('stream', (stream, headers) => this.request(connection, stream, headers));
    session.on('error', (cause) => {
      // Nothing to do: the connection is lost, and its streams close by themselves.
      this.log.debug('client connection failed', { cause: String(cause) });
    });
    session.on('close', () => this.sessions.delete(session));
  }

  private request(
    connection: Connection,
    stream: ServerHttp2Stream,
    headers: IncomingHttpHeaders,
  ): void {
    stream.on('error', (cause) => {
      // As above: 'close' follows and ends the call.
      this.log.debug('client stream failed', { cause: String(cause) });
    });
    if (!isGrpc(headers)) return this.notGrpc(stream, headers, connection.peer);
    if (headers[':method'] !== 'POST') return answerHttpStatus(stream, 405);
    const path = headers[':path'] ?? '';
    const method = this.methods.get(path);
    if (method === undefined) return answerStatus(stream, this.unknownMethod(path));
    const timeoutHeader = headers['grpc-timeout'];
    const timeout = typeof timeoutHeader === 'string' ? parseGrpcTimeout(timeoutHeader) : undefined;
    if (timeout !== undefined && !timeout.ok) {
      const message = `malformed grpc-timeout: ${timeoutHeader}`;
      return answerStatus(stream, { code: GrpcCode.internal, message });
    }
    if (connection.unsentBytes > this.limits.unsentBytesMax) {
      const message = 'grpc: too many answers wait to be read on this connection';
      return answerStatus(stream, { code: GrpcCode.resourceExhausted, message });
    }
    const timeoutMs = timeout?.value;
    const { limits, observer, clock, log } = this;
    // Written out twice: a spread costs too much in front of every request.
    if (method.type === 'unary') {
      const options = {
        stream,
        headers,
        method,
        timeoutMs,
        connection,
        limits,
        observer,
        clock,
        log,
      };
      new UnaryCall(options).start();
    } else {
      const options = {
        stream,
        headers,
        method,
        timeoutMs,
        connection,
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

function isGrpc(headers: IncomingHttpHeaders): boolean {
  const contentType = headers['content-type'] ?? '';
  if (contentType === CONTENT_TYPE) return true;
  const next = contentType.startsWith(CONTENT_TYPE) ? contentType[CONTENT_TYPE.length] : undefined;
  return next === '+' || next === ';';
}

function refuseMediaType(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void {
  answerHttpStatus(stream, headers[':method'] === 'POST' ? 415 : 405);
}

function answerHttpStatus(stream: ServerHttp2Stream, status: number): void {
  if (isGone(stream)) return;
  stream.respond({ ':status': status }, { endStream: true });
  stopRequest(stream);
}
