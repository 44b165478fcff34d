/**
 * What clients were told about their leases: an answer to a grant or a renewal promises its time
 * from the moment of the question. Only then may the cluster end the lease by itself, and until
 * then nobody may say that less is left. Time is that of the fastest clock, for any member may
 * have been the one that counted. And a leader that takes leases over gives them no more time
 * than the log says they have, and an election on top.
 */
import type { LeaseId } from '../../src/lib/ids.ts';

/** What a leader has of a lease when it takes over. */
export interface TakenOver {
  readonly id: LeaseId;
  /** In whole seconds, rounded down. */
  readonly leftS: number;
  /** By the log: what a leader before noted of it, or as granted. */
  readonly loggedS: number;
}

export class LeasePromises {
  readonly #nowNs: () => number;
  readonly #extensionS: number;
  readonly #leftAtLeader: (id: LeaseId) => number | undefined;
  /** Until when each lease must live. */
  readonly #until = new Map<LeaseId, number>();
  /** When the cluster ended it. */
  readonly #ended = new Map<LeaseId, number>();
  /** Ids that clients choose: such a lease may be another by the next time. */
  readonly #chosen = new Set<LeaseId>();

  /**
   * `extensionS`: what a new leader may add: an election, and what its ticks are late.
   * `leftAtLeader`: what is left of a lease where it is counted now, in whole seconds, rounded
   * down; undefined: nobody counts it.
   */
  constructor(
    nowNs: () => number,
    extensionS = 0,
    leftAtLeader: (id: LeaseId) => number | undefined = () => undefined,
  ) {
    this.#nowNs = nowNs;
    this.#extensionS = extensionS;
    this.#leftAtLeader = leftAtLeader;
  }

  /** For {@link told}: taken when a question is sent. */
  now(): number {
    return this.#nowNs();
  }

  /** For {@link saysLeft}: taken when a question is sent. */
  until(id: LeaseId): number {
    return this.#until.get(id) ?? 0;
  }

  /** A client asks for a lease of this id: what is promised of one of them is not clear. */
  ignore(id: LeaseId): void {
    this.#chosen.add(id);
  }

  /** A client was told that the lease lives for so long. In words what is wrong, if anything is. */
  told(id: LeaseId, askedNs: number, ttlS: number): string | undefined {
    if (this.#chosen.has(id)) return undefined;
    const untilNs = Math.max(this.until(id), askedNs + ttlS * 1e9);
    this.#until.set(id, untilNs);
    const endedNs = this.#ended.get(id);
    if (endedNs !== undefined) return tooEarly(id, endedNs, untilNs);
    // Whoever answered must not be one that leads no more without knowing it.
    const leftS = this.#leftAtLeader(id);
    return leftS === undefined ? undefined : this.#tooShort(id, leftS, untilNs);
  }

  /** The cluster ended it by itself. */
  expired(id: LeaseId): string | undefined {
    const nowNs = this.#nowNs();
    this.#ended.set(id, nowNs);
    return tooEarly(id, nowNs, this.until(id));
  }

  /** A leader says how much is left, of `grantedS`; `untilNs`: promised when it was asked. */
  saysLeft(
    {
      id,
      leftS,
      grantedS,
    }: { readonly id: LeaseId; readonly leftS: number; readonly grantedS: number },
    untilNs: number,
  ): string | undefined {
    if (this.#chosen.has(id)) return undefined;
    if (leftS > grantedS + this.#extensionS) {
      return `lease ${id} of ${grantedS} s is said to have ${leftS} s left`;
    }
    return this.#tooShort(id, leftS, untilNs);
  }

  /** A member begins to lead. */
  takenOver({ id, leftS, loggedS }: TakenOver): string | undefined {
    return this.saysLeft({ id, leftS, grantedS: loggedS }, this.until(id));
  }

  #tooShort(id: LeaseId, leftS: number, untilNs: number): string | undefined {
    const owedS = (untilNs - this.#nowNs()) / 1e9;
    if (leftS + 1 >= owedS) return undefined;
    return `lease ${id} has ${leftS} s left at the leader, and its client was told of ${owedS.toFixed(1)} s`;
  }
}

function tooEarly(id: LeaseId, endedNs: number, untilNs: number): string | undefined {
  if (endedNs >= untilNs) return undefined;
  const earlyMs = Math.round((untilNs - endedNs) / 1e6);
  return `lease ${id} was ended ${earlyMs} ms before the time that its client was told`;
}
