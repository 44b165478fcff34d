import type { Metrics } from '../api/metrics.ts';
import { logFact } from '../member/facts.ts';
import type { MemberFact } from '../member/input.ts';
import type { MemberObserver } from '../member/loop-ports.ts';
import type { Log } from '../ports/log.ts';

/** What happens to the member, as operators see it: in the log and in metrics. */
export function observerOf(
  log: Log,
  metrics: Pick<Metrics, 'countLeaderChange' | 'countProposalFailed'>,
): MemberObserver {
  return {
    onFact(fact) {
      logFact(log, fact);
      if (namesLeader(fact)) metrics.countLeaderChange();
    },
    onProposalFailed: () => metrics.countProposalFailed(),
  };
}

/** Another leader is known than before, this member or another. */
function namesLeader(fact: MemberFact): boolean {
  switch (fact.type) {
    case 'becameLeader':
      return true;
    case 'becameFollower':
    case 'leaderChanged':
      return fact.leader !== undefined;
    default:
      return false;
  }
}
