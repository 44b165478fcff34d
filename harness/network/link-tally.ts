/** What links have done to traffic, counted. */

/** Sums over all links since the cluster started. */
export interface LinkTally {
  /** Messages (sim), segments (proxies) or packets (kernel) that could have been lost. */
  readonly carried: number;
  readonly lost: number;
  readonly duplicated: number;
  readonly delayed: number;
  /** How long the delayed ones took on the links, all together; measured where time is real. */
  readonly delayedSumMs: number;
  /** Bytes that went over thin links while others waited for their turn, and how long it took. */
  readonly thinBytes: number;
  readonly thinMs: number;
  /** Connections (process) or their packets (docker) that were answered with a reset. */
  readonly resets: number;
}

export const NO_TALLY: LinkTally = {
  carried: 0,
  lost: 0,
  duplicated: 0,
  delayed: 0,
  delayedSumMs: 0,
  thinBytes: 0,
  thinMs: 0,
  resets: 0,
};

export function sumTallies(tallies: readonly Partial<LinkTally>[]): LinkTally {
  return tallies.reduce<LinkTally>((sum, tally) => combine(sum, { ...NO_TALLY, ...tally }, 1), {
    ...NO_TALLY,
  });
}

/** What happened between the two. */
export function tallySince(before: LinkTally, after: LinkTally): LinkTally {
  return combine(after, before, -1);
}

function combine(a: LinkTally, b: LinkTally, sign: 1 | -1): LinkTally {
  return {
    carried: a.carried + sign * b.carried,
    lost: a.lost + sign * b.lost,
    duplicated: a.duplicated + sign * b.duplicated,
    delayed: a.delayed + sign * b.delayed,
    delayedSumMs: a.delayedSumMs + sign * b.delayedSumMs,
    thinBytes: a.thinBytes + sign * b.thinBytes,
    thinMs: a.thinMs + sign * b.thinMs,
    resets: a.resets + sign * b.resets,
  };
}
