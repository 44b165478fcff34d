/** A clock for tests: time jumps to the next timer whenever nothing else is left to do. */
import type { Clock } from '../../src/ports/clock.ts';

interface Timer {
  readonly dueNs: number;
  readonly order: number;
  readonly callback: () => void;
}

export class VirtualClock implements Clock {
  #nowNs = 0;
  #order = 0;
  #isPumping = false;
  readonly #timers = new Set<Timer>();

  nowNs(): number {
    return this.#nowNs;
  }

  wallMs(): number {
    return Date.UTC(2025, 0, 1) + this.#nowNs / 1e6;
  }

  after(delayMs: number, callback: () => void): Disposable {
    const dueNs = this.#nowNs + Math.max(0, delayMs) * 1e6;
    const timer = { dueNs, order: this.#order++, callback };
    this.#timers.add(timer);
    this.#pump();
    return { [Symbol.dispose]: () => this.#timers.delete(timer) };
  }

  every(intervalMs: number, callback: () => void): Disposable {
    let current: Disposable;
    const again = (): void => {
      current = this.after(intervalMs, again);
      callback();
    };
    current = this.after(intervalMs, again);
    return { [Symbol.dispose]: () => current[Symbol.dispose]() };
  }

  soon(callback: () => void): void {
    setImmediate(callback);
  }

  /** One timer per turn of the event loop, so that promises and files get theirs between. */
  #pump(): void {
    if (this.#isPumping) return;
    this.#isPumping = true;
    setImmediate(() => {
      this.#isPumping = false;
      const next = [...this.#timers].sort((a, b) => a.dueNs - b.dueNs || a.order - b.order)[0];
      if (next === undefined) return;
      this.#timers.delete(next);
      this.#nowNs = Math.max(this.#nowNs, next.dueNs);
      next.callback();
      this.#pump();
    });
  }
}
