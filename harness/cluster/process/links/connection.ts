/** One proxied connection: from the member that dials, known by its first bytes, to a listener. */

import { connect, type Socket } from 'node:net';
import type { Identify } from './identify.ts';
import type { Switchboard } from './switchboard.ts';

/**
 * Bytes read from one side of a connection while that direction is cut. Beyond this nothing more
 * is read, and the sender's own buffers fill up, as they do towards a host that is gone.
 */
const HELD_BYTES_MAX = 1_048_576;

export interface ConnectionOptions {
  readonly acceptor: string;
  readonly peerPort: number;
  readonly identify: Identify;
  /** From the id on the wire to the member's name. */
  readonly nameOf: (id: string) => string | undefined;
  readonly switchboard: Switchboard;
}

interface Side {
  readonly socket: Socket;
  heldBytes: number;
}

export class Connection {
  readonly acceptor: string;
  readonly #options: ConnectionOptions;
  readonly #client: Side;
  /** Undefined until the first bytes may pass. */
  #server: Side | undefined;
  #dialler: string | undefined;
  #opening: Buffer = Buffer.alloc(0);

  constructor(client: Socket, options: ConnectionOptions) {
    this.acceptor = options.acceptor;
    this.#options = options;
    this.#client = { socket: client, heldBytes: 0 };
    options.switchboard.add(this);
    client.setNoDelay(true);
    client.on('data', (chunk: Buffer) => this.#fromClient(chunk));
    client.on('end', () => this.#finish(this.#client));
    client.on('drain', () => this.#server?.socket.resume());
    client.on('error', () => this.#closed(this.#client));
    client.on('close', () => this.#closed(this.#client));
  }

  /** The member that dialled, once it has said so. */
  get dialler(): string | undefined {
    return this.#dialler;
  }

  /** Ends both sides with RST. */
  reset(): void {
    this.#options.switchboard.remove(this);
    this.#client.socket.resetAndDestroy();
    this.#server?.socket.resetAndDestroy();
  }

  #fromClient(chunk: Buffer): void {
    if (this.#dialler === undefined) {
      this.#opening = Buffer.concat([this.#opening, chunk]);
      this.#identify();
    } else {
      this.#carry(this.#client, chunk);
    }
  }

  #identify(): void {
    const { identify, nameOf, switchboard } = this.#options;
    const identity = identify(this.#opening);
    if (identity.kind === 'incomplete') return;
    const opening = this.#opening;
    this.#opening = Buffer.alloc(0);
    const dialler = identity.kind === 'member' ? nameOf(identity.id) : undefined;
    this.#dialler = dialler;
    if (dialler === undefined && switchboard.isInvolved(this.acceptor)) {
      this.reset();
      return;
    }
    if (this.#server === undefined && dialler !== undefined && this.#isRefused(dialler)) {
      // Only the answer to the dial is cut: count the dial itself. Its bytes count otherwise.
      if (!this.#isHeld(this.#client)) switchboard.countHeld(this.acceptor, dialler, 1);
    } else if (this.#server === undefined) {
      this.#server = this.#dial();
    }
    this.#carry(this.#client, opening);
  }

  /** A dial needs both directions. */
  #isRefused(dialler: string): boolean {
    const { switchboard } = this.#options;
    return switchboard.isCut(dialler, this.acceptor) || switchboard.isCut(this.acceptor, dialler);
  }

  #dial(): Side {
    const socket = connect({
      host: '127.0.0.1',
      port: this.#options.peerPort,
      allowHalfOpen: true,
    });
    const server: Side = { socket, heldBytes: 0 };
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => this.#carry(server, chunk));
    socket.on('end', () => this.#finish(server));
    socket.on('drain', () => this.#client.socket.resume());
    socket.on('error', () => this.#closed(server));
    socket.on('close', () => this.#closed(server));
    return server;
  }

  /** Passes on what `source` sent, or holds it. */
  #carry(source: Side, chunk: Buffer): void {
    const sink = this.#otherSide(source);
    if (sink !== undefined && !this.#isHeld(source)) {
      if (sink.socket.writable && !sink.socket.write(chunk)) source.socket.pause();
      return;
    }
    source.heldBytes += chunk.length;
    if (source.heldBytes >= HELD_BYTES_MAX) source.socket.pause();
    if (this.#isHeld(source)) {
      const [from, to] = this.#direction(source);
      this.#options.switchboard.countHeld(from!, to!, chunk.length);
    }
  }

  /** `source` will send no more. A cut hides that too. */
  #finish(source: Side): void {
    if (!this.#isHeld(source)) this.#otherSide(source)?.socket.end();
  }

  /** `source` is gone. Behind a cut the other side is not told, and is reset by the heal. */
  #closed(source: Side): void {
    const other = this.#otherSide(source);
    if (other === undefined || other.socket.destroyed) {
      this.#options.switchboard.remove(this);
    } else if (!this.#isHeld(source)) {
      if (source.socket.readableEnded && source.socket.writableFinished) other.socket.destroySoon();
      else this.reset();
    }
  }

  #isHeld(source: Side): boolean {
    const [from, to] = this.#direction(source);
    return from !== undefined && to !== undefined && this.#options.switchboard.isCut(from, to);
  }

  #direction(source: Side): [string | undefined, string | undefined] {
    return source === this.#client
      ? [this.#dialler, this.acceptor]
      : [this.acceptor, this.#dialler];
  }

  #otherSide(side: Side): Side | undefined {
    return side === this.#client ? this.#server : this.#client;
  }
}
