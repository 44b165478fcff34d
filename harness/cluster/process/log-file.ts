/** The members' logs: written by the members themselves, kept to a size by the harness. */

import { closeSync, openSync, readSync, statSync, truncateSync, writeSync } from 'node:fs';

/** A log above this starts over: it has told its story many times. */
export const LOG_BYTES_MAX = 268_435_456;
const CHECK_MS = 5_000;
const TAIL_BYTES = 4096;

/** Opens `path` for appending, to be inherited by the process that logs. Close it afterwards. */
export function openLog(path: string): number {
  return openSync(path, 'a', 0o644);
}

/** Watches the sizes of these logs until {@link AbortSignal} `ended` aborts. */
export function boundLogs(paths: readonly string[], ended: AbortSignal): void {
  const timer = setInterval(() => {
    for (const path of paths) {
      if (logSizeBytes(path) > LOG_BYTES_MAX) startOver(path);
    }
  }, CHECK_MS);
  timer.unref();
  ended.addEventListener('abort', () => clearInterval(timer), { once: true });
}

export function logSizeBytes(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

/** The last lines that were written at or after `startBytes`. */
export function logTail(path: string, startBytes = 0): string {
  const sizeBytes = logSizeBytes(path);
  const at = Math.max(startBytes, sizeBytes - TAIL_BYTES);
  if (at >= sizeBytes) return '';
  const tail = Buffer.alloc(sizeBytes - at);
  const fd = openSync(path, 'r');
  const readBytes = readSync(fd, tail, 0, tail.length, at);
  closeSync(fd);
  return tail.toString('utf8', 0, readBytes);
}

/** The members append, so what they write next lands behind the note. */
function startOver(path: string): void {
  truncateSync(path, 0);
  const fd = openLog(path);
  writeSync(fd, `-- earlier lines dropped: the log had grown past ${LOG_BYTES_MAX} bytes --\n`);
  closeSync(fd);
}
