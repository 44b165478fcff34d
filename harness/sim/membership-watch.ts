/**
 * Who belongs to the cluster, as each member knows it: after every step its table, whom raft
 * counts, and what its newest checkpoint says of both must be what the committed log says there.
 * And what the log says must have been allowed: nobody votes who was far behind.
 */
import type { Index, MemberId } from '../../src/lib/ids.ts';
import { loggedChangeOf } from '../../src/member/apply-membership.ts';
import type { Member } from '../../src/member/member.ts';
import type { RaftCore } from '../../src/raft/core.ts';
import type { ConfState, Entry, SnapshotMeta } from '../../src/raft/message.ts';
import type { Role } from '../../src/raft/role.ts';
import { decodeConfChange } from '../../src/wire/raft-records.ts';
import type { Oracle } from './oracle/oracle.ts';
import type { UpkeepModel } from './oracle/upkeep-model.ts';

/** Of the leader's log, what a learner holds before it may vote (etcd). */
const READY_SHARE = 0.9;

/** What was compared last in one life of a member; any of it may have changed since if it did. */
interface Compared {
  members: UpkeepModel['members'] | undefined;
  removed: UpkeepModel['removed'] | undefined;
  conf: ConfState | undefined;
  table: Member['machine']['membership'] | undefined;
  snapshot: SnapshotMeta | undefined;
  /** While it leads: how long its log was after the last step. */
  role: Role | undefined;
  lastIndex: Index;
}

export class MembershipWatch {
  readonly #oracle: Oracle;
  readonly #lives = new Map<MemberId, Compared>();
  /** Learners that some leader saw with enough of its log. */
  readonly #ready = new Set<MemberId>();

  constructor(oracle: Oracle) {
    this.#oracle = oracle;
  }

  restarted(id: MemberId): void {
    this.#lives.delete(id);
  }

  /** After a step of the member; in words, what differs from the log. */
  difference(id: MemberId, member: Member): string | undefined {
    const seen = this.#seenOf(id);
    return this.#compareNow(seen, member) ?? this.#compareSnapshot(seen, member.core);
  }

  /** After a step, before {@link appended}. The share may have been looked at earlier in it. */
  noteReady({ id, role, log, conf }: Readonly<RaftCore>): void {
    if (role.type !== 'leader') return;
    const seen = this.#seenOf(id);
    const lastIndex = seen.role === role ? seen.lastIndex : log.lastIndex;
    seen.role = role;
    seen.lastIndex = log.lastIndex;
    for (const learner of conf.learners) {
      const match = role.progress.get(learner)?.match ?? 0;
      if (match >= READY_SHARE * lastIndex) this.#ready.add(learner);
    }
  }

  /** A leader has appended the entry; in words, why it should not have. */
  appended({ type, data }: Entry): string | undefined {
    const decoded = type === 'confChange' ? decodeConfChange(data) : undefined;
    if (decoded?.ok !== true) return undefined;
    const { change } = loggedChangeOf(decoded.value);
    if (change.type !== 'promote' || this.#ready.has(change.id)) return undefined;
    // Nobody's learner: what comes of that the table says.
    if (this.#oracle.upkeep.members.get(change.id)?.isLearner !== true) return undefined;
    return 'promoted while it had less than nine tenths of the log';
  }

  #compareNow(seen: Compared, member: Member): string | undefined {
    const { core, machine } = member;
    const { applied, membership: table } = machine;
    if (applied > this.#oracle.committed) return undefined;
    const { members, removed } = this.#oracle.upkeepAt(applied);
    // Raft takes over a snapshot's members before the state machine has its state.
    const isBetween = core.log.pendingSnapshot !== undefined || core.log.applied !== applied;
    const conf = isBetween ? undefined : core.conf;
    const isSame = seen.table === table && seen.members === members && seen.removed === removed;
    if (isSame && (conf === undefined || seen.conf === conf)) return undefined;
    Object.assign(seen, { members, removed, conf, table });
    return this.#oracle.compareMembers(applied, { table, conf });
  }

  #compareSnapshot(seen: Compared, { snapshot }: Readonly<RaftCore>): string | undefined {
    if (seen.snapshot === snapshot) return undefined;
    seen.snapshot = snapshot;
    const { index, confState } = snapshot;
    if (index === 0 || index > this.#oracle.committed) return undefined;
    const found = this.#oracle.compareMembers(index, { conf: confState });
    return found === undefined ? undefined : `${found}, in the checkpoint of index ${index}`;
  }

  #seenOf(id: MemberId): Compared {
    const seen = this.#lives.get(id) ?? { ...NOTHING_COMPARED };
    this.#lives.set(id, seen);
    return seen;
  }
}

const NOTHING_COMPARED: Compared = {
  members: undefined,
  removed: undefined,
  conf: undefined,
  table: undefined,
  snapshot: undefined,
  role: undefined,
  lastIndex: 0,
};
