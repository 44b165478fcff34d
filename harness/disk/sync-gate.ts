/** Where every fsync passes: runs it off the main thread, adds the delay asked for, counts. */

import { fdatasync, fsync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { DiskCounter } from '../cluster/cluster.ts';

/** Longest delay that can be asked for. */
export const FSYNC_DELAY_MS_MAX = 600_000;

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

  /** Syncs the backing file for real, then waits. Rejects with the errno of fsync(2), uncounted. */
  async sync(fd: number, dataOnly: boolean): Promise<void> {
    const delayMs = this.#delayMs;
    await (dataOnly ? syncData(fd) : syncAll(fd));
    if (delayMs > 0) {
      const waitedMs = await atLeast(delayMs);
      this.#delayedTotalMs += waitedMs;
      this.#delayedSyncs++;
    }
    this.#syncs++;
  }
}

/** Waits `durationMs` or longer, and says how long. A timer alone may fire a little early. */
async function atLeast(durationMs: number): Promise<number> {
  const startMs = performance.now();
  let elapsedMs = 0;
  while (elapsedMs < durationMs) {
    await sleep(Math.ceil(durationMs - elapsedMs));
    elapsedMs = performance.now() - startMs;
  }
  return elapsedMs;
}
