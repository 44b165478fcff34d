import { concatBytes } from '../lib/bytes.ts';

/** The socket. */
export interface Http2Transport {
  /** Takes the bytes. False: that is enough until `drained` is called. */
  write(bytes: Uint8Array): boolean;
  /** What it took and has not handed to the system yet. */
  readonly unsentBytes: number;
  /** Closes behind what was written. */
  end(): void;
}

/** Gathers what is sent within a turn, so that it leaves in one piece. */
export class Output {
  readonly #transport: Http2Transport;
  readonly #defer: (callback: () => void) => void;
  #parts: Uint8Array[] = [];
  #bytes = 0;
  #isClogged = false;
  #isOver = false;

  constructor(transport: Http2Transport, defer: (callback: () => void) => void) {
    this.#transport = transport;
    this.#defer = defer;
  }

  /** The socket has enough. */
  get isClogged(): boolean {
    return this.#isClogged;
  }

  get unsentBytes(): number {
    return this.#bytes + this.#transport.unsentBytes;
  }

  send(bytes: Uint8Array): void {
    if (this.#isOver) return;
    this.#parts.push(bytes);
    this.#bytes += bytes.length;
    if (this.#parts.length === 1) this.#defer(() => this.flush());
    else if (this.#bytes >= FLUSH_BYTES) this.flush();
  }

  flush(): void {
    const parts = this.#parts;
    if (parts.length === 0 || this.#isOver) return;
    this.#parts = [];
    this.#bytes = 0;
    if (!this.#transport.write(parts.length === 1 ? parts[0]! : concatBytes(parts))) {
      this.#isClogged = true;
    }
  }

  /** By the owner of the socket. */
  drained(): void {
    this.#isClogged = false;
  }

  /** Sends what is left, closes, and takes nothing any more. */
  end(): void {
    this.flush();
    this.#isOver = true;
    this.#transport.end();
  }
}

const FLUSH_BYTES = 64 * 1024;
