import { assertNever } from '../lib/assert.ts';
import type { MemberId, RequestId } from '../lib/ids.ts';
import { err, ok, type Result } from '../lib/result.ts';
import { changeConf, oneChange, type ConfChange as RaftChange } from '../raft/confchange.ts';
import type { ConfState } from '../raft/message.ts';
import type { ConfChange } from '../wire/raft-records.ts';
import type { MembershipFailure } from './failure.ts';
import { decodeMemberContext, encodeMemberContext } from './member-context.ts';
import type { Membership } from './membership.ts';
import type { MemberInfo } from './node.ts';

/** A change of the member table, as asked for and as an entry of the log has it. */
export type MembershipChange =
  | { readonly type: 'add'; readonly member: MemberInfo }
  | { readonly type: 'promote'; readonly id: MemberId }
  | { readonly type: 'remove'; readonly id: MemberId }
  | { readonly type: 'update'; readonly id: MemberId; readonly peerUrls: readonly string[] };

/** An entry's change, with the id of the request that waits for it. */
export interface LoggedChange {
  readonly id: RequestId;
  readonly change: MembershipChange;
}

export function loggedChangeOf(record: ConfChange): LoggedChange {
  const { name, peerUrls, isPromote } = decodeMemberContext(record.context);
  const { id, nodeId } = record;
  switch (record.type) {
    case 'addNode':
      if (isPromote) return { id, change: { type: 'promote', id: nodeId } };
      return { id, change: addition({ id: nodeId, name, peerUrls, isLearner: false }) };
    case 'addLearnerNode':
      return { id, change: addition({ id: nodeId, name, peerUrls, isLearner: true }) };
    case 'updateNode':
      return { id, change: { type: 'update', id: nodeId, peerUrls } };
    case 'removeNode':
      return { id, change: { type: 'remove', id: nodeId } };
    default:
      return assertNever(record.type);
  }
}

/** The entry's data for a change that `id` waits for. */
export function confChangeRecord(id: RequestId, change: MembershipChange): ConfChange {
  switch (change.type) {
    case 'add': {
      const { id: nodeId, isLearner } = change.member;
      const context = encodeMemberContext(nodeId, change.member);
      return { id, type: isLearner ? 'addLearnerNode' : 'addNode', nodeId, context };
    }
    case 'promote': {
      const none = { name: '', peerUrls: [], isPromote: true };
      const context = encodeMemberContext(change.id, none);
      return { id, type: 'addNode', nodeId: change.id, context };
    }
    case 'remove':
      return { id, type: 'removeNode', nodeId: change.id, context: new Uint8Array(0) };
    case 'update': {
      const context = encodeMemberContext(change.id, { name: '', peerUrls: change.peerUrls });
      return { id, type: 'updateNode', nodeId: change.id, context };
    }
    default:
      return assertNever(change);
  }
}

/** What the change is to raft. */
export function raftChange(change: MembershipChange): RaftChange {
  switch (change.type) {
    case 'add':
      return oneChange(change.member.isLearner ? 'addLearner' : 'addVoter', change.member.id);
    case 'promote':
      return oneChange('addVoter', change.id);
    case 'remove':
      return oneChange('remove', change.id);
    case 'update':
      return oneChange('update', change.id);
    default:
      return assertNever(change);
  }
}

function addition(member: Omit<MemberInfo, 'clientUrls'>): MembershipChange {
  return { type: 'add', member: { ...member, clientUrls: [] } };
}

/**
 * Changes the table unless the change contradicts it, by etcd's rules: entries are checked when
 * they are applied, because the table may have changed since they were proposed.
 */
export function applyMembership(
  table: Membership,
  change: MembershipChange,
  { learnersMax, conf }: { readonly learnersMax: number; readonly conf: ConfState },
): Result<undefined, MembershipFailure> {
  const failure = refusalOf(table, change, learnersMax);
  if (failure !== undefined) return err(failure);
  // Table and configuration change together or not at all.
  const changed = changeConf(conf, raftChange(change));
  if (!changed.ok)
    return err(changed.error === 'noVoters' ? 'notEnoughStarted' : 'unhealthyCluster');
  switch (change.type) {
    case 'add':
      table.add(change.member);
      break;
    case 'promote':
      table.promote(change.id);
      break;
    case 'remove':
      table.remove(change.id);
      break;
    case 'update':
      table.updatePeerUrls(change.id, change.peerUrls);
      break;
    default:
      return assertNever(change);
  }
  return ok(undefined);
}

function refusalOf(
  table: Membership,
  change: MembershipChange,
  learnersMax: number,
): MembershipFailure | undefined {
  const id = change.type === 'add' ? change.member.id : change.id;
  if (table.isRemoved(id)) return 'memberNotFound';
  const known = table.get(id);
  if (change.type === 'add') {
    if (known !== undefined) return 'memberExists';
    if (clashes(table, change.member.peerUrls, undefined)) return 'peerUrlExists';
    const learners = table.list().filter((member) => member.isLearner).length;
    return change.member.isLearner && learners >= learnersMax ? 'tooManyLearners' : undefined;
  }
  if (known === undefined) return 'memberNotFound';
  if (change.type === 'promote') return known.isLearner ? undefined : 'memberNotLearner';
  if (change.type === 'update' && clashes(table, change.peerUrls, id)) return 'peerUrlExists';
  return undefined;
}

function clashes(
  table: Membership,
  peerUrls: readonly string[],
  own: MemberId | undefined,
): boolean {
  const taken = new Set(
    table.list().flatMap((member) => (member.id === own ? [] : member.peerUrls)),
  );
  return peerUrls.some((url) => taken.has(url));
}
