/** One flag, as the help text and docs/operations.md show it. */
export interface FlagSpec {
  /** What it takes; undefined: a switch, which may stand alone. */
  readonly argument: string | undefined;
  /** The value if nobody gives one, as it would be typed; empty: none. */
  readonly fallback: string;
  readonly help: string;
}
