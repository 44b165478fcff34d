import type { Index, MemberId } from '../lib/ids.ts';
import { simpleConf } from '../raft/conf-state.ts';
import { applyChange } from '../raft/confchange.ts';
import type { ConfState, Entry } from '../raft/message.ts';
import type { Checkpoint } from '../snap/read-checkpoint.ts';
import { decodeConfChange } from '../wire/raft-records.ts';
import { applyMembership, loggedChangeOf, raftChange } from './apply-membership.ts';
import { Membership } from './membership.ts';
import type { MemberInfo } from './node.ts';

/**
 * Directories that etcd's tools restored from a snapshot: the database is of the cluster that
 * was saved, and so says the wrong members; the log begins with changes that add the new ones,
 * and nothing else up to the database's index.
 */

/** The checkpoint with the members that such a log gives it; others come back as they are. */
export function adoptRestored(checkpoint: Checkpoint, entries: readonly Entry[]): Checkpoint {
  const { index } = checkpoint;
  const covered = entries.filter((entry) => entry.index <= index);
  const isRestored =
    index > 0 &&
    covered.length === index &&
    covered[0]?.index === 1 &&
    covered.every(({ type }) => type === 'confChange');
  if (!isRestored) return checkpoint;
  const { members, confState } = membersOf(covered, EMPTY);
  const term = covered.at(-1)!.term;
  return { ...checkpoint, term, confState, members, removedMembers: [] };
}

export interface KnownMembers {
  readonly members: readonly MemberInfo[];
  readonly removed: readonly MemberId[];
  readonly confState: ConfState;
}

const EMPTY: KnownMembers = { members: [], removed: [], confState: simpleConf([]) };
/** Nothing is forgotten while a start looks at the whole log. */
const REMOVED_MAX = 1_000_000;
const LEARNERS_MAX = 1_000_000;

/** Who there is after the entries, which follow `before`. */
export function membersOf(
  entries: readonly Entry[],
  before: KnownMembers,
  through: Index = Number.MAX_SAFE_INTEGER,
): KnownMembers {
  const table = Membership.restore(before, REMOVED_MAX);
  let { confState } = before;
  for (const entry of entries) {
    if (entry.type !== 'confChange' || entry.index > through) continue;
    const record = decodeConfChange(entry.data);
    if (!record.ok) continue;
    const { change } = loggedChangeOf(record.value);
    const learnersMax = LEARNERS_MAX;
    if (!applyMembership(table, change, { learnersMax, conf: confState }).ok) continue;
    confState = applyChange(confState, raftChange(change));
  }
  return { members: table.list(), removed: table.removed(), confState };
}
