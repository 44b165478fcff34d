import { connect, type Socket } from 'node:net';
import { assert } from '../lib/assert.ts';
import type { Clock } from '../ports/clock.ts';
import {
  ACCEPTED,
  encodeHandshake,
  HANDSHAKE_BYTES_MAX,
  type Handshake,
  REMOVED,
} from './handshake.ts';

/** Dials a peer and shakes hands; the socket then belongs to the caller. */

export interface PeerAddress {
  readonly host: string;
  readonly port: number;
  /** A socket in the file system, instead of host and port. */
  readonly path?: string;
  /** `https://`: dialled by {@link DialOptions.connectTls}. Default: no. */
  readonly secure?: boolean;
  /** Where the connection comes from; not said: the system chooses. */
  readonly localAddress?: string;
}

/** Connects and shakes hands; `onSecure` follows when the other end has proved who it is. */
export type ConnectTls = (address: PeerAddress, onSecure: (socket: Socket) => void) => Socket;

export interface DialOptions {
  readonly clock: Clock;
  readonly timeoutMs: number;
  /** Undefined: secure addresses cannot be dialled. */
  readonly connectTls: ConnectTls | undefined;
}

/**
 * `refused`: nothing answers there or it hung up on us; `silent`: no answer in time; `removed`:
 * the others have removed this member.
 */
export type DialFailure = {
  readonly kind: 'refused' | 'silent' | 'removed';
  readonly reason: string;
};

export interface Dial {
  /** Gives up: neither callback is called any more. */
  cancel(): void;
}

export interface DialCallbacks {
  onReady(socket: Socket): void;
  onFailure(failure: DialFailure): void;
}

/**
 * Four messages and the work of two keys: on a busy machine that takes longer than silence on an
 * open connection may last, and whoever gives up too early makes it dearer still.
 */
const SECURE_DIAL_MS_LEAST = 1_500;

/** TCP's own connect and retransmission time-outs are seconds; elections are not. */
export function dial(
  address: PeerAddress,
  handshake: Handshake,
  options: DialOptions,
  callbacks: DialCallbacks,
): Dial {
  const socket = open(address, options.connectTls, (ready) => {
    ready.write(encodeHandshake(handshake));
  });
  let settled = false;
  let reply = '';
  const settle = (finish: () => void): void => {
    if (settled) return;
    settled = true;
    timer[Symbol.dispose]();
    socket.off('data', onData);
    socket.off('close', onClose);
    finish();
  };
  const fail = (kind: DialFailure['kind'], reason: string): void =>
    settle(() => {
      socket.destroy();
      callbacks.onFailure({ kind, reason });
    });
  const limitMs = address.secure === true ? SECURE_DIAL_MS_LEAST : 0;
  const timer = options.clock.after(Math.max(options.timeoutMs, limitMs), () =>
    fail('silent', 'no answer in time'),
  );
  socket.on('error', (error: NodeJS.ErrnoException) => {
    fail(
      error.code === 'ECONNREFUSED' || error.code === 'ECONNRESET' ? 'refused' : 'silent',
      error.message,
    );
  });
  const onClose = (): void => fail('refused', 'hung up before answering');
  const onData = (chunk: Buffer): void => {
    reply += chunk.toString('latin1');
    if (reply === ACCEPTED) return settle(() => callbacks.onReady(socket));
    if (reply.includes('\n') || reply.length > HANDSHAKE_BYTES_MAX) {
      fail(
        reply.includes(REMOVED) ? 'removed' : 'silent',
        `refused the handshake: ${reply.trim()}`,
      );
    }
  };
  socket.on('close', onClose);
  socket.on('data', onData);
  return { cancel: () => settle(() => socket.destroy()) };
}

function open(
  address: PeerAddress,
  connectTls: ConnectTls | undefined,
  onOpen: (socket: Socket) => void,
): Socket {
  if (address.secure === true) {
    assert(connectTls !== undefined, 'https:// needs a way to connect');
    return connectTls(address, onOpen);
  }
  const { host, port, path, localAddress } = address;
  const place = path === undefined ? { host, port, localAddress, noDelay: true } : { path };
  const socket = connect(place);
  return socket.once('connect', () => onOpen(socket));
}
