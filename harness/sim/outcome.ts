/** What came of a simulation. */
import type { CheckResult } from '../../checkers/checker.ts';
import type { Op } from '../../checkers/history/op.ts';
import type { FaultRecord } from '../../reports/run-record.ts';
import type { Recovery } from '../recovery.ts';

/** The first thing that went wrong; the simulation ends there. */
export interface SimFailure {
  /**
   * What noticed it: `invariant`, one of the properties that hold after every step; `oracle`, an
   * answer or a state that differs from the model's; `death`, a member that stopped by itself;
   * `liveness`, no progress after healing; `checker`, the history.
   */
  readonly by: 'invariant' | 'oracle' | 'death' | 'liveness' | 'checker';
  /** Of the property or checker: `election safety`, `register`. */
  readonly name: string;
  /** One line. */
  readonly detail: string;
  /** Virtual time since the start. */
  readonly atNs: number;
}

export interface SimOutcome {
  readonly failure: SimFailure | undefined;
  /** Of all events in order, as 16 hexadecimal digits. */
  readonly traceHash: string;
  readonly events: number;
  readonly simulatedNs: number;
  readonly history: readonly Op[];
  readonly faults: readonly FaultRecord[];
  readonly recovery: Recovery | undefined;
  readonly checks: readonly CheckResult[];
  /** From the start of the simulation to the base of the history's times. */
  readonly historyBaseNs: number;
}
