/** The lease behind a lock or a candidacy. */
import type { LeaseId } from '../lib/ids.ts';
import { ok, type Result } from '../lib/result.ts';
import type { Clock } from '../ports/clock.ts';
import type { Call } from './call.ts';
import type { ServiceError } from './errors.ts';
import type { LeaseService } from './lease.ts';

/** What a client gets that brings no lease, in seconds; renewed only while its call waits. */
const SESSION_TTL_S = 60;

export interface SessionParts {
  readonly leases: Pick<LeaseService, 'grant' | 'renew' | 'revoke'>;
  readonly clock: Clock;
}

/**
 * A lease that the client brought stays its own business: it keeps it alive, or loses what hangs
 * on it. One granted here lives as long as the call, and then its time: the client that got the
 * lock must be done by then, or keep it alive under the id that the key tells.
 */
export class Session {
  readonly lease: LeaseId;
  readonly isOwn: boolean;
  readonly #parts: SessionParts;
  readonly #call: Call;
  #timer: Disposable | undefined;
  #isEnded = false;

  private constructor(parts: SessionParts, call: Call, lease: LeaseId, ownTtlS?: number) {
    this.#parts = parts;
    this.#call = call;
    this.lease = lease;
    this.isOwn = ownTtlS !== undefined;
    if (ownTtlS !== undefined) {
      const intervalMs = (ownTtlS * 1_000) / 3;
      this.#timer = parts.clock.every(intervalMs, () => void this.#renew());
    }
  }

  static async open(
    parts: SessionParts,
    lease: LeaseId,
    call: Call,
  ): Promise<Result<Session, ServiceError>> {
    if (lease !== 0n) return ok(new Session(parts, call, lease));
    const granted = await parts.leases.grant({ id: 0n, ttlS: SESSION_TTL_S }, call.caller);
    if (!granted.ok) return granted;
    return ok(new Session(parts, call, granted.value.id, granted.value.ttlS));
  }

  /** The client has what it wanted: the lease is its own from now on. */
  leave(): void {
    this.#isEnded = true;
    this.#timer?.[Symbol.dispose]();
    this.#timer = undefined;
  }

  /** The client gets nothing: a lease granted here goes, with the keys on it. */
  async abandon(): Promise<void> {
    this.leave();
    // One that stays after all ends by itself.
    if (this.isOwn) await this.#parts.leases.revoke(this.lease, this.#call.caller);
  }

  async #renew(): Promise<void> {
    // Whoever waits finds out by its key if this was in vain.
    await this.#parts.leases.renew(this.lease, () => this.#isEnded);
  }
}
