/**
 * Membership changes of one member at a time: old and new majorities overlap, so the change
 * needs no joint phase (thesis 4.1). Pure functions of a ConfState; joint consensus would add
 * a second voter list here and in quorum.ts.
 */
import { assert } from '../lib/assert.ts';
import type { MemberId } from '../lib/ids.ts';
import type { ConfState } from './message.ts';

/** `addVoter` also promotes a learner, `addLearner` also demotes a voter. */
export interface ConfChange {
  readonly type: 'addVoter' | 'addLearner' | 'remove';
  readonly member: MemberId;
}

/**
 * The membership after `change`. A committed change must have the same outcome everywhere and
 * must not stop a member, so one that would leave no voter changes nothing; whoever proposes
 * has refused it before.
 */
export function applyChange(conf: ConfState, change: ConfChange): ConfState {
  const { type, member } = change;
  assert(member > 0n, 'confchange: member id 0');
  const voters = without(conf.voters, member);
  const learners = without(conf.learners, member);
  if (type === 'addVoter') voters.push(member);
  if (type === 'addLearner') learners.push(member);
  return voters.length === 0 ? conf : { voters: sorted(voters), learners: sorted(learners) };
}

/** Refuses lists that no sequence of changes can produce. */
export function assertConfState(conf: ConfState): void {
  const all = members(conf);
  assert(new Set(all).size === all.length, 'confchange: a member appears twice');
  assert(!all.includes(0n), 'confchange: member id 0');
}

export function members(conf: ConfState): readonly MemberId[] {
  return [...conf.voters, ...conf.learners];
}

function without(ids: readonly MemberId[], removed: MemberId): MemberId[] {
  return ids.filter((id) => id !== removed);
}

function sorted(ids: MemberId[]): MemberId[] {
  return ids.sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
}
