/** A recorded simulation, as the page plays it. */
import type { TraceEvent } from '../sim/trace.ts';

export interface ScopeTrace {
  /** Heading of the page, e.g. the command that made the trace. */
  readonly title: string;
  readonly seed: number;
  /** In the order in which they stand on the ring. */
  readonly memberNames: readonly string[];
  /** Virtual time of the end; no event is later. */
  readonly durationNs: number;
  /** By `atNs`; those of equal time in the order in which they happened. */
  readonly events: readonly TraceEvent[];
}

/** What of a trace stands in the page as it is; the events are packed (pack.ts). */
export type ScopeHead = Omit<ScopeTrace, 'events'>;
