import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
} from 'node:http2';
import { createServer, type Socket } from 'node:net';
import type { CallObserver, HandledCall, StartedCall } from '../../src/api/call-observer.ts';
import { GrpcServer, type HttpHandler } from '../../src/api/grpc-server.ts';
import type { KeepAliveSettings } from '../../src/api/keep-alive.ts';
import { type ApiLimits, DEFAULT_API_LIMITS } from '../../src/api/limits.ts';
import type { FrameSink, RpcContext, RpcMethod, StreamMethod } from '../../src/api/rpc.ts';
import { type ConnectionPeer, PLAIN_PEER } from '../../src/api/rpc-caller.ts';
import { utf8Decode, utf8Encode } from '../../src/lib/utf8.ts';
import type { Log } from '../../src/ports/log.ts';
import { frameMessage, MessageAssembler } from '../../src/wire/grpc-frame.ts';
import { SILENT_LOG } from './api-fixture.ts';

/** The gRPC server alone, with methods of the test's own. */

export class SeenCalls implements CallObserver {
  readonly startedCalls: StartedCall[] = [];
  readonly handledCalls: HandledCall[] = [];
  sentBytes = 0;
  receivedBytes = 0;

  started(call: StartedCall): void {
    this.startedCalls.push(call);
  }

  transferred(sentBytes: number, receivedBytes: number): void {
    this.sentBytes += sentBytes;
    this.receivedBytes += receivedBytes;
  }

  handled(call: HandledCall): void {
    this.handledCalls.push(call);
  }
}

export interface GrpcFixture extends AsyncDisposable {
  readonly server: GrpcServer;
  readonly seen: SeenCalls;
  /** Stacks of what was logged as a bug. */
  readonly bugs: string[];
  readonly port: number;
  readonly client: ClientHttp2Session;
}

export async function openGrpc(
  methods: readonly RpcMethod[],
  options: {
    readonly limits?: Partial<ApiLimits>;
    readonly peer?: ConnectionPeer;
    readonly notGrpc?: HttpHandler;
    readonly keepAlive?: KeepAliveSettings;
  } = {},
): Promise<GrpcFixture> {
  const seen = new SeenCalls();
  const bugs: string[] = [];
  const log: Log = { ...SILENT_LOG, error: (_, fields) => bugs.push(String(fields?.stack)) };
  const limits = { ...DEFAULT_API_LIMITS, ...options.limits };
  const server = new GrpcServer({
    methods,
    limits,
    log,
    observer: seen,
    keepAlive: options.keepAlive,
    clock: { nowNs: () => 42 },
    notGrpc: options.notGrpc,
  });
  const sockets = new Set<Socket>();
  const listener = createServer((socket) => {
    sockets.add(socket);
    server.accept(socket, options.peer ?? PLAIN_PEER);
  });
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  const address = listener.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const client = connect(`http://127.0.0.1:${port}`);
  client.on('error', () => undefined);
  return {
    server,
    seen,
    bugs,
    port,
    client,
    [Symbol.asyncDispose]: async () => {
      client.destroy();
      listener.close();
      for (const socket of sockets) socket.destroy();
      await server.close();
    },
  };
}

export const ECHO = '/test.Streams/Echo';

/** A bidirectional method that keeps what happens to it and is played by the test. */
export class PlayedStream implements StreamMethod {
  readonly type = 'bidi_stream';
  readonly path: string = ECHO;
  readonly events: string[] = [];
  readonly sinks: FrameSink[] = [];
  readonly contexts: RpcContext[] = [];
  onOpen: (sink: FrameSink) => void = () => undefined;
  onReceive: (text: string, sink: FrameSink) => Promise<void> | undefined = () => undefined;
  onHalfClosed: (sink: FrameSink) => void = () => undefined;
  onClosed: () => void = () => undefined;

  open(context: RpcContext, sink: FrameSink): ReturnType<StreamMethod['open']> {
    this.sinks.push(sink);
    this.contexts.push(context);
    this.onOpen(sink);
    return {
      receive: (message) => {
        const text = utf8Decode(message);
        this.events.push(text.length > 40 ? `${text.length} characters` : text);
        return this.onReceive(text, sink);
      },
      halfClosed: () => {
        this.events.push('halfClosed');
        this.onHalfClosed(sink);
      },
      closed: () => {
        this.events.push('closed');
        this.onClosed();
      },
    };
  }
}

export function frameOf(text: string): Uint8Array {
  return frameMessage(utf8Encode(text));
}

export interface OpenCall {
  readonly stream: ClientHttp2Stream;
  readonly headers: Promise<IncomingHttpHeaders>;
  readonly messages: string[];
  /** Of trailers, or of the headers of an answer without messages. */
  status(): Promise<{ code: number; message: string }>;
  readonly closed: Promise<void>;
}

/** Reads answers at once unless `isReading` is false. */
export function openCall(
  client: ClientHttp2Session,
  path: string,
  options: { readonly headers?: OutgoingHttpHeaders; readonly isReading?: boolean } = {},
): OpenCall {
  const stream = client.request({
    ':method': 'POST',
    ':path': path,
    'content-type': 'application/grpc',
    te: 'trailers',
    ...options.headers,
  });
  const headers = new Promise<IncomingHttpHeaders>((resolve) => stream.on('response', resolve));
  const trailers = new Promise<IncomingHttpHeaders>((resolve) => stream.on('trailers', resolve));
  const closed = new Promise<void>((resolve) => stream.on('close', resolve));
  stream.on('error', () => undefined);
  const messages: string[] = [];
  const assembler = new MessageAssembler(1 << 30);
  const read = (): void => {
    stream.on('data', (chunk: Buffer) => {
      assembler.push(Uint8Array.from(chunk));
      for (let next = assembler.next(); next.ok && next.value; next = assembler.next()) {
        messages.push(utf8Decode(next.value));
      }
    });
  };
  if (options.isReading ?? true) read();
  const status = async (): Promise<{ code: number; message: string }> => {
    const first = await headers;
    const from = 'grpc-status' in first ? first : await trailers;
    const message = decodeURIComponent(String(from['grpc-message'] ?? ''));
    return { code: Number(from['grpc-status']), message };
  };
  return { stream, headers, messages, status, closed };
}

/** Until `condition` holds; the test's own time limit ends a wait in vain. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 2));
}
