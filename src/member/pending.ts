import { assert } from '../lib/assert.ts';
import type { RequestId } from '../lib/ids.ts';
import type { EntryType } from '../raft/message.ts';
import type { MemberError } from './failure.ts';

/**
 * Requests that wait for their outcome: the one link between a client's call and the entry
 * that carries it. A request is proposed at most once. While there is nobody to propose to
 * it is held here, and one that was never proposed fails definitely.
 */
export class PendingRequests {
  readonly #max: number;
  readonly #timeoutTicks: number;
  /** Insertion order is deadline order: all requests have the same time-out. */
  readonly #waiting = new Map<RequestId, Waiting>();
  #held: Held[] = [];

  constructor(limits: { readonly max: number; readonly timeoutTicks: number }) {
    this.#max = limits.max;
    this.#timeoutTicks = limits.timeoutTicks;
  }

  get count(): number {
    return this.#waiting.size;
  }

  /** Takes charge of a request, to be proposed by the next turn; false: no room. */
  hold(id: RequestId, data: Uint8Array, nowTick: number, type: EntryType = 'normal'): boolean {
    assert(!this.#waiting.has(id), 'request ids are unique');
    if (this.#waiting.size >= this.#max) return false;
    this.#waiting.set(id, {
      deadlineTick: nowTick + this.#timeoutTicks,
      proposedInTerm: undefined,
    });
    this.#held.push({ id, type, data });
    return true;
  }

  get hasHeld(): boolean {
    return this.#held.length > 0;
  }

  /** Requests to propose now, oldest first; those refused again are given back by `holdAgain`. */
  takeHeld(): readonly Held[] {
    const held = this.#held;
    if (held.length > 0) this.#held = [];
    return held;
  }

  holdAgain(held: readonly Held[]): void {
    this.#held = [...this.#held, ...held];
  }

  /** From here on the request may take effect, whatever happens. */
  markProposed(proposed: readonly Held[], term: number): void {
    for (const { id } of proposed) {
      const waiting = this.#waiting.get(id);
      assert(waiting !== undefined && waiting.proposedInTerm === undefined, 'proposed once');
      waiting.proposedInTerm = term;
    }
  }

  /** True if the outcome is awaited here; it is then no longer. */
  settle(id: RequestId): boolean {
    return this.#waiting.delete(id);
  }

  /** Requests whose time is up, with what their clients may conclude. */
  expire(now: {
    readonly tick: number;
    readonly term: number;
    readonly hasLeader: boolean;
  }): Expired[] {
    const expired: Expired[] = [];
    for (const [id, waiting] of this.#waiting) {
      if (waiting.deadlineTick > now.tick) break;
      this.#waiting.delete(id);
      expired.push({ id, error: errorOf(waiting, now) });
    }
    if (expired.length > 0) this.#held = this.#held.filter(({ id }) => this.#waiting.has(id));
    return expired;
  }
}

export interface Held {
  readonly id: RequestId;
  readonly type: EntryType;
  /** The logged request, encoded. */
  readonly data: Uint8Array;
}

export interface Expired {
  readonly id: RequestId;
  readonly error: MemberError;
}

interface Waiting {
  readonly deadlineTick: number;
  proposedInTerm: number | undefined;
}

function errorOf(
  waiting: Waiting,
  now: { readonly term: number; readonly hasLeader: boolean },
): MemberError {
  if (waiting.proposedInTerm === undefined) return now.hasLeader ? 'tooManyRequests' : 'noLeader';
  return waiting.proposedInTerm === now.term && now.hasLeader ? 'timeout' : 'timeoutLeaderFailed';
}
