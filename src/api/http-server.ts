import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Log } from '../ports/log.ts';
import type { ApiLimits } from './limits.ts';
import type { Services } from './services.ts';

/** HTTP/1.1 for people, scrapers and load balancers: /health, /version and /metrics. */

/** Text for scrapers, made when they ask. */
export interface MetricsText {
  readonly contentType: string;
  text(): Promise<string>;
}

export interface HttpServerOptions {
  readonly services: Pick<Services, 'health' | 'maintenance'>;
  readonly metrics: MetricsText;
  readonly limits: ApiLimits;
  readonly log: Log;
}

interface Page {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

type Route = (query: URLSearchParams) => Promise<Page>;

export class HttpServer {
  private readonly limits: ApiLimits;
  private readonly log: Log;
  private readonly server: Server;
  private readonly routes: ReadonlyMap<string, Route>;
  /** One for every open connection; running while none of its requests is being answered. */
  private readonly headerTimers = new Map<Socket, NodeJS.Timeout>();

  constructor(options: HttpServerOptions) {
    this.limits = options.limits;
    this.log = options.log;
    const { services, metrics } = options;
    this.routes = new Map<string, Route>([
      ['/health', (query) => healthPage(services, query)],
      ['/version', () => versionPage(services)],
      ['/metrics', () => metricsPage(metrics)],
    ]);
    this.server = createServer(
      {
        maxHeaderSize: options.limits.headerBytesMax,
        keepAliveTimeout: options.limits.keepAliveMs,
      },
      (request, response) => this.answer(request, response),
    );
  }

  /** Takes over a connection; bytes already read must be back in its buffer. */
  accept(socket: Socket): void {
    // A client may shut its half after the request and still wait for the answer.
    socket.allowHalfOpen = true;
    this.expectHeaders(socket, this.limits.headerTimeoutMs);
    socket.on('close', () => {
      clearTimeout(this.headerTimers.get(socket));
      this.headerTimers.delete(socket);
    });
    this.server.emit('connection', socket);
  }

  async close(): Promise<void> {
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
      const { keepAliveMs, headerTimeoutMs } = this.limits;
      if (!socket.destroyed) this.expectHeaders(socket, keepAliveMs + headerTimeoutMs);
    });
    // No page takes a body: what comes is dropped, and the connection with it.
    if (request.method !== 'GET') response.setHeader('connection', 'close');
    request.resume();
    this.page(request).then(
      (page) => send(response, page),
      (cause: unknown) => {
        // A bug in one page costs one request and a line in the log, not the member.
        this.log.error('page failed by a bug', { url: request.url ?? '', cause: String(cause) });
        send(response, textPage(500, 'Internal Server Error'));
      },
    );
  }

  private async page(request: IncomingMessage): Promise<Page> {
    const [path, query] = splitUrl(request.url ?? '/');
    const route = this.routes.get(path);
    if (route === undefined) return textPage(404, 'Not Found');
    if (request.method !== 'GET') return textPage(405, 'Method Not Allowed');
    return route(new URLSearchParams(query));
  }
}

function splitUrl(url: string): [path: string, query: string] {
  const mark = url.indexOf('?');
  return mark === -1 ? [url, ''] : [url.slice(0, mark), url.slice(mark + 1)];
}

function send(response: ServerResponse, page: Page): void {
  response.statusCode = page.status;
  response.setHeader('content-type', page.contentType);
  response.setHeader('content-length', Buffer.byteLength(page.body));
  if (page.status === 405) response.setHeader('allow', 'GET');
  response.end(page.body);
}

function textPage(status: number, text: string): Page {
  return { status, contentType: 'text/plain; charset=utf-8', body: `${text}\n` };
}

function jsonPage(status: number, value: Readonly<Record<string, string>>): Page {
  return { status, contentType: 'application/json', body: JSON.stringify(value) };
}

async function healthPage(
  services: HttpServerOptions['services'],
  query: URLSearchParams,
): Promise<Page> {
  const serializable = query.get('serializable') === 'true';
  const { healthy, reason } = await services.health.check({ serializable });
  return jsonPage(healthy ? 200 : 503, { health: healthy ? 'true' : 'false', reason });
}

/** `etcdcluster` is the cluster's level, a minor version, once there is a leader to decide it. */
async function versionPage(services: HttpServerOptions['services']): Promise<Page> {
  const status = await services.maintenance.status();
  if (!status.ok) return textPage(503, status.error.message);
  const { version, storageVersion, leader } = status.value.result;
  const [major, minor] = version.split('.');
  const etcdcluster = leader === undefined ? 'not_decided' : `${major}.${minor}.0`;
  return jsonPage(200, { etcdserver: version, etcdcluster, storage: storageVersion });
}

async function metricsPage(metrics: MetricsText): Promise<Page> {
  return { status: 200, contentType: metrics.contentType, body: await metrics.text() };
}
