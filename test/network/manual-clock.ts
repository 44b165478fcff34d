/** A clock that moves when it is told to, and then at once: timers run in order of their times. */
import type { Clock } from '../../src/ports/clock.ts';

interface Timer {
  readonly dueNs: number;
  readonly order: number;
  readonly callback: () => void;
}

export class ManualClock implements Clock {
  #nowNs = 0;
  #order = 0;
  readonly #timers = new Set<Timer>();

  nowNs(): number {
    return this.#nowNs;
  }

  wallMs(): number {
    return this.#nowNs / 1e6;
  }

  after(delayMs: number, callback: () => void): Disposable {
    const timer = { dueNs: this.#nowNs + delayMs * 1e6, order: this.#order++, callback };
    this.#timers.add(timer);
    return { [Symbol.dispose]: () => this.#timers.delete(timer) };
  }

  every(): Disposable {
    throw new Error('nobody here asks for it');
  }

  soon(callback: () => void): void {
    this.after(0, callback);
  }

  advance(ms: number): void {
    const endNs = this.#nowNs + ms * 1e6;
    for (;;) {
      const due = [...this.#timers].filter(({ dueNs }) => dueNs <= endNs);
      const [next] = due.sort((a, b) => a.dueNs - b.dueNs || a.order - b.order);
      if (next === undefined) break;
      this.#timers.delete(next);
      this.#nowNs = Math.max(this.#nowNs, next.dueNs);
      next.callback();
    }
    this.#nowNs = endNs;
  }
}
