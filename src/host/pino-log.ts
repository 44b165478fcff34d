import { type DestinationStream, type Logger, pino } from 'pino';
import type { Log, LogFields } from '../ports/log.ts';

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'panic', 'fatal'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** JSON lines on stderr, as etcd logs: `level`, `ts`, `msg`, and the fields of the event. */
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
