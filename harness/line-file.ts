/** An append-only file of lines, written while the run goes on; buffered, and bounded. */
import { createWriteStream, type WriteStream } from 'node:fs';
import { StormError } from './exit-code.ts';

/** Lines that the disk has not taken yet. More means that it cannot keep up with the run. */
const BACKLOG_BYTES_MAX = 64 * 1024 * 1024;

export class LineFile {
  readonly #path: string;
  readonly #stream: WriteStream;
  #failure: Error | undefined;

  /** Creates the file; it must not exist. */
  constructor(path: string) {
    this.#path = path;
    this.#stream = createWriteStream(path, { flags: 'wx' });
    this.#stream.on('error', (error) => {
      this.#failure = error;
    });
  }

  /**
   * `text` ends with its line feed. After the first failure of the disk, or when the backlog
   * is full, further lines are dropped and `close` says so: appending happens in the middle
   * of timers and completions, where nobody could take an error.
   */
  append(text: string): void {
    if (this.#failure !== undefined) return;
    this.#stream.write(text);
    if (this.#stream.writableLength > BACKLOG_BYTES_MAX) {
      this.#failure = new Error('the disk does not keep up; use a faster --runs-dir');
    }
  }

  /** Resolves when all lines are in the file; rejects with {@link StormError} if any is not. */
  async close(): Promise<void> {
    if (!this.#stream.destroyed) {
      this.#stream.end();
      await new Promise<void>((resolve) => this.#stream.once('close', resolve));
    }
    if (this.#failure === undefined) return;
    throw new StormError(`${this.#path}: ${this.#failure.message}`, { cause: this.#failure });
  }
}
