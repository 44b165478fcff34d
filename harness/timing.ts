/** Waiting, on an injected clock, so that tests need no real time. */
import type { Clock } from '../src/ports/clock.ts';

/** Resolves after `delayMs`, or at once when `signal` is or becomes aborted. */
export function sleep(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const done = (): void => {
      timer[Symbol.dispose]();
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const timer = clock.after(delayMs, done);
    signal?.addEventListener('abort', done);
  });
}

/** What `work` resolves with, or `undefined` after `limitMs`; `work` is not cancelled. */
export function within<Value>(
  clock: Clock,
  limitMs: number,
  work: Promise<Value>,
): Promise<Value | undefined> {
  return new Promise((resolve, reject) => {
    const timer = clock.after(limitMs, () => resolve(undefined));
    work.then(resolve, reject).finally(() => timer[Symbol.dispose]());
  });
}

/** Asks `condition` every `intervalMs` until it holds (true) or `limitMs` have passed (false). */
export async function waitUntil(
  clock: Clock,
  options: { readonly intervalMs: number; readonly limitMs: number; readonly signal?: AbortSignal },
  condition: () => Promise<boolean>,
): Promise<boolean> {
  const endNs = clock.nowNs() + options.limitMs * 1e6;
  while (!options.signal?.aborted) {
    if (await condition()) return true;
    if (clock.nowNs() >= endNs) return false;
    await sleep(clock, options.intervalMs, options.signal);
  }
  return false;
}
