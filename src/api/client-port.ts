import { createServer, type Server, type Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { Log } from '../ports/log.ts';
import { listenError } from './api-error.ts';
import { commonNameOf } from './common-name.ts';
import type { ApiLimits } from './limits.ts';
import { type ConnectionPeer, PLAIN_PEER } from './rpc-caller.ts';

/**
 * One listening port for up to three protocols: a TLS handshake begins with a byte of its own,
 * HTTP/2 clients with a fixed preface, everything else is HTTP/1.1. The bytes looked at are put
 * back before the connection is handed over.
 */

/** A record of a handshake, RFC 8446 §5.1. */
const TLS_HANDSHAKE = 0x16;
const HTTP2_PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
/** Connections the kernel holds before they are accepted; the usual 511 makes storms wait 1 s. */
const BACKLOG = 4096;
const KEEP_ALIVE_AFTER_MS = 30_000;

export interface ListenAddress {
  readonly host: string;
  /** 0: one that is free. */
  readonly port: number;
  /** A socket in the file system, instead of host and port. */
  readonly path?: string;
}

/** Does the handshakes of one port. */
export interface TlsPort {
  /** The connection comes back by `onSecure` of {@link OpenTls}, or is closed. */
  accept(socket: Socket): void;
  /** Cuts connections whose handshake is not over. */
  close(): void;
}

/** ALPN must offer `h2` and `http/1.1`. */
export type OpenTls = (onSecure: (socket: TLSSocket) => void) => TlsPort;

export interface ClientPortOptions {
  readonly limits: ApiLimits;
  readonly log: Log;
  /** Connections without TLS are taken, too. */
  readonly plain: boolean;
  /** Undefined: no TLS on this port. */
  readonly tls: OpenTls | undefined;
  /** --client-cert-auth: the common name in a client's certificate says who it is. */
  readonly certificateIsUser: boolean;
  /** Undefined: such connections are closed. */
  readonly acceptHttp2: ((socket: Socket, peer: ConnectionPeer) => void) | undefined;
  readonly acceptHttp1: ((socket: Socket, peer: ConnectionPeer) => void) | undefined;
  /** --socket-reuse-port. */
  readonly reusePort?: boolean | undefined;
}

export interface ClientPort {
  readonly address: ListenAddress;
  /** Accepts no more; connections already handed over stay. */
  close(): Promise<void>;
}

/** Rejects with ApiError if the port cannot be opened. */
export async function openClientPort(
  listen: ListenAddress,
  options: ClientPortOptions,
): Promise<ClientPort> {
  const connections = new Sniffer(options);
  const server = createServer(
    { noDelay: true, keepAlive: true, keepAliveInitialDelay: KEEP_ALIVE_AFTER_MS },
    (socket) => connections.take(socket),
  );
  server.maxConnections = options.limits.connectionsMax;
  server.on('drop', () => options.log.warn('client connection refused: too many are open'));
  const address = await bind(server, listen, options.reusePort);
  server.on('error', (cause) => options.log.warn('cannot accept', { cause: String(cause) }));
  return {
    address,
    close: async () => {
      server.close();
      connections.close();
    },
  };
}

function bind(server: Server, listen: ListenAddress, reusePort = false): Promise<ListenAddress> {
  return new Promise((resolve, reject) => {
    const { host, port, path } = listen;
    server.once('error', (cause) => reject(listenError(path ?? `${host}:${port}`, cause)));
    const at = path === undefined ? { host, port, reusePort } : { path };
    server.listen({ ...at, backlog: BACKLOG }, () => {
      server.removeAllListeners('error');
      const bound = server.address();
      resolve({ host, port: typeof bound === 'object' && bound !== null ? bound.port : port });
    });
  });
}

/** Finds out what a new connection speaks, and hands it to whoever speaks that. */
class Sniffer {
  private readonly options: ClientPortOptions;
  private readonly tls: TlsPort | undefined;
  private readonly undecided = new Set<Socket>();

  constructor(options: ClientPortOptions) {
    this.options = options;
    this.tls = options.tls?.((socket) => this.takeSecured(socket));
  }

  take(socket: Socket): void {
    this.sniff(socket, (head) => {
      if (this.tls !== undefined && head[0] === TLS_HANDSHAKE)
        return () => this.tls?.accept(socket);
      if (!this.options.plain) return () => socket.destroy();
      return this.protocolOf(socket, head, PLAIN_PEER);
    });
  }

  close(): void {
    for (const socket of this.undecided) socket.destroy();
    this.tls?.close();
  }

  private takeSecured(socket: TLSSocket): void {
    const name = this.options.certificateIsUser ? commonNameOf(socket) : undefined;
    const peer: ConnectionPeer = { commonName: () => name };
    // Who agreed on a protocol in the handshake may wait for the server to speak first.
    if (socket.alpnProtocol === 'h2') this.hand(this.options.acceptHttp2, socket, peer);
    else this.sniff(socket, (head) => this.protocolOf(socket, head, peer));
  }

  /** What to do with a connection that began like this; undefined: more must be seen. */
  private protocolOf(socket: Socket, head: Buffer, peer: ConnectionPeer): (() => void) | undefined {
    const { acceptHttp1, acceptHttp2 } = this.options;
    const shared = Math.min(head.length, HTTP2_PREFACE.length);
    const agrees = head.subarray(0, shared).equals(HTTP2_PREFACE.subarray(0, shared));
    if (agrees && shared < HTTP2_PREFACE.length) return undefined;
    return () => this.hand(agrees ? acceptHttp2 : acceptHttp1, socket, peer);
  }

  private hand(
    accept: ClientPortOptions['acceptHttp1'],
    socket: Socket,
    peer: ConnectionPeer,
  ): void {
    if (accept === undefined) socket.destroy();
    else accept(socket, peer);
  }

  private sniff(socket: Socket, decide: (head: Buffer) => (() => void) | undefined): void {
    this.undecided.add(socket);
    let head: Buffer = Buffer.alloc(0);
    const giveUp = (): void => {
      socket.destroy();
    };
    const timer = setTimeout(giveUp, this.options.limits.sniffTimeoutMs);
    const leave = (): void => {
      clearTimeout(timer);
      socket.off('readable', look);
      socket.off('error', giveUp);
      socket.off('close', leave);
      this.undecided.delete(socket);
    };
    const look = (): void => {
      const chunk: Buffer | null = socket.read();
      if (chunk === null) return;
      head = head.length === 0 ? chunk : Buffer.concat([head, chunk]);
      const hand = decide(head);
      if (hand === undefined) return;
      leave();
      socket.unshift(head);
      hand();
    };
    socket.on('readable', look);
    socket.on('error', giveUp);
    socket.on('close', leave);
  }
}
