/** What a person sees while a run goes on: lines when piped, also one live line on a terminal. */

export interface Progress {
  /** A line that stays: a stage begun, a figure, a verdict. */
  print(line: string): void;
  /** Replaces the live line; nothing when output is not a terminal. */
  live(line: string): void;
}

/** The part of a stream that this needs. */
export interface ProgressStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

const COLUMNS_DEFAULT = 80;
const CLEAR_LINE = '\r\u001b[2K';

export function openProgress(stream: ProgressStream): Progress {
  const isTerminal = stream.isTTY === true;
  let isLive = false;
  const clear = (): void => {
    if (isLive) stream.write(CLEAR_LINE);
    isLive = false;
  };
  return {
    print: (line) => {
      clear();
      stream.write(`${line}\n`);
    },
    live: (line) => {
      if (!isTerminal) return;
      clear();
      stream.write(line.slice(0, (stream.columns ?? COLUMNS_DEFAULT) - 1));
      isLive = true;
    },
  };
}
