/** Members say what matters as facts; the lines of their logs are not kept in a simulation. */
import type { Log } from '../../src/ports/log.ts';

export const silentLog: Log = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};
