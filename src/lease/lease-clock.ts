/** Seconds of leases ↔ ticks of a member. */
import { assert } from '../lib/assert.ts';

export interface LessorOptions {
  /** Shorter grants are raised to it; see {@link leaseTtlMinS}. */
  readonly minTtlS: number;
  readonly ticksPerS: number;
  /** What remains of a longer lease is logged this often, unless it is kept alive. */
  readonly checkpointIntervalS: number;
  /** Must be equal on all members: a grant beyond it is refused when it is applied. */
  readonly leasesMax: number;
}

/** etcd's minimum: one and a half election timeouts, in whole seconds. */
export function leaseTtlMinS(electionTimeoutMs: number): number {
  assert(electionTimeoutMs > 0, 'the election timeout is positive');
  return Math.ceil((1.5 * electionTimeoutMs) / 1_000);
}

/** Pure arithmetic; every rounding is in favour of the lease. */
export class LeaseClock {
  readonly #options: LessorOptions;

  constructor(options: LessorOptions) {
    assert(options.ticksPerS > 0 && options.checkpointIntervalS > 0, 'times are positive');
    assert(options.minTtlS > 0, 'the shortest time is positive');
    this.#options = options;
  }

  grantedTtlS(ttlS: number): number {
    return Math.max(ttlS, this.#options.minTtlS);
  }

  ticks(seconds: number): number {
    return Math.ceil(seconds * this.#options.ticksPerS);
  }

  expiryTick(nowTick: number, ttlS: number): number {
    return nowTick + this.ticks(ttlS) + LATE_TICKS_MAX;
  }

  /** May be a fraction, or negative. */
  secondsUntil(tick: number, nowTick: number): number {
    return (tick - nowTick) / this.#options.ticksPerS;
  }

  isCheckpointed(ttlS: number): boolean {
    return ttlS > this.#options.checkpointIntervalS;
  }

  /**
   * After a renewal: clients renew at a third of the time, and a checkpoint makes their next
   * renewal cost a log entry; only a lease that seems to be left alone is worth one.
   */
  firstCheckpointTick(nowTick: number, ttlS: number): number {
    return nowTick + this.ticks(Math.max(this.#options.checkpointIntervalS, ttlS / 2));
  }

  /** After a checkpoint: a twentieth is precise enough for leases of days. */
  nextCheckpointTick(nowTick: number, ttlS: number): number {
    return nowTick + this.ticks(Math.max(this.#options.checkpointIntervalS, ttlS / 20));
  }
}

/** The member's ticks lag behind the time by up to one, and two more may be made up at once. */
const LATE_TICKS_MAX = 3;
