import {
  createServer,
  type IncomingMessage,
  type Server,
  type ServerResponse,
  STATUS_CODES,
} from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';
import type { Http2Stream } from '../http2/stream.ts';
import type { Log } from '../ports/log.ts';
import type { Gateway } from './gateway/gateway.ts';
import { isGatewayPath } from './gateway/routes.ts';
import { Http1Exchange, Http2Exchange, type HttpExchange } from './http-exchange.ts';
import type { ApiLimits } from './limits.ts';
import { type Page, type Route, textPage } from './pages/page.ts';
import { findPage } from './pages/pages.ts';
import { type ConnectionPeer, PLAIN_PEER } from './rpc-caller.ts';

/**
 * HTTP on client ports: pages, and the JSON gateway under `/v3/`. Connections of HTTP/1.1 are
 * taken over whole, plain or TLS; of HTTP/2 those requests that are not gRPC.
 */

export interface HttpServerOptions {
  readonly routes: ReadonlyMap<string, Route>;
  /** `undefined`: --enable-grpc-gateway=false. */
  readonly gateway: Gateway | undefined;
  readonly access?: AccessRules;
  readonly limits: ApiLimits;
  readonly log: Log;
}

export interface AccessRules {
  /** --cors: origins whose scripts may ask; `*` for all. */
  readonly origins: readonly string[];
  /** --host-whitelist: names this server is asked by without TLS; `*` for all. */
  readonly hosts: readonly string[];
  /** Then a certificate's name would be taken for the caller, but the gateway ignores it. */
  isAuthEnabled(): boolean;
}

const OPEN_ACCESS: AccessRules = { origins: ['*'], hosts: ['*'], isAuthEnabled: () => false };
const ANY = '*';

/** Who asks, as far as it decides whether to answer. */
interface Asker {
  readonly secure: boolean;
  readonly host: string | undefined;
  readonly commonName: string | undefined;
}

/** etcd's text. */
const NAME_IGNORED =
  'CommonName of client sending a request against gateway will be ignored and not used as expected';
const NO_BODY = 'connection: close\r\ncontent-length: 0\r\n';

const CORS_HEADERS = {
  'access-control-allow-headers': 'accept, content-type, authorization',
  'access-control-allow-methods': 'POST, GET, OPTIONS, PUT, DELETE',
};

export class HttpServer {
  private readonly options: HttpServerOptions;
  private readonly access: AccessRules;
  private readonly server: Server;
  /** One for every open connection; running while none of its requests is being answered. */
  private readonly headerTimers = new Map<Socket, NodeJS.Timeout>();
  private readonly peers = new WeakMap<Socket, ConnectionPeer>();

  constructor(options: HttpServerOptions) {
    this.options = options;
    this.access = options.access ?? OPEN_ACCESS;
    const { headerBytesMax, keepAliveMs } = options.limits;
    this.server = createServer(
      {
        maxHeaderSize: headerBytesMax,
        keepAliveTimeout: keepAliveMs,
        // Offers of h2c, as of `curl --http2`, are declined by answering in HTTP/1.1.
        shouldUpgradeCallback: ({ headers }) => headers.upgrade?.toLowerCase() === 'websocket',
      },
      (request, response) => this.answer(request, response),
    );
    this.server.on('upgrade', (request, socket, head) => this.upgrade(request, socket, head));
  }

  /** Takes over a connection, plain or TLS; bytes already read must be back in its buffer. */
  accept(socket: Socket, peer: ConnectionPeer = PLAIN_PEER): void {
    // A client may shut its half after the request and still wait for the answer.
    socket.allowHalfOpen = true;
    this.peers.set(socket, peer);
    this.expectHeaders(socket, this.options.limits.headerTimeoutMs);
    socket.on('close', () => {
      clearTimeout(this.headerTimers.get(socket));
      this.headerTimers.delete(socket);
    });
    this.server.emit('connection', socket);
  }

  /** Takes over an HTTP/2 request that is not gRPC. */
  handleHttp2(stream: Http2Stream, peer: ConnectionPeer = PLAIN_PEER): void {
    this.handle(new Http2Exchange(stream, peer));
  }

  async close(): Promise<void> {
    this.options.gateway?.close();
    for (const socket of this.headerTimers.keys()) socket.destroy();
  }

  /** Node's own time-out for headers only works in servers that listen themselves. */
  private expectHeaders(socket: Socket, timeoutMs: number): void {
    clearTimeout(this.headerTimers.get(socket));
    this.headerTimers.set(
      socket,
      setTimeout(() => socket.destroy(), timeoutMs),
    );
  }

  private answer(request: IncomingMessage, response: ServerResponse): void {
    const { socket } = request;
    clearTimeout(this.headerTimers.get(socket));
    response.on('close', () => {
      const { keepAliveMs, headerTimeoutMs } = this.options.limits;
      if (!socket.destroyed) this.expectHeaders(socket, keepAliveMs + headerTimeoutMs);
    });
    const commonName = this.peers.get(socket)?.commonName();
    this.handle(new Http1Exchange(request, response, commonName));
  }

  private handle(exchange: HttpExchange): void {
    this.respond(exchange).catch((cause: unknown) => {
      // A bug in one page costs one request and a line in the log, not the member.
      const { log } = this.options;
      log.error('page failed by a bug', { url: exchange.url, cause: String(cause) });
      if (exchange.begun) exchange.abort();
      else send(exchange, textPage(500, 'Internal Server Error'));
    });
  }

  private async respond(exchange: HttpExchange): Promise<void> {
    const { gateway, routes } = this.options;
    const { method } = exchange;
    const [path, query] = splitUrl(exchange.url);
    const refusal = this.refusal(path, {
      secure: exchange.secure,
      host: exchange.header('host'),
      commonName: exchange.commonName,
    });
    const isGateway = gateway !== undefined && isGatewayPath(path);
    if (refusal === undefined) {
      exchange.preset(this.cors(exchange.header('origin')));
      if (isGateway && method === 'POST' && gateway.has(path)) {
        return gateway.handle(path, exchange);
      }
    }
    exchange.dropBody();
    if (refusal !== undefined) return send(exchange, refusal);
    if (method === 'OPTIONS') return send(exchange, { ...textPage(200, ''), body: '' });
    if (isGateway) return send(exchange, gatewayMissing(gateway, path));
    send(exchange, await findPage(routes, { method, path, query }));
  }

  private refusal(path: string, { secure, host, commonName }: Asker): Page | undefined {
    const { hosts } = this.access;
    const name = hostName(host ?? '');
    if (!secure && !hosts.includes(ANY) && !hosts.includes(name)) {
      return textPage(421, `the host "${name}" is not in --host-whitelist; add it, or use TLS`);
    }
    const asksGateway = this.options.gateway !== undefined && isGatewayPath(path);
    if (!asksGateway || (commonName ?? '') === '' || !this.access.isAuthEnabled()) return undefined;
    return textPage(400, NAME_IGNORED);
  }

  private cors(origin: string | undefined): Record<string, string> {
    const { origins } = this.access;
    const allowed = origins.length === 0 || origins.includes(ANY) ? ANY : origin;
    if (allowed === undefined) return {};
    if (allowed !== ANY && !origins.includes(allowed)) return {};
    return { 'access-control-allow-origin': allowed, ...CORS_HEADERS };
  }

  private upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    clearTimeout(this.headerTimers.get(request.socket));
    socket.on('error', () => socket.destroy());
    const [path] = splitUrl(request.url ?? '/');
    const { host, origin } = request.headers;
    const refusal = this.refusal(path, {
      secure: request.socket instanceof TLSSocket,
      host,
      commonName: this.peers.get(request.socket)?.commonName(),
    });
    const allowed = origin === undefined || 'access-control-allow-origin' in this.cors(origin);
    const { gateway } = this.options;
    if (
      refusal === undefined &&
      allowed &&
      gateway?.upgrade(path, request, socket, head) === true
    ) {
      return;
    }
    const status = refusal?.status ?? (allowed ? 404 : 403);
    // The client's half may stay open, and it may have said more already: neither is waited for.
    this.expectHeaders(request.socket, this.options.limits.headerTimeoutMs);
    socket.resume();
    socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${NO_BODY}\r\n`);
  }
}

function gatewayMissing(gateway: Gateway, path: string): Page {
  if (!gateway.has(path)) return textPage(404, 'Not Found');
  return { ...textPage(405, 'Method Not Allowed'), headers: { allow: 'POST' } };
}

function splitUrl(url: string): [path: string, query: string] {
  const mark = url.indexOf('?');
  return mark === -1 ? [url, ''] : [url.slice(0, mark), url.slice(mark + 1)];
}

/** Of `name`, `name:port` or `[address]:port`. */
function hostName(host: string): string {
  return host.replace(/:\d+$/, '').replace(/^\[|\]$/g, '');
}

function send(exchange: HttpExchange, page: Page): void {
  if (exchange.output.destroyed) return;
  exchange.begin(page.status, {
    'content-type': page.contentType,
    'content-length': String(Buffer.byteLength(page.body)),
    ...page.headers,
  });
  exchange.output.end(exchange.method === 'HEAD' ? undefined : page.body);
}
