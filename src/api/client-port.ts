import { createServer, type Server, type Socket } from 'node:net';
import type { Log } from '../ports/log.ts';
import { listenError } from './api-error.ts';
import type { ApiLimits } from './limits.ts';

/**
 * One listening port for two protocols: HTTP/2 clients begin with a fixed preface, everything
 * else is HTTP/1.1. The bytes looked at are put back before the connection is handed over.
 */

const HTTP2_PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
/** Connections the kernel holds before they are accepted; the usual 511 makes storms wait 1 s. */
const BACKLOG = 4096;
const KEEP_ALIVE_AFTER_MS = 30_000;

export interface ListenAddress {
  readonly host: string;
  /** 0: one that is free. */
  readonly port: number;
}

export interface ClientPortOptions {
  readonly limits: ApiLimits;
  readonly log: Log;
  readonly acceptHttp2: (socket: Socket) => void;
  readonly acceptHttp1: (socket: Socket) => void;
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
  const undecided = new Set<Socket>();
  const server = createServer(
    { noDelay: true, keepAlive: true, keepAliveInitialDelay: KEEP_ALIVE_AFTER_MS },
    (socket) => {
      undecided.add(socket);
      sniff(socket, options, () => undecided.delete(socket));
    },
  );
  server.maxConnections = options.limits.connectionsMax;
  server.on('drop', () => options.log.warn('client connection refused: too many are open'));
  const address = await bind(server, listen);
  server.on('error', (cause) => options.log.warn('cannot accept', { cause: String(cause) }));
  return {
    address,
    close: async () => {
      server.close();
      for (const socket of undecided) socket.destroy();
    },
  };
}

function bind(server: Server, listen: ListenAddress): Promise<ListenAddress> {
  return new Promise((resolve, reject) => {
    const { host, port } = listen;
    server.once('error', (cause) => reject(listenError(`${host}:${port}`, cause)));
    server.listen({ host, port, backlog: BACKLOG }, () => {
      server.removeAllListeners('error');
      const bound = server.address();
      resolve({ host, port: typeof bound === 'object' && bound !== null ? bound.port : port });
    });
  });
}

function sniff(socket: Socket, options: ClientPortOptions, decided: () => void): void {
  let head: Buffer = Buffer.alloc(0);
  const giveUp = (): void => {
    socket.destroy();
  };
  const timer = setTimeout(giveUp, options.limits.sniffTimeoutMs);
  const leave = (): void => {
    clearTimeout(timer);
    socket.off('readable', look);
    socket.off('error', giveUp);
    socket.off('close', leave);
    decided();
  };
  const look = (): void => {
    const chunk: Buffer | null = socket.read();
    if (chunk === null) return;
    head = head.length === 0 ? chunk : Buffer.concat([head, chunk]);
    const shared = Math.min(head.length, HTTP2_PREFACE.length);
    const agrees = head.subarray(0, shared).equals(HTTP2_PREFACE.subarray(0, shared));
    if (agrees && shared < HTTP2_PREFACE.length) return;
    leave();
    socket.unshift(head);
    if (agrees) options.acceptHttp2(socket);
    else options.acceptHttp1(socket);
  };
  socket.on('readable', look);
  socket.on('error', giveUp);
  socket.on('close', leave);
}
