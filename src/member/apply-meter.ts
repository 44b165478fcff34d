import type { Entry } from '../raft/message.ts';

/** Watches how long entries take to be applied; nothing may depend on it. */
export interface ApplyMeter {
  /** Some entries are about to be applied, one after the other. */
  begin(): void;
  /** The next of them has been. */
  applied(entry: Entry): void;
}
