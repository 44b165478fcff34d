/** What the leader does about leases when it is asked: by its own clients or by other members. */
import type { LeaseTimes, RenewError } from '../lease/lessor.ts';
import { assertNever } from '../lib/assert.ts';
import type { LeaseId } from '../lib/ids.ts';
import { err, ok, type Result } from '../lib/result.ts';
import type { RequestFailure } from '../member/failure.ts';
import type { MemberNode } from '../member/node.ts';
import type { PeerAnswer, PeerQuestion } from '../member/peer-question.ts';

/** Checkpoints asked for between the reset of others and the renewal; then the client waits. */
const RESETS_MAX = 3;

/** What the leases of a member need of it. */
export type LeaseNode = Pick<
  MemberNode,
  'ask' | 'lessor' | 'nowTick' | 'propose' | 'readBarrier' | 'status'
>;

export type LeaseQuestion = Extract<
  PeerQuestion,
  { readonly type: 'leaseRenew' | 'leaseTimeToLive' }
>;

/** The other side: a member that takes this one for the leader asks. */
export async function answerLeaseQuestion(
  node: LeaseNode,
  question: LeaseQuestion,
): Promise<PeerAnswer> {
  switch (question.type) {
    case 'leaseRenew': {
      const renewed = await renewHere(node, question.id);
      if (renewed.ok) return { type: 'leaseRenewed', ttlS: renewed.value };
      if (renewed.error === 'leaseNotFound') return { type: 'leaseRenewed', ttlS: 0 };
      return { type: 'refused', failure: renewed.error };
    }
    case 'leaseTimeToLive': {
      const times = await timesHere(node, question.id);
      if (times.ok) return { type: 'leaseTimes', ...times.value };
      if (times.error === 'leaseNotFound') return { type: 'leaseTimes', ttlS: -1, grantedTtlS: 0 };
      return { type: 'refused', failure: times.error };
    }
    default:
      return assertNever(question);
  }
}

/**
 * A leader that was stopped and does not know what happened meanwhile must not renew: the lease
 * may be gone, and at the new leader time passes without it. So leadership is confirmed first,
 * for all that ask at the same time together.
 */
export async function renewHere(
  node: LeaseNode,
  id: LeaseId,
): Promise<Result<number, RenewError | RequestFailure>> {
  if (!node.lessor.isPrimary) return err('notPrimary');
  const barrier = await node.readBarrier();
  if (!barrier.ok) return barrier;
  for (let resets = 0; resets <= RESETS_MAX; resets++) {
    const mark = node.lessor.checkpointMark(id);
    if (mark === undefined) {
      const renewed = node.lessor.renew(id, node.nowTick);
      return renewed.ok ? ok(renewed.value.ttlS) : renewed;
    }
    // The log says that less is left than the client is about to be told.
    const checkpoints = [{ id, remainingTtlS: 0 }];
    const reset = await node.propose({ type: 'leaseCheckpoint', checkpoints });
    if (!reset.ok) return reset;
    node.lessor.checkpointReset(id, mark);
  }
  return err('notPrimary');
}

/** What remains of a lease, as only a leader that was confirmed after the question knows. */
export async function timesHere(
  node: LeaseNode,
  id: LeaseId,
): Promise<Result<LeaseTimes, RenewError | RequestFailure>> {
  if (!node.lessor.isPrimary) return err('notPrimary');
  const barrier = await node.readBarrier();
  if (!barrier.ok) return barrier;
  const { lessor, nowTick } = node;
  if (!lessor.isPrimary) return err('notPrimary');
  const times = lessor.remaining(id, nowTick);
  return times === undefined ? err('leaseNotFound') : ok(times);
}
