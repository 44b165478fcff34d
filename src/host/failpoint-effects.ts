import { writeSync } from 'node:fs';

/** What a failpoint does to this process. */

/** Holds up the thread: nobody is answered, no timer runs. */
export function blockThread(delayMs: number): void {
  if (delayMs > 0) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, delayMs);
}

/**
 * Ends the process as an unrecovered panic of Go does: a line on stderr, exit code 2, and nothing
 * is flushed, closed or answered. What was handed to the kernel, or to the thread pool, is done.
 */
export function panicProcess(message: string): never {
  writeLine(`panic: ${message}`);
  process.removeAllListeners('exit');
  return process.exit(PANIC_EXIT_CODE);
}

export function breakIntoDebugger(): void {
  // biome-ignore lint/suspicious/noDebugger: this is what the action `break` is for
  debugger;
}

/** To stderr, before it returns. Nobody who reads it: then it is lost. */
export function writeLine(line: string): void {
  try {
    writeSync(2, `${line}\n`);
  } catch {
    // A full or closed pipe must not change what the point does.
  }
}

const PANIC_EXIT_CODE = 2;
