import { Device } from '../../../harness/sim/disk/device.ts';
import { DiskFaults } from '../../../harness/sim/disk/disk-faults.ts';
import { SimDisk } from '../../../harness/sim/disk/sim-disk.ts';
import type { SimDiskOptions } from '../../../harness/sim/plan.ts';
import type { Random } from '../../../src/ports/random.ts';
import { smallRandom } from '../../support/small-random.ts';

export const OPTIONS: SimDiskOptions = {
  writeUs: [10, 40],
  syncUs: [500, 3000],
  processKillPercent: 50,
  snapshotCrashPercent: 0,
};

/** One node's disk and its time, which passes when the test says so. */
export class Machine {
  readonly device: Device = new Device();
  readonly faults: DiskFaults = new DiskFaults();
  readonly told: string[] = [];
  draws = 0;
  nowNs = 0;
  readonly #random = smallRandom(1);
  #life = 0;
  /** Of the living process; a dead one never wakes. */
  #sleepers: { readonly wakeNs: number; readonly wake: () => void }[] = [];

  start(options: SimDiskOptions = OPTIONS): SimDisk {
    const { device, faults } = this;
    const life = ++this.#life;
    return new SimDisk({
      device,
      faults,
      options,
      random: this.#countedRandom(),
      sleep: (delayNs) => {
        const { promise, resolve } = Promise.withResolvers<void>();
        const wakeNs = this.nowNs + delayNs;
        if (life === this.#life) this.#sleepers.push({ wakeNs, wake: resolve });
        return promise;
      },
      nowNs: () => this.nowNs,
      onOperation: (text) => this.told.push(text),
    });
  }

  /** Nothing of the process happens any more. */
  kill(): void {
    this.#life++;
    this.#sleepers = [];
  }

  /** Lets everything happen that is due up to `untilNs`. */
  async pass(untilNs: number = Number.POSITIVE_INFINITY): Promise<void> {
    for (;;) {
      await settled();
      const next = this.#sleepers.reduce(
        (first, sleeper) =>
          first === undefined || sleeper.wakeNs < first.wakeNs ? sleeper : first,
        this.#sleepers[0],
      );
      if (next === undefined || next.wakeNs > untilNs) break;
      this.#sleepers.splice(this.#sleepers.indexOf(next), 1);
      this.nowNs = Math.max(this.nowNs, next.wakeNs);
      next.wake();
    }
    if (Number.isFinite(untilNs)) this.nowNs = Math.max(this.nowNs, untilNs);
  }

  /** The result of `work` when all its time has passed. */
  async finished<Value>(work: Promise<Value>): Promise<Value> {
    // A rejection is the caller's to see, but not before time has passed.
    work.catch(() => undefined);
    await this.pass();
    return work;
  }

  #countedRandom(): Random {
    return {
      below: (bound) => {
        this.draws++;
        return this.#random.below(bound);
      },
      uint64: () => 0n,
      fork: () => this.#countedRandom(),
    };
  }
}

/** After all that follows from what has happened, without any time passing. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
