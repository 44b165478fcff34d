/** The membership as raft counts it, alone or between two configurations (thesis 4.3). */
import { assert } from '../lib/assert.ts';
import type { MemberId } from '../lib/ids.ts';
import type { ConfState } from './message.ts';

/** Members of one configuration, in all roles together; a change to more is refused. */
export const MEMBERS_MAX = 1_000;

/** A membership that is not joint. */
export function simpleConf(
  voters: readonly MemberId[],
  learners: readonly MemberId[] = [],
): ConfState {
  return { voters, learners, votersOutgoing: [], learnersNext: [], autoLeave: false };
}

/** Between two configurations: decisions need a majority of both. */
export function isJoint(conf: ConfState): boolean {
  return conf.votersOutgoing.length > 0;
}

/** Votes in either half of a joint configuration. */
export function isVoterOf(conf: ConfState, id: MemberId): boolean {
  return conf.voters.includes(id) || conf.votersOutgoing.includes(id);
}

/** Whoever votes in either half, each once. */
export function allVoters(conf: ConfState): readonly MemberId[] {
  const { voters, votersOutgoing } = conf;
  if (votersOutgoing.length === 0) return voters;
  return [...voters, ...votersOutgoing.filter((id) => !voters.includes(id))];
}

/** Everybody the leader feeds, each once. Future learners are voters of the outgoing half. */
export function members(conf: ConfState): readonly MemberId[] {
  return [...allVoters(conf), ...conf.learners];
}

/** Same members in the same roles; lists that come from changes are sorted. */
export function sameConf(a: ConfState, b: ConfState): boolean {
  const same = (left: readonly MemberId[], right: readonly MemberId[]): boolean =>
    left.length === right.length && left.every((id, at) => id === right[at]);
  return (
    a.autoLeave === b.autoLeave &&
    same(a.voters, b.voters) &&
    same(a.learners, b.learners) &&
    same(a.votersOutgoing, b.votersOutgoing) &&
    same(a.learnersNext, b.learnersNext)
  );
}

/** Why no sequence of changes can produce `conf`; undefined: one can. */
export function confStateFault(conf: ConfState): string | undefined {
  const { voters, learners, votersOutgoing, learnersNext, autoLeave } = conf;
  for (const list of [[...voters, ...learners, ...learnersNext], votersOutgoing]) {
    if (new Set(list).size !== list.length) return 'a member appears twice';
    if (list.includes(0n)) return 'member id 0';
  }
  if (learners.some((id) => votersOutgoing.includes(id))) return 'a learner still votes';
  if (!learnersNext.every((id) => votersOutgoing.includes(id))) {
    return 'a future learner does not vote';
  }
  if (autoLeave && votersOutgoing.length === 0) return 'nothing to leave';
  if (votersOutgoing.length > 0 && voters.length === 0) return 'no incoming voters';
  return undefined;
}

/** For what this member itself has kept; what others send is looked at with the above. */
export function assertConfState(conf: ConfState): void {
  const fault = confStateFault(conf);
  assert(fault === undefined, `conf-state: ${fault}`);
}
