import type { Socket } from 'node:net';
import { createServer, type Server, type TLSSocket } from 'node:tls';
import { assert } from '../lib/assert.ts';
import type { Clock } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';
import type { TlsContext } from './tls-context.ts';

/** Does the handshake on connections that somebody else accepted, and looked into perhaps. */
export class TlsAcceptor {
  readonly #options: TlsAcceptorOptions;
  readonly #server: Server;
  /** Handed in and not handed back yet, by the other end's address. */
  readonly #waiting = new Map<string, Socket>();
  #generation: number;
  #reportedNs = Number.NEGATIVE_INFINITY;
  #unreported = 0;

  /** The context must have a certificate. */
  constructor(options: TlsAcceptorOptions) {
    const { context, alpnProtocols } = options;
    this.#options = options;
    this.#generation = context.generation();
    const secure = context.serverOptions();
    assert(secure !== undefined, 'whoever listens has a certificate');
    this.#server = createServer({
      ...secure,
      requestCert: context.settings.requireClientCert,
      rejectUnauthorized: context.settings.requireClientCert,
      handshakeTimeout: HANDSHAKE_MS_MAX,
      ...(alpnProtocols.length === 0 ? {} : { ALPNProtocols: [...alpnProtocols] }),
    });
    this.#server.on('secureConnection', (socket) => this.#onSecure(socket));
    this.#server.on('tlsClientError', (error, socket) => this.#refuse(socket, error.message));
  }

  /** `onSecure` follows once the other end has proved who it is; else the connection is closed. */
  accept(socket: Socket): void {
    this.#useNewestFiles();
    const end = endOf(socket);
    this.#waiting.set(end, socket);
    socket.on('close', () => {
      if (this.#waiting.get(end) === socket) this.#waiting.delete(end);
    });
    socket.on('error', () => socket.destroy());
    this.#server.emit('connection', socket);
  }

  /** Cuts connections whose handshake is not over. */
  close(): void {
    for (const socket of this.#waiting.values()) socket.destroy();
  }

  #useNewestFiles(): void {
    const { context } = this.#options;
    const generation = context.generation();
    if (generation === this.#generation) return;
    this.#generation = generation;
    const secure = context.serverOptions();
    // New keys for tickets, too: nobody resumes what an authority vouched for that is gone.
    if (secure !== undefined) this.#server.setSecureContext(secure);
  }

  #onSecure(socket: TLSSocket): void {
    const { context, onSecure } = this.#options;
    const giveUp = (): void => {
      socket.destroy();
    };
    socket.on('error', giveUp);
    context.checkDialler(socket).then(
      (checked) => {
        if (socket.destroyed) return;
        if (!checked.ok) return this.#refuse(socket, checked.error);
        socket.off('error', giveUp);
        this.#waiting.delete(endOf(socket));
        onSecure(socket);
      },
      (error: unknown) => this.#refuse(socket, String(error)),
    );
  }

  /** Said once a second at most: whoever likes can fail any number of handshakes. */
  #refuse(socket: TLSSocket, reason: string): void {
    const from = socket.remoteAddress ?? 'unknown';
    socket.destroy();
    const { clock, log } = this.#options;
    const nowNs = clock.nowNs();
    if (nowNs - this.#reportedNs < REPORT_EVERY_NS) {
      this.#unreported += 1;
      return;
    }
    log.warn('refused a TLS connection', { from, reason, unreported: this.#unreported });
    this.#reportedNs = nowNs;
    this.#unreported = 0;
  }
}

export interface TlsAcceptorOptions {
  readonly context: TlsContext;
  readonly clock: Clock;
  readonly log: Log;
  /** In the order in which they are preferred; empty: none is agreed on. */
  readonly alpnProtocols: readonly string[];
  /** The socket has no listener for errors; the next one must be the receiver's. */
  readonly onSecure: (socket: TLSSocket) => void;
}

/** The same for a connection and for what secures it. */
function endOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}

const HANDSHAKE_MS_MAX = 10_000;
const REPORT_EVERY_NS = 1e9;
