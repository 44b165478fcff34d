import { constants, fstatSync, openSync, writeSync } from 'node:fs';
import type { DestinationStream } from 'pino';

/** Lines that wait for a reader; those beyond it are dropped and counted. */
export const PENDING_BYTES_MAX = 1_048_576;
const RETRY_MS = 100;

/** Bytes that were taken; 0: the pipe is full. Throws when nobody will read it any more. */
export type WriteSome = (bytes: Buffer) => number;

/**
 * A log on a pipe that never makes the server wait: what the pipe does not take is kept, up to
 * {@link PENDING_BYTES_MAX}, and then dropped; a line says later how many lines are missing. A
 * stalled log would otherwise stall reads (etcd#22214). Writes are synchronous, so that the last
 * line before an exit is not lost unless the log is stuck.
 */
export class LogPipe implements DestinationStream {
  readonly #writeSome: WriteSome;
  #pending: Buffer[] = [];
  #pendingBytes = 0;
  #droppedLines = 0;
  #retry: NodeJS.Timeout | undefined;

  constructor(writeSome: WriteSome) {
    this.#writeSome = writeSome;
  }

  write(line: string): void {
    if (this.#droppedLines > 0 || this.#pendingBytes >= PENDING_BYTES_MAX) {
      // None after a dropped one: the lines before and after the gap must not look adjacent.
      this.#droppedLines += 1;
      return;
    }
    const bytes = Buffer.from(line);
    this.#pending.push(bytes);
    this.#pendingBytes += bytes.length;
    if (this.#retry === undefined) this.flush();
  }

  /** Writes what the pipe takes; the rest is tried again ten times a second. */
  flush(): void {
    while (this.#pending.length > 0 || this.#droppedLines > 0) {
      if (this.#pending.length === 0) this.#noteDropped();
      if (!this.#writeFirst()) return this.#retryLater();
    }
    clearInterval(this.#retry);
    this.#retry = undefined;
  }

  /** False: the pipe is full. */
  #writeFirst(): boolean {
    const first = this.#pending[0]!;
    let took: number;
    try {
      took = this.#writeSome(first);
    } catch {
      // Nobody is left to read it, nor to be told.
      took = first.length;
    }
    this.#pendingBytes -= took;
    if (took < first.length) {
      this.#pending[0] = first.subarray(took);
      return false;
    }
    this.#pending.shift();
    return true;
  }

  #noteDropped(): void {
    const lines = this.#droppedLines;
    this.#droppedLines = 0;
    const note = { level: 'warn', ts: new Date().toISOString(), lines };
    this.write(`${JSON.stringify({ ...note, msg: 'log lines dropped: nobody read them' })}\n`);
  }

  #retryLater(): void {
    this.#retry ??= setInterval(() => this.flush(), RETRY_MS).unref();
  }
}

/** Of standard output or error, if that is a pipe of a kind that need not block. */
export function openLogPipe(fd: number): DestinationStream | undefined {
  const write = process.platform === 'linux' ? openNonBlocking(fd) : undefined;
  if (write === undefined) return undefined;
  const pipe = new LogPipe(write);
  process.once('exit', () => pipe.flush());
  return pipe;
}

/** The same pipe, opened anew: the flag would otherwise be shared with whoever else writes to it. */
function openNonBlocking(fd: number): WriteSome | undefined {
  try {
    if (!fstatSync(fd).isFIFO()) return undefined;
    const own = openSync(`/proc/self/fd/${fd}`, constants.O_WRONLY | constants.O_NONBLOCK);
    return (bytes) => writeUnlessFull(own, bytes);
  } catch {
    return undefined;
  }
}

function writeUnlessFull(fd: number, bytes: Buffer): number {
  try {
    return writeSync(fd, bytes);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EAGAIN') return 0;
    throw error;
  }
}
