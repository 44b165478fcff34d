/**
 * The mutable state that all roles share, and the outboxes that they fill. One member has one
 * core; the other files of this folder are functions over it.
 */
import { assert } from '../lib/assert.ts';
import type { Index, MemberId, Term } from '../lib/ids.ts';
import { assertConfState, isVoterOf } from './conf-state.ts';
import { assertConfig, type RaftConfig } from './config.ts';
import { RaftLog } from './log.ts';
import type {
  ConfState,
  Entry,
  Fact,
  HardState,
  Message,
  ReadState,
  SnapshotMeta,
} from './message.ts';
import type { Role } from './role.ts';

/** What a member knows when it starts: all of it durable. */
export interface RaftRestore {
  /** Term 0, no vote, commit 0 for a new member. */
  readonly hardState: HardState;
  /** Newest checkpoint; index 0 and the initial membership for a new log. */
  readonly snapshot: SnapshotMeta;
  /** Everything after `snapshot`, without a gap. */
  readonly entries: readonly Entry[];
  /** State machine's position, ≥ snapshot.index; no membership change lies between the two. */
  readonly applied: Index;
  /** It is known to have lost what it promised: see {@link RaftCore.hasLostEntries}. */
  readonly hasLostEntries?: boolean;
}

export class RaftCore {
  readonly id: MemberId;
  readonly config: RaftConfig;
  readonly log: RaftLog;
  term: Term;
  vote: MemberId | undefined;
  role: Role;
  conf: ConfState;
  /** Newest checkpoint on disk: what MsgSnap may offer. */
  snapshot: SnapshotMeta;

  /** Leave with the next outputs; they promise nothing about durability. */
  messages: Message[] = [];
  /** Leave when everything up to now is durable (thesis 3.8). */
  responses: Message[] = [];
  readStates: ReadState[] = [];
  facts: Fact[] = [];
  /**
   * What this member promised is lost, votes included, so it gives none and does not stand. What
   * it is sent and acknowledges anew counts: that it has.
   */
  hasLostEntries: boolean;
  /** As last handed to storage. */
  handedHardState: HardState;
  /** Since it was made. */
  ticks = 0;
  /** When the commit index was last handed to storage. */
  commitWrittenTick = 0;

  constructor(config: RaftConfig, restore: RaftRestore) {
    assertConfig(config);
    assertConfState(restore.snapshot.confState);
    const { hardState, snapshot, entries, applied } = restore;
    this.id = config.id;
    this.config = config;
    this.term = hardState.term;
    this.vote = hardState.vote;
    this.conf = snapshot.confState;
    this.snapshot = snapshot;
    this.handedHardState = hardState;
    this.hasLostEntries = restore.hasLostEntries ?? false;
    const last = entries.at(-1)?.index ?? snapshot.index;
    const commit = Math.max(hardState.commit, snapshot.index, impliedCommit(entries));
    if (commit > last) this.unsafe(undefined, `committed through ${commit}, log ends at ${last}`);
    this.log = new RaftLog({ snapshot, entries, commit: Math.min(commit, last), applied });
    assert(this.log.lastTerm <= this.term, 'core: an entry has a term beyond the hard state');
    for (const { index, type } of entries) {
      assert(index > applied || type === 'normal', 'core: restored past a membership change');
    }
    this.role = {
      type: 'follower',
      leader: undefined,
      acknowledged: 0,
      unsafeReported: false,
      electionElapsedTicks: 0,
      randomizedTimeoutTicks: this.drawTimeoutTicks(),
    };
  }

  /** Not for anything that promises durability. */
  send(message: Message): void {
    assert(message.from === this.id, 'core: sent under a foreign name');
    assert(message.to !== this.id, 'core: sent to itself');
    this.messages.push(message);
  }

  /** Once everything up to now is durable; messages to itself come back through `step`. */
  sendWhenDurable(message: Message): void {
    assert(message.from === this.id, 'core: sent under a foreign name');
    assert(message.term <= this.term, 'core: sent for a term not reached');
    this.responses.push(message);
  }

  fact(fact: Fact): void {
    this.facts.push(fact);
  }

  unsafe(peer: MemberId | undefined, reason: string): void {
    this.fact({ type: 'unsafe', term: this.term, peer, reason });
  }

  /** In either half of a joint configuration. */
  isVoter(id: MemberId): boolean {
    return isVoterOf(this.conf, id);
  }

  /** For answers to candidates. */
  commitPoint(): { readonly commit: Index; readonly commitTerm: Term } {
    const { commit } = this.log;
    const commitTerm = this.log.termAt(commit);
    assert(commitTerm !== undefined, 'core: no term at commit');
    return { commit, commitTerm };
  }

  /** The leader of the current term as far as known here. */
  leader(): MemberId | undefined {
    if (this.role.type === 'leader') return this.id;
    return this.role.type === 'follower' ? this.role.leader : undefined;
  }

  /** Uniform in [electionTimeoutTicks, 2 × electionTimeoutTicks): thesis 3.4. */
  drawTimeoutTicks(): number {
    const { electionTimeoutTicks, random } = this.config;
    const extraTicks = random.below(electionTimeoutTicks);
    assert(extraTicks >= 0 && extraTicks < electionTimeoutTicks, 'core: random out of range');
    return electionTimeoutTicks + extraTicks;
  }
}

/**
 * A leader appends a membership change only when the one before is applied, so a log with two
 * proves the first committed, even if a torn write lost the commit index. Without it a member
 * could stand for election under a membership two changes old, whose majorities need not
 * overlap today's (thesis 4.1).
 */
function impliedCommit(entries: readonly Entry[]): Index {
  const changes = entries.filter((entry) => entry.type !== 'normal');
  return changes.at(-2)?.index ?? 0;
}
