/** One line for whatever a member reports about itself. */
import { formatId } from '../../src/lib/ids.ts';
import type { MemberFact } from '../../src/member/input.ts';
import { describeFact as describeRaftFact } from '../../src/raft/describe.ts';

export function describeFact(fact: MemberFact): string {
  switch (fact.type) {
    case 'memberAdded':
    case 'memberRemoved':
    case 'memberPromoted':
    case 'memberUpdated':
      return `${fact.type} ${formatId(fact.member)}`;
    case 'memberPublished':
      return `${fact.type} ${formatId(fact.member)} ${fact.name}`;
    case 'published':
      return `${fact.type} ${fact.name}`;
    case 'clusterVersionSet':
      return `${fact.type} ${fact.version}`;
    case 'removedFromCluster':
      return fact.type;
    default:
      return describeRaftFact(fact);
  }
}
