/**
 * Majorities, as pure functions of a voter set. Empty sets get the neutral answer (everything
 * is committed, every vote is won), so the joint functions need no special case for one set:
 * they take the minimum of two values, and win when both halves win (thesis 4.3).
 */
import { assert } from '../lib/assert.ts';
import type { MemberId } from '../lib/ids.ts';
import type { ConfState } from './message.ts';

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

/** The halves of a configuration; the outgoing one is empty unless it is joint. */
export type VoterSets = Pick<ConfState, 'voters' | 'votersOutgoing'>;

/** What a majority of each half has reached. */
export function jointQuorumValue(sets: VoterSets, reached: (voter: MemberId) => number): number {
  const incoming = quorumValue(sets.voters, reached);
  return Math.min(incoming, quorumValue(sets.votersOutgoing, reached));
}

/** Lost as soon as one half refuses; won when both grant. */
export function jointVoteResult(
  sets: VoterSets,
  votes: ReadonlyMap<MemberId, boolean>,
): VoteResult {
  const incoming = voteResult(sets.voters, votes);
  const outgoing = voteResult(sets.votersOutgoing, votes);
  if (incoming === outgoing) return incoming;
  return incoming === 'lost' || outgoing === 'lost' ? 'lost' : 'pending';
}
