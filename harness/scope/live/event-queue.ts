/** What is to happen when: by time, and at the same time in the order in which it was asked for. */

interface Waiting {
  readonly atNs: number;
  readonly run: () => void;
}

export class EventQueue {
  /** The latest first, so that the next is taken from the end. */
  readonly #waiting: Waiting[] = [];

  push(atNs: number, run: () => void): void {
    let low = 0;
    let high = this.#waiting.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#waiting[middle]!.atNs > atNs) low = middle + 1;
      else high = middle;
    }
    this.#waiting.splice(low, 0, { atNs, run });
  }

  /** The next one, if it is at `untilNs` or before. */
  takeUntil(untilNs: number): Waiting | undefined {
    const next = this.#waiting.at(-1);
    return next === undefined || next.atNs > untilNs ? undefined : this.#waiting.pop();
  }
}
