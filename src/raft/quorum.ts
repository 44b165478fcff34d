/**
 * Majorities, as pure functions of a voter set. Empty sets get the neutral answer (everything
 * is committed, every vote is won), so a joint configuration needs no special case: it takes
 * the minimum of two committed indexes, and wins when both halves win (thesis 4.3).
 */
import { assert } from '../lib/assert.ts';
import type { MemberId } from '../lib/ids.ts';

export type VoteResult = 'won' | 'lost' | 'pending';

/** The number of voters that decides. */
export function majority(voterCount: number): number {
  assert(Number.isInteger(voterCount) && voterCount >= 0, 'quorum: bad voter count');
  return Math.floor(voterCount / 2) + 1;
}

/**
 * The largest value that a majority of `voters` has reached, where `reached` tells each one's
 * (match index, acknowledged read round, …). Infinity for no voters.
 */
export function quorumValue(
  voters: readonly MemberId[],
  reached: (voter: MemberId) => number,
): number {
  if (voters.length === 0) return Number.POSITIVE_INFINITY;
  const descending: number[] = [];
  for (const voter of voters) {
    const value = reached(voter);
    assert(value >= 0, 'quorum: a voter has reached a negative value');
    let at = descending.length;
    while (at > 0 && descending[at - 1]! < value) at--;
    descending.splice(at, 0, value);
  }
  return descending[majority(voters.length) - 1]!;
}

/** Outcome of a vote; members that have not answered are absent from `votes`. */
export function voteResult(
  voters: readonly MemberId[],
  votes: ReadonlyMap<MemberId, boolean>,
): VoteResult {
  if (voters.length === 0) return 'won';
  let granted = 0;
  let refused = 0;
  for (const voter of voters) {
    const vote = votes.get(voter);
    if (vote === true) granted++;
    if (vote === false) refused++;
  }
  const needed = majority(voters.length);
  assert(granted + refused <= voters.length, 'quorum: more votes than voters');
  if (granted >= needed) return 'won';
  return refused > voters.length - needed ? 'lost' : 'pending';
}
