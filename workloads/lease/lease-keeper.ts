/**
 * Renewals in the background, as client libraries make them; but also so late that the lease may
 * have ended, or is just ending, when they arrive.
 */

import { fieldsOf } from '../../checkers/history/guards.ts';
import type { Json } from '../../checkers/history/op.ts';
import type { LeaseId } from '../../src/lib/ids.ts';
import type { Random } from '../../src/ports/random.ts';
import type { Background } from '../background.ts';
import type { LeaseClient } from '../full-client.ts';

/** How often a lease is renewed: after so many per cent of its time, and some ms. */
export interface KeepPace {
  /** 0: never. */
  readonly percent: number;
  readonly lateMs: number;
}

export interface GrantedLease {
  readonly id: LeaseId;
  readonly ttlS: number;
}

const NEVER: KeepPace = { percent: 0, lateMs: 0 };
/** A third of the time, as client libraries do. */
const DILIGENT: KeepPace = { percent: 33, lateMs: 0 };
/** Leaders look for expired leases twice a second. */
const LATE_MS_MAX = 800;

/** In the value of an operation: {keepPercent, keepLateMs}. */
export function drawKeepPace(random: Random): { readonly [field: string]: Json } {
  const late = { percent: 100, lateMs: random.below(LATE_MS_MAX) };
  const half = { percent: 50 + random.below(50), lateMs: 0 };
  const { percent, lateMs } = [NEVER, DILIGENT, half, late][random.below(4)]!;
  return { keepPercent: percent, keepLateMs: lateMs };
}

export function keepPaceOf(value: Json): KeepPace {
  const { keepPercent = 0, keepLateMs = 0 } = fieldsOf(value) ?? {};
  return { percent: Number(keepPercent), lateMs: Number(keepLateMs) };
}

export class LeaseKeeper {
  readonly #client: Pick<LeaseClient, 'leaseKeepAlive'>;
  readonly #background: Background;
  #kept: GrantedLease | undefined;

  constructor(client: Pick<LeaseClient, 'leaseKeepAlive'>, background: Background) {
    this.#client = client;
    this.#background = background;
  }

  /** Until the lease is gone, another is kept, or {@link stop}. */
  keep(lease: GrantedLease, pace: KeepPace, timeoutMs: number): void {
    this.#kept = undefined;
    if (pace.percent === 0) return;
    this.#kept = lease;
    void this.#run(lease, pace, timeoutMs);
  }

  stop(): void {
    this.#kept = undefined;
  }

  async #run(lease: GrantedLease, pace: KeepPace, timeoutMs: number): Promise<void> {
    const everyMs = lease.ttlS * 10 * pace.percent + pace.lateMs;
    for (;;) {
      await this.#background.wait(everyMs);
      if (this.#kept !== lease || this.#background.isOver()) return;
      const renewed = await this.#client.leaseKeepAlive(lease.id, { timeoutMs });
      if (renewed.ok && renewed.value.result.ttlS === 0) return;
    }
  }
}
