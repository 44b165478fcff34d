/** One line for whatever a member reports about itself. */
import { formatId } from '../../src/lib/ids.ts';
import type { MemberFact } from '../../src/member/input.ts';
import { describeFact as describeRaftFact } from '../../src/raft/describe.ts';

export function describeFact(fact: MemberFact): string {
  switch (fact.type) {
    case 'memberAdded':
    case 'memberRemoved':
      return `${fact.type} ${formatId(fact.member)}`;
    case 'memberPublished':
      return `${fact.type} ${formatId(fact.member)} ${fact.name}`;
    default:
      return describeRaftFact(fact);
  }
}
