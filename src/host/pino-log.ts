import { closeSync, openSync } from 'node:fs';
import { type DestinationStream, destination, type Logger, pino } from 'pino';
import { err, ok, type Result } from '../lib/result.ts';
import type { Log, LogFields } from '../ports/log.ts';
import { consoleLines } from './console-lines.ts';
import { openLogPipe } from './log-pipe.ts';

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'panic', 'fatal'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export interface LogOptions {
  /** `stdout`, `stderr` or paths of files, which are appended to. */
  readonly outputs: readonly string[];
  readonly format: 'json' | 'console';
}

/** The error names the file that cannot be written. */
export function openLog(level: LogLevel, options: LogOptions): Result<Log, string> {
  const streams: DestinationStream[] = [];
  for (const output of options.outputs) {
    const opened = openOutput(output);
    if (!opened.ok) return opened;
    streams.push(opened.value);
  }
  const stream: DestinationStream = {
    write: (line) => {
      for (const each of streams) each.write(line);
    },
  };
  return ok(createLog(level, options.format === 'console' ? consoleLines(stream) : stream));
}

/** Synchronous, so that the last line before an exit is not lost. */
function openOutput(output: string): Result<DestinationStream, string> {
  if (output === 'stdout') return ok(openStream(1));
  if (output === 'stderr') return ok(openStream(2));
  try {
    closeSync(openSync(output, 'a', 0o600));
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    return err(`${output} cannot be written (${code}); check that its directory exists`);
  }
  return ok(destination({ dest: output, append: true, sync: true }));
}

function openStream(fd: number): DestinationStream {
  return openLogPipe(fd) ?? destination({ fd, sync: true });
}

/** JSON lines, as etcd logs: `level`, `ts`, `msg`, and the fields of the event. */
export function createLog(level: LogLevel, destination: DestinationStream): Log {
  const logger = pino(
    {
      level: level === 'panic' ? 'fatal' : level,
      base: null,
      timestamp: () => `,"ts":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
    },
    destination,
  );
  return adapt(logger);
}

function adapt(logger: Logger): Log {
  return {
    debug: (message: string, fields: LogFields = {}) => logger.debug(fields, message),
    info: (message: string, fields: LogFields = {}) => logger.info(fields, message),
    warn: (message: string, fields: LogFields = {}) => logger.warn(fields, message),
    error: (message: string, fields: LogFields = {}) => logger.error(fields, message),
  };
}
