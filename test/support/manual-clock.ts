import type { Clock } from '../../src/ports/clock.ts';

/** Time that passes only when the test says so, a millisecond at a time. */
export class ManualClock implements Clock {
  #nowMs = 0;
  #timers = new Set<Timer>();
  #soon: (() => void)[] = [];

  nowNs(): number {
    return this.#nowMs * 1e6;
  }

  wallMs(): number {
    return 1_700_000_000_000 + this.#nowMs;
  }

  every(intervalMs: number, callback: () => void): Disposable {
    return this.#add({ dueMs: this.#nowMs + intervalMs, intervalMs, callback });
  }

  after(delayMs: number, callback: () => void): Disposable {
    return this.#add({ dueMs: this.#nowMs + delayMs, intervalMs: undefined, callback });
  }

  soon(callback: () => void): void {
    this.#soon.push(callback);
  }

  /** Lets time pass; after each millisecond everything that it set off comes to rest. */
  async pass(durationMs: number): Promise<void> {
    for (let i = 0; i < durationMs; i++) {
      this.#nowMs += 1;
      for (const timer of [...this.#timers]) this.#fire(timer);
      await this.settle();
    }
  }

  /** Runs what is due now, and what that leads to, until nothing is left. */
  async settle(): Promise<void> {
    const QUIET_TURNS = 3;
    for (let quiet = 0; quiet < QUIET_TURNS; quiet++) {
      const due = this.#soon.splice(0);
      if (due.length > 0) quiet = -1;
      for (const callback of due) callback();
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  #add(timer: Timer): Disposable {
    this.#timers.add(timer);
    return { [Symbol.dispose]: () => void this.#timers.delete(timer) };
  }

  #fire(timer: Timer): void {
    if (timer.dueMs > this.#nowMs || !this.#timers.has(timer)) return;
    if (timer.intervalMs === undefined) this.#timers.delete(timer);
    else timer.dueMs += timer.intervalMs;
    timer.callback();
  }
}

interface Timer {
  dueMs: number;
  readonly intervalMs: number | undefined;
  readonly callback: () => void;
}
