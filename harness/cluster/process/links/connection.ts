/** One proxied connection: from the member that dials, known by its first bytes, to a listener. */

import { connect, type Socket } from 'node:net';
import type { ShapedStream } from '../../../network/shaped-stream.ts';
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
  /** Not asked where the dialler is known by its address. */
  readonly identify: Identify;
  /** From the id on the wire to the member's name. */
  readonly nameOf: (id: string) => string | undefined;
  readonly switchboard: Switchboard;
}

interface Side {
  readonly socket: Socket;
  heldBytes: number;
  /** What it sends, on the link; undefined: nobody knows whose link it is. */
  stream?: ShapedStream;
}

export class Connection {
  readonly acceptor: string;
  readonly #options: ConnectionOptions;
  readonly #client: Side;
  /** Undefined until the first bytes may pass. */
  #server: Side | undefined;
  #dialler: string | undefined;
  #opening: Buffer = Buffer.alloc(0);

  constructor(client: Socket, options: ConnectionOptions, dialler?: string) {
    this.acceptor = options.acceptor;
    this.#options = options;
    this.#client = { socket: client, heldBytes: 0 };
    options.switchboard.add(this);
    client.setNoDelay(true);
    client.on('data', (chunk: Buffer) => this.#fromClient(chunk));
    client.on('end', () => this.#finish(this.#client));
    client.on('drain', () => this.#resume(this.#server));
    client.on('error', () => this.#closed(this.#client));
    client.on('close', () => this.#closed(this.#client));
    if (dialler !== undefined) this.#connect(dialler);
  }

  /** The member that dialled, once it has said so. */
  get dialler(): string | undefined {
    return this.#dialler;
  }

  /** Ends both sides with RST. */
  reset(): void {
    this.#forget();
    this.#client.socket.resetAndDestroy();
    this.#server?.socket.resetAndDestroy();
  }

  #fromClient(chunk: Buffer): void {
    if (this.#dialler === undefined) {
      this.#opening = Buffer.concat([this.#opening, chunk]);
      this.#identify();
    } else {
      this.#push(this.#client, chunk);
    }
  }

  #identify(): void {
    const { identify, nameOf, switchboard } = this.#options;
    const identity = identify(this.#opening);
    if (identity.kind === 'incomplete') return;
    const opening = this.#opening;
    this.#opening = Buffer.alloc(0);
    const dialler = identity.kind === 'member' ? nameOf(identity.id) : undefined;
    if (dialler === undefined && switchboard.isInvolved(this.acceptor)) this.reset();
    else if (this.#connect(dialler)) this.#push(this.#client, opening);
  }

  /** Dials the member if the dialler gets through to it; false: the dial is refused. */
  #connect(dialler: string | undefined): boolean {
    const { switchboard } = this.#options;
    this.#dialler = dialler;
    if (dialler !== undefined) {
      if (switchboard.isPulled(dialler) || switchboard.isPulled(this.acceptor)) {
        switchboard.countHeld(dialler, this.acceptor, 1);
        this.reset();
        return false;
      }
      this.#openStream(this.#client, dialler, this.acceptor);
    }
    if (this.#server === undefined && dialler !== undefined && this.#isRefused(dialler)) {
      // Only the answer to the dial is cut: count the dial itself. Its bytes count otherwise.
      if (!this.#isHeld(this.#client)) switchboard.countHeld(this.acceptor, dialler, 1);
    } else if (this.#server === undefined) {
      this.#server = this.#dial();
    }
    if (dialler !== undefined && this.#server !== undefined) {
      this.#openStream(this.#server, this.acceptor, dialler);
    }
    return true;
  }

  #openStream(source: Side, from: string, to: string): void {
    const stream = this.#options.switchboard.shaper(from, to)?.open(
      (piece) => this.#carry(source, piece),
      () => this.#resume(source),
    );
    if (stream !== undefined) source.stream = stream;
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
    socket.on('data', (chunk: Buffer) => this.#push(server, chunk));
    socket.on('end', () => this.#finish(server));
    socket.on('drain', () => this.#resume(this.#client));
    socket.on('error', () => this.#closed(server));
    socket.on('close', () => this.#closed(server));
    return server;
  }

  /** Puts what `source` sent onto its link. */
  #push(source: Side, chunk: Buffer): void {
    if (source.stream === undefined) return this.#carry(source, chunk);
    source.stream.push(chunk);
    if (source.stream.isFull) source.socket.pause();
  }

  /** Reads on from `source`, unless there is another reason not to. */
  #resume(source: Side | undefined): void {
    if (source === undefined || source.stream?.isFull === true) return;
    if (source.heldBytes >= HELD_BYTES_MAX) return;
    if (this.#otherSide(source)?.socket.writableNeedDrain !== true) source.socket.resume();
  }

  /** Passes on what has come over the link of `source`, or holds it. */
  #carry(source: Side, chunk: Uint8Array): void {
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
    this.#afterStream(source, () => {
      if (!this.#isHeld(source)) this.#otherSide(source)?.socket.end();
    });
  }

  /** `source` is gone. Behind a cut the other side is not told, and is reset by the heal. */
  #closed(source: Side): void {
    const other = this.#otherSide(source);
    if (other === undefined || other.socket.destroyed) {
      this.#forget();
    } else if (source.socket.readableEnded && source.socket.writableFinished) {
      this.#afterStream(source, () => {
        if (!this.#isHeld(source)) other.socket.destroySoon();
      });
    } else if (!this.#isHeld(source)) {
      this.reset();
    }
  }

  /** An orderly end comes after the bytes before it; what ends them otherwise overtakes them. */
  #afterStream(source: Side, act: () => void): void {
    if (source.stream === undefined) act();
    else source.stream.whenEmpty(act);
  }

  #forget(): void {
    this.#options.switchboard.remove(this);
    this.#client.stream?.close();
    this.#server?.stream?.close();
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
