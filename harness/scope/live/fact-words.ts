/** The core's facts in the words of the page, with names for ids. */
import { assertNever } from '../../../src/lib/assert.ts';
import type { MemberId } from '../../../src/lib/ids.ts';
import type { Fact } from '../../../src/raft/message.ts';

export function factWords(
  fact: Fact,
  nameOf: (id: MemberId | undefined) => string | undefined,
): string {
  const { term } = fact;
  switch (fact.type) {
    case 'becameFollower':
    case 'leaderChanged': {
      const leader = nameOf(fact.leader);
      if (leader === undefined) return `follows nobody yet in term ${term}`;
      return `follows ${leader} in term ${term}`;
    }
    case 'becamePreCandidate':
      return `asks whether it could win an election (term ${term})`;
    case 'becameCandidate':
      return `stands for election in term ${term}`;
    case 'becameLeader':
      return `leads term ${term}`;
    case 'voteCast': {
      const what = fact.kind === 'MsgVote' ? 'vote' : 'pre-vote';
      const outcome = fact.granted ? 'gives' : 'refuses';
      return `${outcome} ${nameOf(fact.candidate)} its ${what} for term ${term}: ${fact.reason}`;
    }
    case 'steppedDown':
      return `steps down in term ${term}: ${fact.reason}`;
    case 'transferStarted':
      return `hands term ${term} over to ${nameOf(fact.transferee)}`;
    case 'transferAborted':
      return `gives up handing term ${term} over to ${nameOf(fact.transferee)}`;
    case 'confChangeRefused':
      return `refuses to change who belongs to the cluster: ${fact.reason}`;
    case 'lostEntries':
      return `has lost entries through ${fact.acknowledged}; its log ends at ${fact.lastIndex}`;
    case 'unsafe':
      return `ignores what is impossible: ${fact.reason}`;
    default:
      return assertNever(fact);
  }
}
