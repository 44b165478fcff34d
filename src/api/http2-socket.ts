import type { Socket } from 'node:net';
import type { Http2Transport } from '../http2/output.ts';

/** After the last bytes; a client that never hangs up is cut off then. */
const LINGER_MS = 1_000;

/** A socket for {@link Http2Connection}; whoever opens that forwards the socket's events. */
export class Http2Socket implements Http2Transport {
  readonly #socket: Socket;

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  write(bytes: Uint8Array): boolean {
    return this.#socket.destroyed || this.#socket.write(bytes);
  }

  get unsentBytes(): number {
    return this.#socket.writableLength;
  }

  end(): void {
    const socket = this.#socket;
    socket.end();
    const timer = setTimeout(() => socket.destroy(), LINGER_MS);
    socket.once('close', () => clearTimeout(timer));
  }
}
