import type { Metrics } from '../api/metrics.ts';
import { logFact } from '../member/facts.ts';
import type { MemberFact } from '../member/input.ts';
import type { MemberObserver } from '../member/loop-ports.ts';
import type { Log } from '../ports/log.ts';

/** What happens to the member, as operators see it: in the log and in metrics. */
export function observerOf(
  log: Log,
  metrics: Pick<Metrics, 'countLeaderChange' | 'countProposalFailed' | 'countReadIndexFailed'>,
  events: { readonly onRemoved: () => void; readonly onLostEntries: () => void },
): MemberObserver {
  let isRemoved = false;
  return {
    onFact(fact) {
      if (fact.type === 'removedFromCluster') {
        // Every peer says so, again and again.
        if (isRemoved) return;
        isRemoved = true;
        events.onRemoved();
      }
      // Said with what to do about it, by whoever is told.
      if (fact.type === 'lostEntries') return events.onLostEntries();
      logFact(log, fact);
      if (namesLeader(fact)) metrics.countLeaderChange();
    },
    onProposalFailed: () => metrics.countProposalFailed(),
    onReadFailed: () => metrics.countReadIndexFailed(),
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
