import { connect, type Socket } from 'node:net';
import type { Clock } from '../ports/clock.ts';
import { ACCEPTED, encodeHandshake, HANDSHAKE_BYTES_MAX, type Handshake } from './handshake.ts';

/** Dials a peer and shakes hands; the socket then belongs to the caller. */

export interface PeerAddress {
  readonly host: string;
  readonly port: number;
}

/** `refused`: nothing answers there or it hung up on us; `silent`: no answer in time. */
export type DialFailure = { readonly kind: 'refused' | 'silent'; readonly reason: string };

export interface Dial {
  /** Gives up: neither callback is called any more. */
  cancel(): void;
}

export interface DialCallbacks {
  onReady(socket: Socket): void;
  onFailure(failure: DialFailure): void;
}

/** TCP's own connect and retransmission time-outs are seconds; elections are not. */
export function dial(
  address: PeerAddress,
  handshake: Handshake,
  options: { readonly clock: Clock; readonly timeoutMs: number },
  callbacks: DialCallbacks,
): Dial {
  const socket = connect({ host: address.host, port: address.port, noDelay: true });
  let settled = false;
  let reply = '';
  const settle = (finish: () => void): void => {
    if (settled) return;
    settled = true;
    timer[Symbol.dispose]();
    socket.removeAllListeners('data');
    socket.removeAllListeners('close');
    finish();
  };
  const fail = (kind: DialFailure['kind'], reason: string): void =>
    settle(() => {
      socket.destroy();
      callbacks.onFailure({ kind, reason });
    });
  const timer = options.clock.after(options.timeoutMs, () => fail('silent', 'no answer in time'));
  socket.on('error', (error: NodeJS.ErrnoException) => {
    fail(
      error.code === 'ECONNREFUSED' || error.code === 'ECONNRESET' ? 'refused' : 'silent',
      error.message,
    );
  });
  socket.once('connect', () => socket.write(encodeHandshake(handshake)));
  socket.on('close', () => fail('refused', 'hung up before answering'));
  socket.on('data', (chunk: Buffer) => {
    reply += chunk.toString('latin1');
    if (reply === ACCEPTED) return settle(() => callbacks.onReady(socket));
    if (reply.includes('\n') || reply.length > HANDSHAKE_BYTES_MAX) {
      fail('silent', `refused the handshake: ${reply.trim()}`);
    }
  });
  return { cancel: () => settle(() => socket.destroy()) };
}
