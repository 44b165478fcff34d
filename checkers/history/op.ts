/**
 * The history: what clients and the nemesis did and saw, in the order the harness saw it.
 * Vocabulary and rules are Jepsen's. Stored as JSON Lines, one op a line (history.jsonl).
 */

/** JSON, because histories are files. */
export type Json =
  | null
  | boolean
  | number
  | string
  | readonly Json[]
  | { readonly [field: string]: Json };

/**
 * `invoke` starts an operation; exactly one completion of the same process follows:
 * `ok` it happened; `fail` it certainly did not; `info` nobody knows, for ever: the process
 * retires, and the operation may still take effect at any later time.
 * Nemesis ops are `info` pairs: one when the fault is asked for, one when it is in place.
 */
export type OpType = 'invoke' | 'ok' | 'fail' | 'info';

export interface Op {
  /** Position in the history, from 0, without gaps: the total order of what was observed. */
  readonly index: number;
  /** Integer nanoseconds since the run's single monotonic base. */
  readonly time: number;
  /** Logical single-threaded client, ≥ 0; or the nemesis. */
  readonly process: number | 'nemesis';
  readonly type: OpType;
  /** The function, e.g. `read`, `write`, `cas`, `add`; faults use their own names. */
  readonly f: string;
  readonly value: Json;
  /** Member the client talked to. */
  readonly node?: string;
  /** Why it is `fail` or `info`: the server's words or the transport's. */
  readonly error?: string;
  /** Store revision in the response header, where there was one. */
  readonly revision?: number;
}
