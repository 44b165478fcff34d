/**
 * Membership changes as pure functions of a ConfState. A change of one voter needs no joint
 * phase, for old and new majorities overlap (thesis 4.1). Any other first enters a joint
 * configuration, in which both majorities decide, and then leaves it (thesis 4.3).
 *
 * A committed change has the same outcome on every member and stops none of them: one that
 * cannot be made is refused everywhere alike and changes nothing.
 */
import { assert, assertNever } from '../lib/assert.ts';
import type { MemberId } from '../lib/ids.ts';
import { err, ok, type Result } from '../lib/result.ts';
import { isJoint, MEMBERS_MAX, members } from './conf-state.ts';
import type { ConfState, EntryType } from './message.ts';

/** `addVoter` also promotes a learner, `addLearner` also demotes a voter; `update` is nothing. */
export interface SingleChange {
  readonly type: 'addVoter' | 'addLearner' | 'remove' | 'update';
  /** Id 0 is passed over, as etcd does: so an application takes a change out of the log. */
  readonly member: MemberId;
}

/**
 * `auto`: joint only if more than one change; a joint one is left by the leader by itself.
 * `jointImplicit`: joint, and left by the leader. `jointExplicit`: joint until it is told to
 * leave. No changes at all with `auto`: leave the joint configuration.
 */
export interface ConfChange {
  readonly transition: 'auto' | 'jointImplicit' | 'jointExplicit';
  readonly changes: readonly SingleChange[];
}

/** What an entry of membership looks like to raft, which does not read its data. */
export interface ConfChangeEntry {
  readonly type: Exclude<EntryType, 'normal'>;
  readonly data: Uint8Array;
}

export type ConfChangeRefusal =
  /** Another change is in the log and not applied yet (thesis 4.1). */
  | 'unapplied'
  /** Joint: it must be left first. */
  | 'joint'
  /** Not joint: there is nothing to leave. */
  | 'notJoint'
  /** Nobody would be left to vote. */
  | 'noVoters'
  /** More than {@link MEMBERS_MAX}. */
  | 'tooManyMembers';

export const LEAVE_JOINT: ConfChange = { transition: 'auto', changes: [] };

/** A change as raftpb.ConfChange (v1) tells it. */
export function oneChange(type: SingleChange['type'], member: MemberId): ConfChange {
  return { transition: 'auto', changes: [{ type, member }] };
}

/** The only v2 entry without data; the encoding of {@link LEAVE_JOINT} is empty. */
export function isLeaveEntry(entry: ConfChangeEntry): boolean {
  return entry.type === 'confChangeV2' && entry.data.length === 0;
}

/** Why an entry of that kind cannot follow `conf`, whatever else it says. */
export function jointRefusal(
  conf: ConfState,
  change: { readonly leaves: boolean },
): ConfChangeRefusal | undefined {
  if (change.leaves === isJoint(conf)) return undefined;
  return change.leaves ? 'notJoint' : 'joint';
}

/** The membership after `change`, or why it stays as it is. */
export function changeConf(
  conf: ConfState,
  change: ConfChange,
): Result<ConfState, ConfChangeRefusal> {
  const { transition, changes } = change;
  const leaves = transition === 'auto' && changes.length === 0;
  const refusal = jointRefusal(conf, { leaves });
  if (refusal !== undefined) return err(refusal);
  if (leaves) return ok(leaveJoint(conf));
  if (transition === 'auto' && changes.length === 1) return simple(conf, changes[0]!);
  return enterJoint(conf, changes, { autoLeave: transition !== 'jointExplicit' });
}

/** As {@link changeConf}; a refused change leaves `conf` itself. */
export function applyChange(conf: ConfState, change: ConfChange): ConfState {
  const changed = changeConf(conf, change);
  return changed.ok ? changed.value : conf;
}

function simple(conf: ConfState, change: SingleChange): Result<ConfState, ConfChangeRefusal> {
  const changed = edit(conf, [change]);
  if (!changed.ok) return changed;
  const { voters } = changed.value;
  assert(Math.abs(voters.length - conf.voters.length) <= 1, 'confchange: two voters at once');
  assert(!isJoint(changed.value), 'confchange: a simple change made it joint');
  return changed;
}

function enterJoint(
  conf: ConfState,
  changes: readonly SingleChange[],
  options: { readonly autoLeave: boolean },
): Result<ConfState, ConfChangeRefusal> {
  // An empty half would decide nothing, so it cannot be half of a joint configuration.
  if (conf.voters.length === 0) return err('noVoters');
  const { autoLeave } = options;
  return edit({ ...conf, votersOutgoing: conf.voters, autoLeave }, changes);
}

/** The incoming half alone; voters of the outgoing half that were demoted become learners. */
function leaveJoint(conf: ConfState): ConfState {
  assert(isJoint(conf), 'confchange: left what is not joint');
  const { voters, learners, learnersNext } = conf;
  return {
    voters,
    learners: sorted([...learners, ...learnersNext]),
    votersOutgoing: [],
    learnersNext: [],
    autoLeave: false,
  };
}

function edit(
  conf: ConfState,
  changes: readonly SingleChange[],
): Result<ConfState, ConfChangeRefusal> {
  let edited = conf;
  for (const change of changes) {
    // Before it is made: the work must stay bounded too.
    if (members(edited).length > MEMBERS_MAX) return err('tooManyMembers');
    if (change.member > 0n) edited = editOne(edited, change);
  }
  if (members(edited).length > MEMBERS_MAX) return err('tooManyMembers');
  return edited.voters.length === 0 ? err('noVoters') : ok(edited);
}

function editOne(conf: ConfState, { type, member }: SingleChange): ConfState {
  if (type === 'update') return conf;
  const voters = without(conf.voters, member);
  const learners = without(conf.learners, member);
  const learnersNext = without(conf.learnersNext, member);
  switch (type) {
    case 'addVoter':
      voters.push(member);
      break;
    case 'addLearner':
      // One that still votes in the outgoing half cannot be a learner until that is left.
      if (conf.votersOutgoing.includes(member)) learnersNext.push(member);
      else learners.push(member);
      break;
    case 'remove':
      break;
    default:
      return assertNever(type);
  }
  return {
    ...conf,
    voters: sorted(voters),
    learners: sorted(learners),
    learnersNext: sorted(learnersNext),
  };
}

function without(ids: readonly MemberId[], removed: MemberId): MemberId[] {
  return ids.filter((id) => id !== removed);
}

function sorted(ids: MemberId[]): MemberId[] {
  return ids.sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
}
