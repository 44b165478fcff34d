import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Readable, Writable } from 'node:stream';
import { TLSSocket } from 'node:tls';
import { encodeHeaders } from '../http2/hpack-encoder.ts';
import type { Http2Stream } from '../http2/stream.ts';
import { Http2Duplex } from './http2-duplex.ts';
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

/** A request on a stream of HTTP/2. */
export class Http2Exchange implements HttpExchange {
  readonly method: string;
  readonly url: string;
  readonly secure: boolean;
  readonly commonName: string | undefined;
  readonly body: Http2Duplex;
  readonly output: Http2Duplex;
  private readonly stream: Http2Stream;
  private presets: Readonly<Record<string, string>> = {};

  constructor(stream: Http2Stream, peer: ConnectionPeer) {
    const { head } = stream;
    this.method = head.method;
    this.url = head.path;
    this.secure = head.scheme === 'https';
    this.commonName = peer.commonName();
    this.stream = stream;
    const duplex = new Http2Duplex(stream);
    // 'close' follows and says all there is to say.
    duplex.on('error', () => undefined);
    this.body = duplex;
    this.output = duplex;
    if (head.header('expect') === '100-continue') {
      stream.respond(encodeHeaders([[':status', '100']]), { isFinal: false });
    }
  }

  get begun(): boolean {
    return this.stream.headersSent;
  }

  header(name: string): string | undefined {
    const { head } = this.stream;
    return (name === 'host' ? head.header(':authority') : undefined) ?? head.header(name);
  }

  preset(headers: Readonly<Record<string, string>>): void {
    this.presets = headers;
  }

  begin(status: number, headers: Readonly<Record<string, string>>): void {
    if (this.stream.isGone) return;
    const fields = Object.entries({ ...this.presets, ...headers });
    this.stream.respond(encodeHeaders([[':status', String(status)], ...fields]));
  }

  flush(): void {
    // HTTP/2 sends headers in a frame of their own, at once.
  }

  dropBody(): void {
    this.stream.stopRequest();
  }

  abort(): void {
    this.output.destroy();
  }
}
