/**
 * A file of lines: appended to while the run goes on, buffered and bounded; read again line by
 * line, because a long run's file is larger than a string can be.
 */
import { closeSync, createWriteStream, openSync, readSync, type WriteStream } from 'node:fs';
import { StringDecoder } from 'node:string_decoder';
import { StormError } from './exit-code.ts';

/** Lines that the disk has not taken yet. More means that it cannot keep up with the run. */
const BACKLOG_BYTES_MAX = 64 * 1024 * 1024;
/** No line that the harness writes is nearly as long; a longer one is refused. */
const LINE_CHARACTERS_MAX = 64 * 1024 * 1024;
const READ_BYTES = 256 * 1024;

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

/**
 * The lines of a file, without their line feeds; a last line may lack its own. Throws
 * {@link StormError} when the file cannot be read or a line is too long.
 */
export function* readLines(path: string): Generator<string> {
  let file: number | undefined;
  try {
    file = openSync(path, 'r');
    const decoder = new StringDecoder('utf8');
    const chunk = Buffer.allocUnsafe(READ_BYTES);
    let rest = '';
    for (;;) {
      const sizeBytes = readSync(file, chunk);
      if (sizeBytes === 0) break;
      const lines = decoder.write(chunk.subarray(0, sizeBytes)).split('\n');
      lines[0] = rest + lines[0];
      rest = lines.pop() ?? '';
      if (rest.length > LINE_CHARACTERS_MAX) throw new Error('not a file of lines');
      yield* lines;
    }
    rest += decoder.end();
    if (rest !== '') yield rest;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new StormError(`${path}: ${reason}; run it again`, { cause: error });
  } finally {
    if (file !== undefined) closeSync(file);
  }
}
