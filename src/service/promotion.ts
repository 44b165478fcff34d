import type { MemberId } from '../lib/ids.ts';
import type { RequestFailure } from '../member/failure.ts';
import type { MemberNode } from '../member/node.ts';
import { refuseReconfiguration } from './reconfiguration.ts';

/** A learner may vote once it has this share of the leader's log (etcd). */
const READY_SHARE = 0.9;

/** On the leader; undefined: the learner is a voter now. */
export async function promoteHere(
  node: MemberNode,
  member: MemberId,
  isStrict: boolean,
): Promise<RequestFailure | undefined> {
  const known = node.members().find(({ id }) => id === member);
  if (known === undefined) return 'memberNotFound';
  if (!known.isLearner) return 'memberNotLearner';
  const share = node.logShareOf(member);
  if (share === undefined) return 'notLeader';
  if (share < READY_SHARE) return 'learnerNotReady';
  const change = { type: 'promote', id: member } as const;
  const failure = isStrict ? refuseReconfiguration(node, change) : undefined;
  if (failure !== undefined) return failure;
  const changed = await node.changeMembership(change);
  return changed.ok ? undefined : changed.error;
}
