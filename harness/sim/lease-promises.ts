/**
 * What clients were told about their leases: an answer to a grant or a renewal promises its time
 * from the moment of the question. Only then may the cluster end the lease by itself. Time is
 * that of the fastest clock, for any member may have been the one that counted.
 */
import type { LeaseId } from '../../src/lib/ids.ts';

export class LeasePromises {
  readonly #nowNs: () => number;
  /** Until when each lease must live. */
  readonly #until = new Map<LeaseId, number>();
  /** When the cluster ended it. */
  readonly #ended = new Map<LeaseId, number>();

  constructor(nowNs: () => number) {
    this.#nowNs = nowNs;
  }

  /** For {@link told}: taken when a question is sent. */
  now(): number {
    return this.#nowNs();
  }

  /** A client was told that the lease lives for so long. In words what is wrong, if anything is. */
  told(id: LeaseId, askedNs: number, ttlS: number): string | undefined {
    const untilNs = Math.max(this.#until.get(id) ?? 0, askedNs + ttlS * 1e9);
    this.#until.set(id, untilNs);
    const endedNs = this.#ended.get(id);
    return endedNs === undefined ? undefined : tooEarly(id, endedNs, untilNs);
  }

  /** The cluster ended it by itself. */
  expired(id: LeaseId): string | undefined {
    const nowNs = this.#nowNs();
    this.#ended.set(id, nowNs);
    return tooEarly(id, nowNs, this.#until.get(id) ?? 0);
  }
}

function tooEarly(id: LeaseId, endedNs: number, untilNs: number): string | undefined {
  if (endedNs >= untilNs) return undefined;
  const earlyMs = Math.round((untilNs - endedNs) / 1e6);
  return `lease ${id} was ended ${earlyMs} ms before the time that its client was told`;
}
