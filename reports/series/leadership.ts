/** Who led when: the status samples of a member as a few spans of time. */
import type { MemberSeries, RunRecord, StatusSample } from '../run-record.ts';

export type Role = 'leader' | 'follower' | 'unreachable';

/** A time in which a member kept its role (and, as a leader, its term). */
export interface RoleSpan {
  readonly node: string;
  readonly role: Role;
  readonly term: number;
  readonly fromNs: number;
  readonly toNs: number;
}

/** A sample speaks for the time until the next one, at most for this long. */
const SAMPLE_HOLDS_NS = 2e9;

export function roleSpansOf(member: MemberSeries, endNs: number): RoleSpan[] {
  const spans: RoleSpan[] = [];
  for (const [at, sample] of member.status.entries()) {
    const nextNs = member.status[at + 1]?.timeNs ?? endNs;
    const toNs = Math.min(nextNs, sample.timeNs + SAMPLE_HOLDS_NS, endNs);
    const role = roleOf(sample);
    const last = spans.at(-1);
    const goesOn =
      last?.toNs === sample.timeNs &&
      last.role === role &&
      (role !== 'leader' || last.term === sample.term);
    if (goesOn) spans[spans.length - 1] = { ...last, toNs };
    else spans.push({ node: member.node, role, term: sample.term, fromNs: sample.timeNs, toNs });
  }
  return spans;
}

function roleOf(sample: StatusSample): Role {
  if (!sample.reachable) return 'unreachable';
  return sample.isLeader ? 'leader' : 'follower';
}

/** A member's time as the leader of one term, from the first to the last sample that said so. */
export interface Leadership {
  readonly node: string;
  readonly term: number;
  readonly fromNs: number;
  readonly toNs: number;
}

/** In the order of their terms. */
export function leadershipsOf({ members, endNs }: RunRecord): Leadership[] {
  const leaderships = new Map<string, Leadership>();
  for (const member of members) {
    for (const { node, role, term, fromNs, toNs } of roleSpansOf(member, endNs)) {
      if (role !== 'leader') continue;
      const key = `${term} ${node}`;
      const known = leaderships.get(key);
      leaderships.set(key, known === undefined ? { node, term, fromNs, toNs } : { ...known, toNs });
    }
  }
  return [...leaderships.values()].sort((a, b) => a.term - b.term || a.fromNs - b.fromNs);
}
