/** Time, as the server sees it. The simulator moves it; the host reads it from the kernel. */
export interface Clock {
  /** Monotonic nanoseconds from an arbitrary start; never goes back. */
  nowNs(): number;
  /** Wall clock in milliseconds since 1970; may jump, so only ids and logs may use it. */
  wallMs(): number;
  /** Runs `callback` every `intervalMs` until the timer is disposed. Late ticks are not made up. */
  every(intervalMs: number, callback: () => void): Disposable;
  /** Runs `callback` once, `delayMs` from now, unless the timer is disposed before. */
  after(delayMs: number, callback: () => void): Disposable;
  /** Runs `callback` after the current turn, behind input that has already arrived. */
  soon(callback: () => void): void;
}
