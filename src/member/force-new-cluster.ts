import type { MemberId } from '../lib/ids.ts';
import { members } from '../raft/conf-state.ts';
import type { Entry } from '../raft/message.ts';
import type { RaftRestore } from '../raft/raw-node.ts';
import { encodeConfChange } from '../wire/raft-records.ts';
import { membersOf } from './adopt-restored.ts';
import { confChangeRecord } from './apply-membership.ts';
import type { MemberInfo } from './node.ts';

/**
 * A cluster of one from what is left of a larger one (etcd's --force-new-cluster): everybody
 * else is removed by entries that this member commits alone. Entries that were not known to be
 * committed are dropped, as etcd does: the majority may have decided otherwise.
 */
export function forceNewCluster(
  raft: RaftRestore,
  known: { readonly members: readonly MemberInfo[]; readonly removed: readonly MemberId[] },
  self: MemberInfo,
): RaftRestore {
  const { hardState, snapshot } = raft;
  const kept = raft.entries.filter((entry) => entry.index <= hardState.commit);
  const before = { ...known, confState: snapshot.confState };
  const now = membersOf(kept, before);
  const others = members(now.confState).filter((id) => id !== self.id);
  const changes = others.map((id) => confChangeRecord(0n, { type: 'remove', id }));
  const isIn = members(now.confState).includes(self.id);
  // First in, then out: a configuration always has a voter.
  if (!isIn) changes.unshift(confChangeRecord(0n, { type: 'add', member: self }));
  const first = (kept.at(-1)?.index ?? snapshot.index) + 1;
  const added = changes.map((change, position): Entry => {
    const data = encodeConfChange(change);
    return { type: 'confChange', term: hardState.term, index: first + position, data };
  });
  const commit = first + added.length - 1;
  return { ...raft, entries: [...kept, ...added], hardState: { ...hardState, commit } };
}
