/**
 * Crashes where they are hardest to bear: while a member puts a snapshot in place, or soon after
 * it has. No fault of a schedule meets such a moment often; the machine is back at once.
 */
import type { Random } from '../../src/ports/random.ts';
import type { SimCluster } from './cluster.ts';
import type { SimLoop } from './loop.ts';
import type { SimDiskOptions } from './plan.ts';

/** To check a file, rename it and note it in the log takes a few syncs. */
const SYNCS_MAX = 8;

export interface SnapshotCrashesParts {
  readonly loop: SimLoop;
  readonly cluster: SimCluster;
  readonly random: Random;
  readonly disk: SimDiskOptions;
}

export class SnapshotCrashes {
  readonly #parts: SnapshotCrashesParts;
  #isOver = false;

  constructor(parts: SnapshotCrashesParts) {
    this.#parts = parts;
  }

  /** A snapshot has reached the member of that machine. */
  arrived(name: string): void {
    const { loop, cluster, random, disk } = this.#parts;
    if (this.#isOver || disk.snapshotCrashPercent === 0) return;
    if (random.below(100) >= disk.snapshotCrashPercent) return;
    const node = cluster.node(name);
    const { life } = node;
    loop.schedule(random.below(SYNCS_MAX * disk.syncUs[1]) * 1e3, () => {
      if (this.#isOver || life === undefined || node.life !== life) return;
      void cluster.kill(name);
      node.start();
    });
  }

  /** From now on there are none. */
  end(): void {
    this.#isOver = true;
  }
}
