/**
 * The leases. Which there are, their granted times and their keys is replicated: changed by
 * applied entries only, equal on all members. When they expire is known to the leader alone
 * (etcd: the primary lessor), in ticks of its own, and never decides anything by itself: it
 * becomes a revoke that goes through the log.
 *
 * A lease is never revoked before the time its client was told has passed. A new leader does not
 * know of renewals, so it starts every lease anew, or at what the leaders before logged of it (a
 * checkpoint). A logged time is shorter than what the next renewal promises, so it must be
 * taken back in the log before that renewal: see {@link Lessor.checkpointMark}.
 */
import { assert } from '../lib/assert.ts';
import type { LeaseId } from '../lib/ids.ts';
import { err, ok, type Result } from '../lib/result.ts';
import { Attachments } from './attachments.ts';
import { DueQueue } from './due-queue.ts';
import { LeaseClock, type LessorOptions } from './lease-clock.ts';

export type { LessorOptions };

/** What a checkpoint of the store holds of a lease. */
export interface LeaseRecord {
  readonly id: LeaseId;
  /** As granted. */
  readonly ttlS: number;
  /** Logged by a leader; 0: as granted. */
  readonly remainingTtlS: number;
}

export interface LeaseTimes {
  /** Whole seconds left; 0 once expired. */
  readonly ttlS: number;
  readonly grantedTtlS: number;
}

/** A lease's remaining time, to be logged. */
export interface DueLeaseCheckpoint {
  readonly id: LeaseId;
  readonly remainingTtlS: number;
}

/** `noSpace`: there are as many as there may be. `leaseNotFound`: 0 is no id (both as etcd). */
export type GrantError = 'leaseExists' | 'leaseTtlTooLarge' | 'leaseNotFound' | 'noSpace';

/** `leaseExpired`: a revoke was asked for; whoever renews waits until it is applied, or not. */
export type RenewError = 'leaseNotFound' | 'notPrimary' | 'leaseExpired';

/** Longest time a lease may be granted for, in seconds. */
export const LEASE_TTL_MAX_S = 9_000_000_000;

interface Lease {
  record: LeaseRecord;
  /** Leader only, as all below. */
  expiryTick: number;
  /** A revoke was asked for and is not asked for again before; 0: none was. */
  revokeAgainTick: number;
  checkpointTick: number;
  /** Of the newest checkpoint asked for that may still be applied; 0: none. */
  mark: number;
  isGone: boolean;
}

export class Lessor {
  readonly #clock: LeaseClock;
  readonly #leasesMax: number;
  readonly #leases = new Map<LeaseId, Lease>();
  readonly #attachments = new Attachments();
  #isPrimary = false;
  #expiries: DueQueue<Lease> = new DueQueue(BY_EXPIRY);
  /** Only leases long enough to be checkpointed. */
  #checkpoints: DueQueue<Lease> = new DueQueue(BY_CHECKPOINT);
  #marks = 0;

  /** Keys are attached afterwards, by {@link keyChanged}. */
  constructor(options: LessorOptions, from: Iterable<LeaseRecord> = []) {
    assert(options.leasesMax > 0, 'lessor: room for no lease');
    this.#clock = new LeaseClock(options);
    this.#leasesMax = options.leasesMax;
    for (const { id, ttlS, remainingTtlS } of from) {
      const granted = this.#clock.grantedTtlS(ttlS);
      const remaining = Math.min(Math.max(remainingTtlS, 0), granted);
      this.#leases.set(id, newLease({ id, ttlS: granted, remainingTtlS: remaining }));
    }
  }

  get count(): number {
    return this.#leases.size;
  }

  /** True between {@link promote} and {@link demote}. */
  get isPrimary(): boolean {
    return this.#isPrimary;
  }

  has(id: LeaseId): boolean {
    return this.#leases.has(id);
  }

  /** Soonest to expire first; where that is not known, by id. */
  ids(): readonly LeaseId[] {
    const leases = [...this.#leases.values()];
    leases.sort((a, b) => {
      if (this.#isPrimary && a.expiryTick !== b.expiryTick) return a.expiryTick - b.expiryTick;
      return a.record.id < b.record.id ? -1 : 1;
    });
    return leases.map(({ record }) => record.id);
  }

  /** In byte order. */
  keysOf(id: LeaseId): readonly Uint8Array[] {
    return this.#attachments.keysOf(id);
  }

  /** As they are now, whatever is applied later. */
  records(): readonly LeaseRecord[] {
    return Array.from(this.#leases.values(), ({ record }) => record);
  }

  /** Applied. A time below the minimum is raised to it. */
  grant(id: LeaseId, ttlS: number, nowTick: number): Result<{ ttlS: number }, GrantError> {
    assert(!Number.isNaN(ttlS), 'lessor: no time');
    if (id === 0n) return err('leaseNotFound');
    if (ttlS > LEASE_TTL_MAX_S) return err('leaseTtlTooLarge');
    if (this.#leases.has(id)) return err('leaseExists');
    if (this.#leases.size >= this.#leasesMax) return err('noSpace');
    const granted = this.#clock.grantedTtlS(ttlS);
    const lease = newLease({ id, ttlS: granted, remainingTtlS: 0 });
    this.#leases.set(id, lease);
    if (this.#isPrimary) {
      this.#start(lease, nowTick);
      this.#expiries.add(lease);
      if (this.#clock.isCheckpointed(granted)) this.#checkpoints.add(lease);
    }
    return ok({ ttlS: granted });
  }

  /** Applied. The keys that hung on it, in byte order: the caller deletes them, in one revision. */
  revoke(id: LeaseId): Result<readonly Uint8Array[], 'leaseNotFound'> {
    const lease = this.#leases.get(id);
    if (lease === undefined) return err('leaseNotFound');
    lease.isGone = true;
    this.#leases.delete(id);
    this.#expiries.sweep(this.#leases.size);
    this.#checkpoints.sweep(this.#leases.size);
    return ok(this.#attachments.take(id));
  }

  /**
   * Applied. What the next leader will start the lease at; 0: its granted time, which somebody
   * renews it for. An expiry known here is never brought forward by it: it stands in the log for
   * whoever does not know better.
   */
  checkpoint(id: LeaseId, remainingTtlS: number, nowTick: number): void {
    const lease = this.#leases.get(id);
    if (lease === undefined) return;
    const { ttlS } = lease.record;
    lease.record = { id, ttlS, remainingTtlS: Math.min(Math.max(remainingTtlS, 0), ttlS) };
    if (!this.#isPrimary || lease.record.remainingTtlS > 0 || lease.revokeAgainTick > 0) return;
    lease.expiryTick = Math.max(lease.expiryTick, this.#clock.expiryTick(nowTick, ttlS));
  }

  /** Every change of a key comes here. `lease`: the key's own now; 0: none, or it is deleted. */
  keyChanged(key: Uint8Array, lease: LeaseId): void {
    if (lease !== 0n && this.#leases.has(lease)) this.#attachments.attach(key, lease);
    else this.#attachments.detach(key);
  }

  /**
   * This member leads. Every lease gets the time it was granted, or what a leader logged of it,
   * and `extendTicks` more. Call it when all entries of earlier terms are applied.
   */
  promote(nowTick: number, extendTicks: number): void {
    assert(extendTicks >= 0, 'lessor: extension is negative');
    this.#isPrimary = true;
    const leases = [...this.#leases.values()];
    for (const lease of leases) {
      const { ttlS, remainingTtlS } = lease.record;
      this.#start(lease, nowTick);
      const left = remainingTtlS === 0 ? ttlS : remainingTtlS;
      lease.expiryTick = this.#clock.expiryTick(nowTick, left) + extendTicks;
    }
    this.#expiries = new DueQueue(BY_EXPIRY, leases);
    const checkpointed = leases.filter(({ record }) => this.#clock.isCheckpointed(record.ttlS));
    this.#checkpoints = new DueQueue(BY_CHECKPOINT, checkpointed);
  }

  /** This member does not lead, or not any more: it knows no expiry and asks for nothing. */
  demote(): void {
    if (!this.#isPrimary) return;
    this.#isPrimary = false;
    this.#expiries = new DueQueue(BY_EXPIRY);
    this.#checkpoints = new DueQueue(BY_CHECKPOINT);
  }

  /**
   * Leases to revoke, longest expired first. Each is named once, and again only if it is still
   * there after {@link REVOKE_RETRY_S}: the revoke may have been lost. None of a member that
   * does not lead.
   */
  expired(nowTick: number, max: number): readonly LeaseId[] {
    const leases = this.#expiries.take(nowTick, max);
    for (const lease of leases) {
      assert(lease.expiryTick <= nowTick, 'lessor: revoked before its time');
      lease.revokeAgainTick = nowTick + this.#clock.ticks(REVOKE_RETRY_S);
      this.#expiries.add(lease);
    }
    return leases.map(({ record }) => record.id);
  }

  /**
   * The lease lives for its granted time from now on. Only when leadership was confirmed after
   * the client asked, and while {@link checkpointMark} is undefined. One whose time is up may
   * still be renewed while no revoke was asked for: nobody has been told.
   */
  renew(id: LeaseId, nowTick: number): Result<{ ttlS: number }, RenewError> {
    if (!this.#isPrimary) return err('notPrimary');
    const lease = this.#leases.get(id);
    if (lease === undefined) return err('leaseNotFound');
    if (lease.revokeAgainTick > 0) return err('leaseExpired');
    assert(this.checkpointMark(id) === undefined, 'lessor: renewed under a shorter logged time');
    const { ttlS } = lease.record;
    lease.expiryTick = Math.max(lease.expiryTick, this.#clock.expiryTick(nowTick, ttlS));
    lease.checkpointTick = this.#clock.firstCheckpointTick(nowTick, ttlS);
    return ok({ ttlS });
  }

  /**
   * Leader only; undefined: the lease may be renewed at once. Otherwise the log holds, or will
   * hold, less time for it than a renewal promises, and a leader that follows would start with
   * that: propose a checkpoint of 0, and when that is applied call {@link checkpointReset} with
   * this mark and look again.
   */
  checkpointMark(id: LeaseId): number | undefined {
    const lease = this.#leases.get(id);
    if (!this.#isPrimary || lease === undefined || lease.revokeAgainTick > 0) return undefined;
    return lease.mark > 0 || lease.record.remainingTtlS > 0 ? lease.mark : undefined;
  }

  /** What was asked for up to `mark` stands before the reset in the log, or never gets there. */
  checkpointReset(id: LeaseId, mark: number): void {
    const lease = this.#leases.get(id);
    if (lease?.mark === mark) lease.mark = 0;
  }

  /** Leader only: what is left of a lease; undefined: there is none. */
  remaining(id: LeaseId, nowTick: number): LeaseTimes | undefined {
    assert(this.#isPrimary, 'lessor: only the leader knows what remains');
    const lease = this.#leases.get(id);
    if (lease === undefined) return undefined;
    const ttlS = this.#clock.secondsUntil(lease.expiryTick, nowTick);
    return { ttlS: Math.max(Math.floor(ttlS), 0), grantedTtlS: lease.record.ttlS };
  }

  /** What is to be logged of leases that nobody has renewed for long. */
  dueCheckpoints(nowTick: number, max: number): readonly DueLeaseCheckpoint[] {
    const due: DueLeaseCheckpoint[] = [];
    for (const lease of this.#checkpoints.take(nowTick, max)) {
      const { id, ttlS } = lease.record;
      lease.checkpointTick = this.#clock.nextCheckpointTick(nowTick, ttlS);
      this.#checkpoints.add(lease);
      const remainingTtlS = Math.ceil(this.#clock.secondsUntil(lease.expiryTick, nowTick));
      if (remainingTtlS <= 0 || remainingTtlS >= ttlS) continue;
      this.#marks += 1;
      lease.mark = this.#marks;
      due.push({ id, remainingTtlS });
    }
    return due;
  }

  #start(lease: Lease, nowTick: number): void {
    const { ttlS } = lease.record;
    lease.expiryTick = this.#clock.expiryTick(nowTick, ttlS);
    lease.revokeAgainTick = 0;
    lease.checkpointTick = this.#clock.firstCheckpointTick(nowTick, ttlS);
    lease.mark = 0;
  }
}

/** A revoke that did not happen in this time is asked for again (etcd: 3 s). */
const REVOKE_RETRY_S = 3;

const isGone = (lease: Lease): boolean => lease.isGone;

const BY_EXPIRY = {
  dueTick: (lease: Lease): number => Math.max(lease.expiryTick, lease.revokeAgainTick),
  isGone,
};

const BY_CHECKPOINT = {
  dueTick: (lease: Lease): number => lease.checkpointTick,
  isGone,
};

function newLease(record: LeaseRecord): Lease {
  return {
    record,
    expiryTick: 0,
    revokeAgainTick: 0,
    checkpointTick: 0,
    mark: 0,
    isGone: false,
  };
}
