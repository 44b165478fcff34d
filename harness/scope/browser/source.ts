/** What the page shows: a recorded trace, or a cluster that is still writing its own. */
import type { MessageTrace } from '../../sim/trace.ts';
import type { TraceIndex } from '../timeline/trace-index.ts';

export interface ScopeSource {
  readonly memberNames: readonly string[];
  readonly index: TraceIndex;
  /** The trace is known up to here. */
  readonly knownNs: number;
  /** What the timeline spans; at least `knownNs`. */
  readonly spanNs: number;
  /** Makes more known, up to `atNs`, if this source can. */
  extendTo(atNs: number): void;
  /** Sent by `atNs` and not arrived by then. */
  underWayAt(atNs: number): readonly MessageTrace[];
}

/** One moment, as all parts of the page draw it. */
export interface Frame {
  readonly source: ScopeSource;
  readonly atNs: number;
  /** Simulated to real time: what has just ended stays visible for a while of real time. */
  readonly speed: number;
}

export interface View {
  draw(frame: Frame): void;
}
