import type { MemberId } from '../lib/ids.ts';
import type { MembershipChange } from '../member/apply-membership.ts';
import type { MembershipFailure } from '../member/failure.ts';
import type { MemberInfo, MemberNode } from '../member/node.ts';

/** Peers count as healthy after this long without a break. */
const HEALTHY_MS = 5_000;

/**
 * What etcd's --strict-reconfig-check asks of a cluster before it is changed: that a majority of
 * the members there will be has started, and, of those there are, is connected. So that nobody
 * adds the unreachable member that makes the cluster stop.
 */
export function refuseReconfiguration(
  node: MemberNode,
  change: MembershipChange,
): MembershipFailure | undefined {
  const voters = node.members().filter((member) => !member.isLearner);
  switch (change.type) {
    case 'add':
      if (!change.member.isLearner && !maySeat(voters, 0)) return 'notEnoughStarted';
      return voters.every(({ id }) => isConnected(node, id)) ? undefined : 'unhealthyCluster';
    case 'promote':
      return maySeat(voters, 1) ? undefined : 'notEnoughStarted';
    case 'remove':
      return refuseRemoval(node, voters, change.id);
    case 'update':
      return undefined;
  }
}

/** One more voter, of whom `startedNew` are started: 0 or 1. */
function maySeat(voters: readonly MemberInfo[], startedNew: 0 | 1): boolean {
  const started = voters.filter(isStarted).length;
  // The only member there is may always get company; it cannot do so otherwise.
  if (startedNew === 0 && started === 1 && voters.length === 1) return true;
  return started + startedNew >= majority(voters.length + 1);
}

function refuseRemoval(
  node: MemberNode,
  voters: readonly MemberInfo[],
  id: MemberId,
): MembershipFailure | undefined {
  if (!voters.some((voter) => voter.id === id)) return undefined;
  const rest = voters.filter((voter) => voter.id !== id);
  if (rest.length === 0) return 'notEnoughStarted';
  if (rest.filter(isStarted).length < majority(rest.length)) return 'notEnoughStarted';
  // One that is away takes no part in deciding, so nothing is lost with it.
  if (!node.isConnectedFor(id, 0)) return undefined;
  const active = voters.filter((voter) => isConnected(node, voter.id)).length;
  return active - 1 < majority(rest.length) ? 'unhealthyCluster' : undefined;
}

function isStarted({ name }: MemberInfo): boolean {
  return name !== '';
}

function isConnected(node: MemberNode, id: MemberId): boolean {
  return node.isConnectedFor(id, HEALTHY_MS);
}

function majority(count: number): number {
  return Math.floor(count / 2) + 1;
}
