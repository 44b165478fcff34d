import type { Clock } from '../../src/ports/clock.ts';

interface Timer {
  dueMs: number;
  readonly intervalMs: number | undefined;
  readonly callback: () => void;
}

/** Time that jumps from one timer to the next, so that a minute of a test costs nothing. */
export class StepClock implements Clock {
  #nowMs = 0;
  readonly #timers = new Set<Timer>();

  get nowMs(): number {
    return this.#nowMs;
  }

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
    setImmediate(callback);
  }

  /** Timers that are still running. */
  get pending(): number {
    return this.#timers.size;
  }

  async pass(durationMs: number): Promise<void> {
    const endMs = this.#nowMs + durationMs;
    await settle();
    for (;;) {
      const next = [...this.#timers].sort((a, b) => a.dueMs - b.dueMs)[0];
      if (next === undefined || next.dueMs > endMs) break;
      this.#nowMs = Math.max(this.#nowMs, next.dueMs);
      if (next.intervalMs === undefined) this.#timers.delete(next);
      else next.dueMs += next.intervalMs;
      next.callback();
      await settle();
    }
    this.#nowMs = endMs;
  }

  #add(timer: Timer): Disposable {
    this.#timers.add(timer);
    return { [Symbol.dispose]: () => void this.#timers.delete(timer) };
  }
}

/** Input that has arrived meanwhile goes first. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Lets everything that was set off come to rest. */
export async function settle(): Promise<void> {
  const TURNS = 12;
  for (let done = 0; done < TURNS; done++) await turn();
}
