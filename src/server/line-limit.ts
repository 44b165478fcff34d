import type { Clock } from '../ports/clock.ts';

/** A line of the log costs time: what comes often must not cost more by being told of. */
const LINES_PER_S_MAX = 10;
const WINDOW_NS = 1e9;

/** Decides which of many equal lines are written. */
export class LineLimit {
  readonly #clock: Pick<Clock, 'nowNs'>;
  #windowNs = Number.NEGATIVE_INFINITY;
  #lines = 0;
  #unreported = 0;

  constructor(clock: Pick<Clock, 'nowNs'>) {
    this.#clock = clock;
  }

  /** How many were left out since the last line; undefined: this one is to be left out, too. */
  take(): number | undefined {
    const nowNs = this.#clock.nowNs();
    if (nowNs - this.#windowNs >= WINDOW_NS) {
      this.#windowNs = nowNs;
      this.#lines = 0;
    }
    if (this.#lines >= LINES_PER_S_MAX) {
      this.#unreported += 1;
      return undefined;
    }
    this.#lines += 1;
    const unreported = this.#unreported;
    this.#unreported = 0;
    return unreported;
  }
}
