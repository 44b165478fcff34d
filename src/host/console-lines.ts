import type { DestinationStream } from 'pino';

/** Lines for people instead of JSON: time, level, message, then the fields. */
export function consoleLines(destination: DestinationStream): DestinationStream {
  return { write: (line) => destination.write(consoleLine(line)) };
}

function consoleLine(json: string): string {
  const { ts, level, msg, ...fields } = JSON.parse(json) as Record<string, unknown>;
  const rest = Object.keys(fields).length === 0 ? '' : `\t${JSON.stringify(fields)}`;
  return `${ts}\t${level}\t${msg}${rest}\n`;
}
