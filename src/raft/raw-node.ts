/**
 * Raft as a pure, synchronous state machine. It knows no clock, no network and no disk: time
 * is `tick`, everything received is `step`, and what must be done comes out of `takeOutputs`.
 * The same inputs always give the same outputs.
 *
 * The caller's loop, for ever:
 *   1. feed it: tick(), step(message), propose(…), readIndex(…)
 *   2. while ((outputs = takeOutputs()) !== undefined):
 *        send `messages` now; hand `append` to storage, in order, without waiting for it;
 *        apply `committed`, call applyConfChange for each membership change, then appliedTo;
 *        serve reads of `readStates` whose index is applied
 *   3. when an append is durable, deliver its `responses`: those to itself by `step`, the
 *      others over the network
 *
 * Safety rests on step 3: votes and acknowledgements never overtake what they promise (thesis
 * 3.8). Sending while writing is what keeps a put at one disk write of latency (10.2.1).
 * Start reading at step.ts; the roles are in follower, candidate and leader.
 */
import { assert } from '../lib/assert.ts';
import type { Index, MemberId, Term } from '../lib/ids.ts';
import { err, ok, type Result } from '../lib/result.ts';
import { isVoterOf } from './conf-state.ts';
import {
  applyChange,
  type ConfChange,
  type ConfChangeEntry,
  type ConfChangeRefusal,
  changeConf,
  isLeaveEntry,
} from './confchange.ts';
import type { RaftConfig } from './config.ts';
import { RaftCore, type RaftRestore } from './core.ts';
import { campaign } from './election.ts';
import { leaderGone } from './follower.ts';
import { addRead, confEntryRefusal, membershipChanged, propose, startTransfer } from './leader.ts';
import type { ConfState, EntryType, Message, Outputs, SnapshotMeta } from './message.ts';
import { takeOutputs } from './outputs.ts';
import { followerUnreachable, snapshotReported } from './replication.ts';
import type { Role } from './role.ts';
import { step, tick } from './step.ts';

export type { ConfChange, ConfChangeEntry, ConfChangeRefusal, RaftConfig, RaftRestore };

/** See {@link RawNode.propose}. */
export type Proposed = 'appended' | 'forwarded' | 'dropped';
/** See {@link RawNode.transferLeadership}. */
export type TransferAnswer = 'started' | 'alreadyLeader' | 'forwarded' | 'refused' | 'dropped';

/** A copy of what operators and tests want to see; changing it changes nothing. */
export interface RaftStatus {
  readonly id: MemberId;
  readonly term: Term;
  readonly role: Role['type'];
  readonly leader: MemberId | undefined;
  readonly vote: MemberId | undefined;
  readonly conf: ConfState;
  readonly commit: Index;
  readonly applied: Index;
  readonly lastIndex: Index;
  /** Durable here through this index. */
  readonly stable: Index;
  /** It neither votes nor stands, and its operator has to replace it. */
  readonly hasLostEntries: boolean;
  /** Under way from this leader. */
  readonly transferee: MemberId | undefined;
  /** Leader only; sorted as in the membership. */
  readonly progress: readonly FollowerStatus[];
}

export interface FollowerStatus {
  readonly id: MemberId;
  readonly state: 'probe' | 'replicate' | 'snapshot';
  /** Fed, not counted; a future learner of a joint configuration still counts. */
  readonly isLearner: boolean;
  /** Durable there through this index; the leader's own is `stable`. */
  readonly match: Index;
  readonly next: Index;
  readonly recentActive: boolean;
  /** Nothing is sent until the follower answers. */
  readonly paused: boolean;
}

export class RawNode {
  /** For invariants.ts and describe.ts only: read, never change. */
  readonly core: Readonly<RaftCore>;
  readonly #core: RaftCore;

  /** Throws AssertionError if `config` or `restore` contradict themselves. */
  constructor(config: RaftConfig, restore: RaftRestore) {
    this.#core = new RaftCore(config, restore);
    this.core = this.#core;
  }

  get term(): Term {
    return this.#core.term;
  }

  /** Who leads this term, as far as known here. */
  get leader(): MemberId | undefined {
    return this.#core.leader();
  }

  /** Durable here through this index. */
  get stable(): Index {
    return this.#core.log.stable;
  }

  /** On its way to the disk, and to a majority. */
  get isAppending(): boolean {
    const { stable, commit, lastIndex } = this.#core.log;
    return stable < lastIndex && commit < lastIndex && this.#core.role.type === 'leader';
  }

  get commit(): Index {
    return this.#core.log.commit;
  }

  get hasLostEntries(): boolean {
    return this.#core.hasLostEntries;
  }

  /** One unit of logical time has passed. */
  tick(): void {
    tick(this.#core);
  }

  /** A peer's message, or a self-addressed response of storage. Malformed ones are ignored. */
  step(message: Message): void {
    step(this.#core, message);
  }

  /**
   * `appended`: in this leader's log, which may still lose it; `forwarded`: on its way to the
   * leader, which may refuse it without notice; `dropped`: no leader, a transfer, or a limit.
   * Nothing but its application proves that it happened.
   */
  propose(entries: readonly { readonly type: EntryType; readonly data: Uint8Array }[]): Proposed {
    const core = this.#core;
    assert(entries.length > 0, 'raw-node: empty proposal');
    if (core.role.type === 'leader') {
      return propose(core, core.role, { from: core.id, entries }) ? 'appended' : 'dropped';
    }
    const leader = core.leader();
    if (leader === undefined) return 'dropped';
    core.send({ type: 'MsgProp', from: core.id, to: leader, term: 0, entries });
    return 'forwarded';
  }

  /**
   * As {@link propose}, for one membership change that `entry` encodes. An error is definite:
   * the change is nowhere. Only the leader gives one; a forwarded change that the leader refuses
   * is lost without notice here (there it is a `confChangeRefused` fact).
   */
  proposeConfChange(
    change: ConfChange,
    entry: ConfChangeEntry,
  ): Result<Proposed, ConfChangeRefusal> {
    const core = this.#core;
    const leaves = change.transition === 'auto' && change.changes.length === 0;
    assert(isLeaveEntry(entry) === leaves, 'raw-node: the entry encodes another change');
    if (core.role.type === 'leader') {
      const refusal = confEntryRefusal(core, core.role, entry);
      if (refusal !== undefined) return err(refusal);
      const changed = changeConf(core.conf, change);
      if (!changed.ok) return changed;
    }
    return ok(this.propose([entry]));
  }

  /**
   * Asks for a linearizable read point, which comes as a ReadState with the same context, or
   * never (lost message, lost leadership): ask again with a new context. Contexts must not
   * repeat, not even after a restart: a late answer to the first would pass for the second.
   */
  readIndex(context: number): 'accepted' | 'forwarded' | 'dropped' {
    const core = this.#core;
    assert(Number.isSafeInteger(context) && context > 0, 'raw-node: bad read context');
    if (core.role.type === 'leader') {
      return addRead(core, core.role, { from: core.id, context }) ? 'accepted' : 'dropped';
    }
    const leader = core.leader();
    if (leader === undefined) return 'dropped';
    core.send({ type: 'MsgReadIndex', from: core.id, to: leader, term: 0, context });
    return 'forwarded';
  }

  /**
   * Asks the leader, itself or another, to hand over to a voter (thesis 3.10). `refused`: `to`
   * is a learner or not a member, as far as known here; `dropped`: no leader is known. Started
   * or forwarded, it is still best effort: watch the leader, and the facts for an abort.
   */
  transferLeadership(to: MemberId): TransferAnswer {
    const core = this.#core;
    const leader = core.leader();
    if (core.role.type === 'leader') return startTransfer(core, core.role, to);
    if (leader === undefined) return 'dropped';
    if (to === leader) return 'alreadyLeader';
    const { id: from, term } = core;
    core.send({ type: 'MsgTransferLeader', from, to: leader, term, transferee: to });
    return 'forwarded';
  }

  /** Stands for election without waiting; a lone voter need not wait for its timeout. */
  campaign(): void {
    campaign(this.#core, 'timeout');
  }

  /**
   * A membership entry is applied; the result is the membership from now on. A change that
   * {@link checkConfChange} refuses changes nothing, on every member alike: then whatever else
   * depends on it must be left as it is too.
   */
  applyConfChange(change: ConfChange): ConfState {
    const core = this.#core;
    const before = core.conf;
    core.conf = applyChange(before, change);
    if (core.conf !== before && core.role.type === 'leader') membershipChanged(core, core.role);
    return core.conf;
  }

  /** What {@link applyConfChange} would make of the membership; changes nothing. */
  checkConfChange(change: ConfChange): Result<ConfState, ConfChangeRefusal> {
    return changeConf(this.#core.conf, change);
  }

  /** Everything through `index` is applied to the state machine. */
  appliedTo(index: Index): void {
    this.#core.log.appliedTo(index);
  }

  /** A checkpoint at `meta.index` is durable; an older one is ignored. */
  snapshotSaved(meta: SnapshotMeta): void {
    const core = this.#core;
    // A snapshot being installed is on disk a little before its MsgStorageAppendResp says so.
    assert(meta.index <= core.log.commit, 'raw-node: checkpoint of what is not committed');
    if (meta.index > core.snapshot.index) core.snapshot = meta;
  }

  /**
   * Forgets entries through `index`, which the newest checkpoint covers. Those not yet durable
   * are kept until a later call. Followers that need forgotten entries get the checkpoint.
   */
  compact(index: Index): void {
    const core = this.#core;
    assert(index <= core.snapshot.index, 'raw-node: compaction beyond the newest checkpoint');
    assert(index <= core.log.applied, 'raw-node: compaction beyond applied');
    core.log.compact(index);
  }

  /** The lowest index ≥ the log's base such that what follows it, up to `through`, fits. */
  indexWithin(through: Index, bytesMax: number): Index {
    return this.#core.log.indexWithin(through, bytesMax);
  }

  /** The network lost a message to `peer`. */
  reportUnreachable(peer: MemberId): void {
    const { role } = this.#core;
    if (role.type !== 'leader') return;
    const progress = role.progress.get(peer);
    if (progress !== undefined) followerUnreachable(progress);
  }

  /**
   * `peer`'s host answers that nothing listens there: its process is gone. Was it the leader,
   * then there is nothing to wait for: stand for election soon, at a random moment lest all
   * do at once. A false alarm costs a pre-vote, which those in contact with the leader refuse.
   */
  reportRefused(peer: MemberId): void {
    const { role } = this.#core;
    if (role.type === 'follower') leaderGone(this.#core, role, peer);
    else this.reportUnreachable(peer);
  }

  /** The transfer that a MsgSnap announced has ended. Must come, or `peer` stays without news. */
  reportSnapshot(peer: MemberId, delivered: boolean): void {
    const { role } = this.#core;
    if (role.type !== 'leader') return;
    const progress = role.progress.get(peer);
    if (progress !== undefined) snapshotReported(progress, delivered);
  }

  /**
   * Everything to be done since the last call; undefined if nothing. Limits on bytes may leave
   * committed entries for the next call, so call until undefined, or again next turn.
   * Without `commitAlone` a new commit index is told only with entries, or to who waits for it:
   * two messages fewer for each put, if another follows soon. See {@link hasUntoldCommit}.
   */
  takeOutputs(options: { readonly commitAlone?: boolean } = {}): Outputs | undefined {
    return takeOutputs(this.#core, options.commitAlone ?? true);
  }

  /** A follower that is up to date has not been told that all up to `through` is committed. */
  hasUntoldCommit(through: Index): boolean {
    const { role } = this.#core;
    if (role.type !== 'leader') return false;
    for (const { state, sentCommit } of role.progress.values()) {
      if (state.type === 'replicate' && sentCommit < through) return true;
    }
    return false;
  }

  status(): RaftStatus {
    const { id, term, role, vote, conf, log } = this.#core;
    return {
      id,
      term,
      role: role.type,
      leader: this.#core.leader(),
      vote,
      conf,
      commit: log.commit,
      applied: log.applied,
      lastIndex: log.lastIndex,
      stable: log.stable,
      hasLostEntries: this.#core.hasLostEntries,
      transferee: role.type === 'leader' ? role.transfer?.to : undefined,
      // Only few who ask for the status want it, and it takes longest.
      get progress(): readonly FollowerStatus[] {
        return followersOf(role, conf);
      },
    };
  }

  /** Undefined for entries that are compacted or not there yet. */
  termAt(index: Index): Term | undefined {
    return this.#core.log.termAt(index);
  }
}

function followersOf(role: Role, conf: ConfState): readonly FollowerStatus[] {
  if (role.type !== 'leader') return [];
  return [...role.progress].map(([id, { match, next, recentActive, state }]) => ({
    id,
    state: state.type,
    isLearner: !isVoterOf(conf, id),
    match,
    next,
    recentActive,
    paused:
      state.type === 'snapshot' || (state.type === 'probe' ? state.paused : state.inflights.full()),
  }));
}
