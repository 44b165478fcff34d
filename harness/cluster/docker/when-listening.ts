/** Calls to a program inside a node that may still be on its way. */

import { setTimeout as sleep } from 'node:timers/promises';

/** How long a program inside a node may take to answer for the first time, and between tries. */
const READY_TIMEOUT_MS = 20_000;
const READY_RETRY_MS = 25;

/** Tries again until the program inside listens, for a limited time; then its last failure. */
export async function whenListening<T>(call: () => Promise<T>): Promise<T> {
  const deadlineMs = Date.now() + READY_TIMEOUT_MS;
  for (;;) {
    try {
      return await call();
    } catch (error) {
      if (Date.now() > deadlineMs) throw error;
      await sleep(READY_RETRY_MS);
    }
  }
}
