/** What an operator reads. Fields are plain values; ids are formatted by the caller. */
export type LogFields = Readonly<Record<string, string | number | boolean | readonly string[]>>;

export interface Log {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
}
