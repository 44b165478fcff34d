import type { IncomingMessage, ServerResponse } from 'node:http';
import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import type { Readable, Writable } from 'node:stream';
import { TLSSocket } from 'node:tls';
import { isGone, stopRequest } from './call-options.ts';
import type { ConnectionPeer } from './rpc-caller.ts';

/** One HTTP request with its answer, alike over HTTP/1.1 and HTTP/2. */
export interface HttpExchange {
  readonly method: string;
  /** Path and query, as they came. */
  readonly url: string;
  /** By lower-case name. */
  header(name: string): string | undefined;
  /** Over TLS. */
  readonly secure: boolean;
  /** Of a verified client certificate. */
  readonly commonName: string | undefined;
  readonly body: Readable;
  /** The answer's body; closes when the exchange is over, whoever ended it. */
  readonly output: Writable;
  /** Headers that every answer gets, whoever gives it. Before `begin`. */
  preset(headers: Readonly<Record<string, string>>): void;
  /** Status and headers were handed over. */
  readonly begun: boolean;
  /** Once. Sent with the first bytes of the body, or by `flush`. */
  begin(status: number, headers: Readonly<Record<string, string>>): void;
  flush(): void;
  /** Nobody reads the rest of the request's body: what comes of it is dropped. */
  dropBody(): void;
  /** Ends everything at once, without the rest of the answer. */
  abort(): void;
}

export class Http1Exchange implements HttpExchange {
  readonly method: string;
  readonly url: string;
  readonly secure: boolean;
  readonly commonName: string | undefined;
  readonly body: IncomingMessage;
  readonly output: ServerResponse;

  constructor(request: IncomingMessage, response: ServerResponse, commonName: string | undefined) {
    this.method = request.method ?? '';
    this.url = request.url ?? '/';
    this.secure = request.socket instanceof TLSSocket;
    this.commonName = commonName;
    this.body = request;
    this.output = response;
    // 'close' follows both and says all there is to say.
    request.on('error', () => undefined);
    response.on('error', () => undefined);
  }

  get begun(): boolean {
    return this.output.headersSent;
  }

  header(name: string): string | undefined {
    const value = this.body.headers[name];
    return Array.isArray(value) ? value[0] : value;
  }

  preset(headers: Readonly<Record<string, string>>): void {
    for (const [name, value] of Object.entries(headers)) this.output.setHeader(name, value);
  }

  begin(status: number, headers: Readonly<Record<string, string>>): void {
    this.output.writeHead(status, headers);
  }

  flush(): void {
    this.output.flushHeaders();
  }

  dropBody(): void {
    const { 'content-length': length, 'transfer-encoding': encoding } = this.body.headers;
    // The rest may be long: not worth the connection.
    const hasBody = encoding !== undefined || (length ?? '0') !== '0';
    if (hasBody && !this.begun) this.output.setHeader('connection', 'close');
    this.body.resume();
  }

  abort(): void {
    this.output.destroy();
  }
}

/** For streams of node:http2's core interface, whose 'error' somebody else listens to. */
export class Http2Exchange implements HttpExchange {
  readonly method: string;
  readonly url: string;
  readonly secure: boolean;
  readonly commonName: string | undefined;
  readonly body: ServerHttp2Stream;
  readonly output: ServerHttp2Stream;
  private readonly headers: IncomingHttpHeaders;
  private presets: Readonly<Record<string, string>> = {};
  private bodyDropped = false;

  constructor(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, peer: ConnectionPeer) {
    this.method = headers[':method'] ?? '';
    this.url = headers[':path'] ?? '/';
    this.secure = headers[':scheme'] === 'https';
    this.commonName = peer.commonName();
    this.body = stream;
    this.output = stream;
    this.headers = headers;
    if (headers.expect === '100-continue' && !isGone(stream))
      stream.additionalHeaders({ ':status': 100 });
  }

  get begun(): boolean {
    return this.output.headersSent;
  }

  header(name: string): string | undefined {
    const value = this.headers[name === 'host' ? ':authority' : name] ?? this.headers[name];
    return Array.isArray(value) ? value[0] : value;
  }

  preset(headers: Readonly<Record<string, string>>): void {
    this.presets = headers;
  }

  begin(status: number, headers: Readonly<Record<string, string>>): void {
    if (isGone(this.output)) return;
    this.output.respond({ ':status': status, ...this.presets, ...headers });
    if (this.bodyDropped) stopRequest(this.output);
  }

  flush(): void {
    // HTTP/2 sends headers in a frame of their own, at once.
  }

  dropBody(): void {
    this.bodyDropped = true;
    this.body.resume();
    if (this.begun) stopRequest(this.output);
  }

  abort(): void {
    this.output.destroy();
  }
}
