import type { Clock } from '../ports/clock.ts';

/** Time as the kernel tells it. */
export class RealClock implements Clock {
  nowNs(): number {
    return Math.round(performance.now() * 1e6);
  }

  wallMs(): number {
    return Date.now();
  }

  every(intervalMs: number, callback: () => void): Disposable {
    const timer = setInterval(callback, intervalMs);
    return { [Symbol.dispose]: () => clearInterval(timer) };
  }

  after(delayMs: number, callback: () => void): Disposable {
    const timer = setTimeout(callback, delayMs);
    return { [Symbol.dispose]: () => clearTimeout(timer) };
  }

  soon(callback: () => void): void {
    setImmediate(callback);
  }
}
