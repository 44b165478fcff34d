/** The one place where ops get their index and time, so that the history is totally ordered. */
import type { Op } from '../checkers/history/op.ts';
import type { Clock } from '../src/ports/clock.ts';

/** What is recorded; index and time are the recorder's. */
export type OpEntry = Omit<Op, 'index' | 'time'>;

/** Keeps checkers and browsers within a few GB. When it is reached, clients are asked no more. */
export const HISTORY_OPS_MAX = 2_000_000;

/** Collects the history in memory and hands each op on as it happens. */
export class Recorder {
  readonly #clock: Clock;
  readonly #baseNs: number;
  readonly #onOp: (op: Op) => void;
  readonly #history: Op[] = [];

  /** The run's single monotonic base is now. */
  constructor(clock: Clock, onOp: (op: Op) => void) {
    this.#clock = clock;
    this.#baseNs = clock.nowNs();
    this.#onOp = onOp;
  }

  /** Integer nanoseconds since the run's base. */
  nowNs(): number {
    return Math.round(this.#clock.nowNs() - this.#baseNs);
  }

  record(entry: OpEntry): Op {
    const op: Op = { index: this.#history.length, time: this.nowNs(), ...entry };
    this.#history.push(op);
    this.#onOp(op);
    return op;
  }

  get history(): readonly Op[] {
    return this.#history;
  }

  /** No further invocations, please; completions and the nemesis may still record. */
  get isFull(): boolean {
    return this.#history.length >= HISTORY_OPS_MAX;
  }
}
