import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { DescMethod, DescService } from '@bufbuild/protobuf';
import type { WebSocket } from 'ws';
import { assert } from '../../lib/assert.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Log } from '../../ports/log.ts';
import { file_etcdserverpb_rpc } from '../../wire/gen/etcdserverpb/rpc_pb.ts';
import { file_v3electionpb_v3election } from '../../wire/gen/v3electionpb/v3election_pb.ts';
import { file_v3lockpb_v3lock } from '../../wire/gen/v3lockpb/v3lock_pb.ts';
import { GrpcCode } from '../../wire/grpc-code.ts';
import { type CallObserver, NO_OBSERVER } from '../call-observer.ts';
import { logBug } from '../call-options.ts';
import type { HttpExchange } from '../http-exchange.ts';
import { sendPieces } from '../large-answer.ts';
import type { ApiLimits } from '../limits.ts';
import type {
  LargeAnswer,
  PieceLimits,
  RpcMethod,
  RpcStatus,
  StreamMethod,
  UnaryMethod,
} from '../rpc.ts';
import { CallMeter } from './call-meter.ts';
import { CallSlots } from './call-slots.ts';
import { contextOf, type GatewayContext } from './gateway-context.ts';
import { errorBody, httpStatusOf } from './gateway-error.ts';
import { JsonCodec } from './json-message.ts';
import { JsonPieces } from './json-pieces.ts';
import { JsonSplitter } from './json-splitter.ts';
import { LineCarrier } from './line-carrier.ts';
import { readBody } from './read-body.ts';
import { GATEWAY_ROUTES, gatewayMethod } from './routes.ts';
import { StreamCall, type StreamCarrier } from './stream-call.ts';
import { callUnary, tooLarge } from './unary-call.ts';
import { WebSocketCarrier, WebSockets, webSocketAuthorization } from './web-socket.ts';

/**
 * gRPC's methods for whoever speaks HTTP and JSON only: POST to a path of {@link GATEWAY_ROUTES}.
 * Streams answer with one JSON object a line, or over a web socket.
 */

const SERVICES: readonly DescService[] = [
  file_etcdserverpb_rpc,
  file_v3lockpb_v3lock,
  file_v3electionpb_v3election,
].flatMap((file) => file.services);

/** JSON is longer than what it says: base64 by a third, names and escapes by the rest. */
const JSON_BYTES_PER_MESSAGE_BYTE = 2;
/** Some milliseconds' work. */
const PIECE_LIMITS: PieceLimits = { itemsMax: 200, bytesMax: 64 * 1024 };

export interface GatewayOptions {
  readonly methods: readonly RpcMethod[];
  readonly limits: ApiLimits;
  readonly clock: Pick<Clock, 'nowNs'>;
  readonly log: Log;
  /** The calls count as if they had come by gRPC. */
  readonly observer?: CallObserver;
}

interface Route {
  readonly path: string;
  /** Not served by this server. */
  readonly method: RpcMethod | undefined;
  readonly codec: JsonCodec;
}

export class Gateway {
  private readonly limits: ApiLimits;
  private readonly log: Log;
  private readonly clock: Pick<Clock, 'nowNs'>;
  private readonly observer: CallObserver;
  private readonly routes = new Map<string, Route>();
  private readonly webSockets: WebSockets;
  private readonly jsonBytesMax: number;
  private readonly slots: CallSlots;

  constructor(options: GatewayOptions) {
    this.limits = options.limits;
    this.log = options.log;
    this.clock = options.clock;
    this.observer = options.observer ?? NO_OBSERVER;
    this.jsonBytesMax = options.limits.receiveBytesMax * JSON_BYTES_PER_MESSAGE_BYTE;
    this.slots = new CallSlots(options.limits.concurrentStreamsMax);
    this.webSockets = new WebSockets(this.jsonBytesMax);
    const methods = new Map(options.methods.map((method) => [method.path, method]));
    const descriptors = descriptorsByPath();
    for (const path of GATEWAY_ROUTES.values()) {
      const descriptor = descriptors.get(path);
      assert(descriptor !== undefined, `no message of ${path} is known`);
      this.routes.set(path, { path, method: methods.get(path), codec: new JsonCodec(descriptor) });
    }
  }

  /** Whether there is such a path. */
  has(path: string): boolean {
    return gatewayMethod(path) !== undefined;
  }

  /** Answers a POST to a path that it has. Never rejects. */
  async handle(path: string, exchange: HttpExchange): Promise<void> {
    const { path: rpcPath, method, codec } = this.route(path);
    const context = contextOf((name) => exchange.header(name));
    if (method === undefined || !context.ok) {
      exchange.dropBody();
      const status = context.ok ? notServed(rpcPath) : badRequest(context.error);
      return respond(exchange, httpStatusOf(status.code), errorBody(status));
    }
    const isIn = await this.admit(exchange);
    if (isIn === 'full') {
      exchange.dropBody();
      return respond(exchange, httpStatusOf(FULL.code), errorBody(FULL));
    }
    if (isIn === 'gone') return context.value.end();
    if (method.type === 'unary') await this.unary(method, codec, context.value, exchange);
    else await this.stream(method, codec, context.value, exchange);
  }

  /** Waits until the call may run. It is over when its answer is, or its client went away. */
  private admit({ output }: HttpExchange): Promise<'in' | 'gone' | 'full'> {
    return new Promise((resolve) => {
      if (output.destroyed) return resolve('gone');
      const run = () => resolve('in');
      if (!this.slots.enter(run)) return resolve('full');
      output.once('close', () => {
        this.slots.leave(run);
        resolve('gone');
      });
    });
  }

  /** A request for a web socket; `false` and nothing done if the path has no stream. */
  upgrade(path: string, request: IncomingMessage, socket: Duplex, head: Buffer): boolean {
    if (!this.has(path)) return false;
    const { method, codec } = this.route(path);
    if (method === undefined || method.type === 'unary') return false;
    const context = contextOf((name) => {
      if (name === 'authorization') return webSocketAuthorization(request);
      const value = request.headers[name];
      return Array.isArray(value) ? value[0] : value;
    });
    if (!context.ok) return false;
    this.webSockets.accept(request, socket, head, (webSocket) => {
      const carrier = new WebSocketCarrier(webSocket);
      serveWebSocket(webSocket, this.open(method, codec, context.value, carrier));
    });
    return true;
  }

  /** Cuts all web sockets. */
  close(): void {
    this.webSockets.close();
  }

  private route(path: string): Route {
    const route = this.routes.get(gatewayMethod(path) ?? '');
    assert(route !== undefined, `the gateway has no path ${path}`);
    return route;
  }

  private async unary(
    method: UnaryMethod,
    codec: JsonCodec,
    context: GatewayContext,
    exchange: HttpExchange,
  ): Promise<void> {
    const bytesMax = this.jsonBytesMax;
    const idleTimeoutMs = this.limits.headerTimeoutMs;
    const { clock, observer } = this;
    const meter = new CallMeter({ observer, clock, method, context });
    exchange.output.on('close', () => {
      meter.handled(GrpcCode.cancelled);
      context.end();
    });
    const body = await readBody(exchange.body, { bytesMax, idleTimeoutMs });
    if (!body.ok && body.error === 'gone') return exchange.abort();
    const { limits, log } = this;
    const messageBytesMax = limits.receiveBytesMax;
    const answer = body.ok
      ? await callUnary(body.value, { method, codec, context, meter, messageBytesMax, log })
      : { ok: false as const, error: tooLarge(bytesMax) };
    if (!body.ok) exchange.dropBody();
    if (exchange.output.destroyed) {
      if (answer.ok && answer.value.type === 'large') answer.value.answer.release();
      return;
    }
    meter.handled(answer.ok ? GrpcCode.ok : answer.error.code);
    if (!answer.ok) respond(exchange, httpStatusOf(answer.error.code), errorBody(answer.error));
    else if (answer.value.type === 'json') {
      respond(exchange, 200, JSON.stringify(answer.value.json));
    } else await this.sendLarge(answer.value.answer, method, codec, exchange);
  }

  private async sendLarge(
    answer: LargeAnswer,
    method: UnaryMethod,
    codec: JsonCodec,
    exchange: HttpExchange,
  ): Promise<void> {
    const { output } = exchange;
    exchange.begin(200, { 'content-type': 'application/json' });
    const json = new JsonPieces();
    try {
      const sent = await sendPieces(output, answer, {
        limits: PIECE_LIMITS,
        stallMs: this.limits.stallMs,
        encode: (piece) => json.add(codec.encode(piece)),
      });
      if (sent === 'whole') output.end(json.end());
      else exchange.abort();
    } catch (cause) {
      logBug(this.log, method.path, cause);
      exchange.abort();
    }
  }

  private open(
    method: StreamMethod,
    codec: JsonCodec,
    context: GatewayContext,
    carrier: StreamCarrier,
  ): StreamCall {
    const { clock, observer } = this;
    const call = new StreamCall({
      method,
      codec,
      context,
      carrier,
      meter: new CallMeter({ observer, clock, method, context }),
      messageBytesMax: this.limits.receiveBytesMax,
      queuedBytesMax: this.limits.unsentBytesMax,
      log: this.log,
    });
    call.open();
    return call;
  }

  private async stream(
    method: StreamMethod,
    codec: JsonCodec,
    context: GatewayContext,
    exchange: HttpExchange,
  ): Promise<void> {
    const carrier = new LineCarrier(exchange);
    const call = this.open(method, codec, context, carrier);
    exchange.output.on('close', () => call.closed());
    const splitter = new JsonSplitter(this.jsonBytesMax);
    let messages = 0;
    try {
      // Left open at its end: over HTTP/2 it is the answer's stream, too.
      for await (const chunk of exchange.body.iterator({ destroyOnReturn: false })) {
        const objects = splitter.push(chunk);
        if (!objects.ok) {
          call.end(
            objects.error === 'tooLarge'
              ? tooLarge(this.jsonBytesMax)
              : badRequest('the request is no JSON object'),
          );
          return;
        }
        for (const object of objects.value) {
          messages += 1;
          await call.receive(object);
        }
        // Not in this turn: what is refused at once shall have its HTTP status.
        if (messages > 0) setImmediate(() => carrier.begin());
      }
    } catch (cause) {
      // The client is gone; 'close' of the output tells the call.
      this.log.debug('client stream failed', { cause: String(cause) });
      return;
    }
    if (splitter.isMidObject()) return call.end(badRequest('the request ends within an object'));
    // As over gRPC, where a request without fields has no bytes.
    if (messages === 0 && method.type === 'server_stream') await call.receive(Buffer.alloc(0));
    call.halfClosed();
    setImmediate(() => carrier.begin());
  }
}

/** Methods by `/package.Service/Method`. */
function descriptorsByPath(): Map<string, DescMethod> {
  return new Map(
    SERVICES.flatMap((service) =>
      service.methods.map((method) => [`/${service.typeName}/${method.name}`, method] as const),
    ),
  );
}

function serveWebSocket(webSocket: WebSocket, call: StreamCall): void {
  let waiting = 0;
  let last = Promise.resolve();
  webSocket.on('message', (data: Buffer) => {
    // One after the other: what has not been read stays in the socket, what has, in this chain.
    webSocket.pause();
    waiting += 1;
    last = last
      .then(() => call.receive(data))
      .then(() => {
        waiting -= 1;
        if (waiting === 0) webSocket.resume();
      });
  });
  webSocket.on('error', () => webSocket.terminate());
  webSocket.on('close', () => call.closed());
}

function respond(exchange: HttpExchange, status: number, json: string): void {
  if (exchange.output.destroyed) return;
  exchange.begin(status, {
    'content-type': 'application/json',
    'content-length': String(Buffer.byteLength(json)),
  });
  exchange.output.end(json);
}

const FULL: RpcStatus = {
  code: GrpcCode.resourceExhausted,
  message: 'too many requests wait for the JSON gateway',
};

function badRequest(message: string): RpcStatus {
  return { code: GrpcCode.invalidArgument, message };
}

function notServed(rpcPath: string): RpcStatus {
  const [, service = '', name = ''] = rpcPath.split('/');
  return {
    code: GrpcCode.unimplemented,
    message: `unknown method ${name} for service ${service}`,
  };
}
