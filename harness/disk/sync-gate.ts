/** Where every fsync passes: runs it off the main thread, adds the delay asked for, counts. */

import { fdatasync, fsync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { DiskCounter } from '../cluster/cluster.ts';

const syncAll = promisify(fsync);
const syncData = promisify(fdatasync);

export class SyncGate {
  #delayMs: number;
  #syncs = 0;
  #delayedSyncs = 0;
  #delayedTotalMs = 0;

  constructor(delayMs: number) {
    this.#delayMs = delayMs;
  }

  /** For the syncs that start from now on; those already waiting keep their delay. */
  setDelay(delayMs: number): void {
    this.#delayMs = delayMs;
  }

  counters(): DiskCounter {
    return {
      syncs: this.#syncs,
      delayedSyncs: this.#delayedSyncs,
      delayedMeanMs: this.#delayedSyncs === 0 ? 0 : this.#delayedTotalMs / this.#delayedSyncs,
    };
  }

  /**
   * Syncs the backing file for real, then waits, `extraMs` longer than it would. Rejects with the
   * errno of fsync(2), uncounted.
   */
  async sync(fd: number, dataOnly: boolean, extraMs = 0): Promise<void> {
    const delayMs = this.#delayMs + extraMs;
    await (dataOnly ? syncData(fd) : syncAll(fd));
    if (delayMs > 0) {
      const waitedMs = await waitAtLeast(delayMs);
      this.#delayedTotalMs += waitedMs;
      this.#delayedSyncs++;
    }
    this.#syncs++;
  }
}

/** Waits `durationMs` or longer, and says how long. A timer alone may fire a little early. */
export async function waitAtLeast(durationMs: number): Promise<number> {
  const startMs = performance.now();
  let elapsedMs = 0;
  while (elapsedMs < durationMs) {
    const leftMs = durationMs - elapsedMs;
    // Timers count whole milliseconds: the last one is waited for in turns of the event loop.
    await (leftMs >= 1 ? sleep(Math.floor(leftMs)) : nextTurn());
    elapsedMs = performance.now() - startMs;
  }
  return elapsedMs;
}
