import { Duplex } from 'node:stream';
import { ERROR_CODE } from '../http2/frame.ts';
import type { Http2Stream } from '../http2/stream.ts';
import { EMPTY_BYTES } from '../lib/bytes.ts';

/**
 * A request's body and its answer's, as Node's streams, for whoever is not in a hurry. The
 * answer's headers are sent before the first byte is written. Closes with the stream.
 */
export class Http2Duplex extends Duplex {
  readonly #stream: Http2Stream;
  readonly #trailers: Uint8Array;
  #written: (() => void) | undefined;

  /** `trailers`: a header block behind the answer. */
  constructor(stream: Http2Stream, trailers: Uint8Array = EMPTY_BYTES) {
    super({ allowHalfOpen: true });
    this.#stream = stream;
    this.#trailers = trailers;
    stream.handler = {
      onData: (bytes) => {
        if (!this.push(bytes)) stream.pause();
      },
      onEnd: () => this.push(null),
      onWritable: () => this.#goOn(),
      onClose: (code) => this.#closed(code),
    };
    if (stream.isClosed) this.destroy();
  }

  override _read(): void {
    this.#stream.resume();
  }

  override _write(bytes: Buffer, _: BufferEncoding, done: () => void): void {
    this.#written = done;
    // A copy: the writer may use its bytes again, while the socket may still hold these.
    if (this.#stream.write(new Uint8Array(bytes))) this.#goOn();
  }

  override _final(done: () => void): void {
    this.#stream.end(this.#trailers);
    done();
  }

  override _destroy(cause: Error | null, done: (cause: Error | null) => void): void {
    if (!this.#stream.isClosed) this.#stream.reset(ERROR_CODE.cancel);
    this.#written = undefined;
    done(cause);
  }

  #goOn(): void {
    const written = this.#written;
    this.#written = undefined;
    written?.();
  }

  /** In order: what was read of the request may still be looked at, until the answer is done. */
  #closed(code: number | undefined): void {
    const isInOrder = code === undefined || code === ERROR_CODE.noError;
    if (isInOrder && this.writableEnded) setImmediate(() => this.destroy());
    else this.destroy();
  }
}
