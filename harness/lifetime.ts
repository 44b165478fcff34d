/**
 * Ends well: on SIGINT, SIGTERM or an uncaught error the running command is asked to heal, tear
 * down and stop; asked twice, it stops at once. After a SIGKILL the next command's sweep does it.
 */
import { EXIT_ENVIRONMENT } from './exit-code.ts';

/** A tear-down that hangs is given up after this. */
const TEAR_DOWN_MS_MAX = 30_000;

/** Runs `command` with a signal that is aborted when the process is asked to end. */
export async function withLifetime(
  report: (line: string) => void,
  command: (signal: AbortSignal) => Promise<number>,
): Promise<number> {
  const ending = new AbortController();
  const end = (why: string): void => {
    if (ending.signal.aborted) {
      report(`${why} again: stopping at once; the next storm command sweeps`);
      process.exit(EXIT_ENVIRONMENT);
    }
    report(`${why}: healing and tearing down`);
    ending.abort();
    setTimeout(() => {
      report('tearing down takes too long; the next storm command sweeps');
      process.exit(EXIT_ENVIRONMENT);
    }, TEAR_DOWN_MS_MAX).unref();
  };
  process.on('SIGINT', () => end('SIGINT'));
  process.on('SIGTERM', () => end('SIGTERM'));
  process.on('uncaughtException', (error) => {
    report(error.stack ?? error.message);
    end('uncaught error');
  });
  const status = await command(ending.signal);
  return ending.signal.aborted ? EXIT_ENVIRONMENT : status;
}
