/** A step that a fault takes again and again while it is in place. */
import type { Clock } from '../../src/ports/clock.ts';

export class RepeatedStep {
  readonly #clock: Clock;
  readonly #everyMs: number;
  readonly #step: () => Promise<void>;
  #timer: Disposable | undefined;
  /** One step after the other, also when the cluster is slow to take them. */
  #last: Promise<void> = Promise.resolve();
  #isPending = false;
  /** Steps that succeeded. */
  count = 0;

  constructor(clock: Clock, everyMs: number, step: () => Promise<void>) {
    this.#clock = clock;
    this.#everyMs = everyMs;
    this.#step = step;
  }

  /** Takes the first step; rejects if that is refused. */
  async begin(): Promise<void> {
    await this.#take();
    this.#timer = this.#clock.every(this.#everyMs, () => {
      if (this.#isPending) return;
      this.#isPending = true;
      // A refused step is the next one's business.
      this.#last = this.#take()
        .catch(() => undefined)
        .finally(() => {
          this.#isPending = false;
        });
    });
  }

  /** Resolves when the last step has been taken; fine if none was. */
  async end(): Promise<void> {
    this.#timer?.[Symbol.dispose]();
    await this.#last;
  }

  async #take(): Promise<void> {
    await this.#step();
    this.count += 1;
  }
}
