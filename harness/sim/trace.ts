/**
 * What happened inside a simulation, event by event: for people (`--log`), for `storm scope`,
 * and, hashed, as proof that a replay was identical. Times are virtual ns since the start.
 * As a file (trace.jsonl) it is one event a line.
 */

export type TraceEvent =
  | MemberTrace
  | MessageTrace
  | { readonly type: 'fact'; readonly atNs: number; readonly node: string; readonly text: string }
  | { readonly type: 'disk'; readonly atNs: number; readonly node: string; readonly text: string }
  /** A nemesis step: `inject`, `injected`, `heal`, `healed`; or a phase of the simulation. */
  | {
      readonly type: 'fault';
      readonly atNs: number;
      /** Position in the plan's schedule; 0 for what is not of the schedule. */
      readonly id: number;
      readonly kind: string;
      readonly step: string;
      readonly description: string;
      readonly nodes: readonly string[];
    }
  | {
      readonly type: 'op';
      readonly atNs: number;
      readonly process: number;
      readonly node: string;
      /** invoke, ok, fail, info */
      readonly step: string;
      readonly text: string;
    }
  | { readonly type: 'failure'; readonly atNs: number; readonly text: string };

/** A member as it is from now on; traced when any of it changes but the elapsed ticks. */
export interface MemberTrace {
  readonly type: 'member';
  readonly atNs: number;
  readonly node: string;
  readonly state: 'running' | 'paused' | 'dead';
  readonly role: 'follower' | 'preCandidate' | 'candidate' | 'leader';
  readonly term: number;
  /** Node names. */
  readonly vote: string | undefined;
  readonly leader: string | undefined;
  readonly commit: number;
  readonly applied: number;
  readonly stable: number;
  readonly lastIndex: number;
  /** The log holds entries from here on. */
  readonly firstIndex: number;
  /** Terms of the last entries of the log, at most {@link LOG_TAIL_MAX}, ending at `lastIndex`. */
  readonly tailTerms: readonly number[];
  /** Ticks since the last sign of a leader, and those after which it stands for election. */
  readonly electionElapsedTicks: number;
  readonly electionTimeoutTicks: number;
  readonly tickMs: number;
}

export const LOG_TAIL_MAX = 24;

/** A message, traced when its fate is known; sent earlier than events before it in the file. */
export interface MessageTrace {
  readonly type: 'message';
  /** When it arrived or was lost. */
  readonly atNs: number;
  readonly sentNs: number;
  readonly from: string;
  readonly to: string;
  /** `MsgApp`, … */
  readonly kind: string;
  readonly term: number;
  /** In one line, as in the golden transcripts of the core. */
  readonly text: string;
  readonly fate: 'delivered' | 'lost' | 'cut' | 'dead';
}

export interface Tracer {
  trace(event: TraceEvent): void;
}
