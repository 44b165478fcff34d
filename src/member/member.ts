import type { AuthInfo } from '../auth/request.ts';
import { leaseTtlMinS } from '../lease/lease-clock.ts';
import { assert, assertNever } from '../lib/assert.ts';
import type { Index, MemberId, RequestId, Term } from '../lib/ids.ts';
import { WatchHub } from '../mvcc/watch-hub.ts';
import type { FailpointName, Failpoints } from '../ports/failpoints.ts';
import type { PeerUrls } from '../ports/network.ts';
import type { Random } from '../ports/random.ts';
import { LEAVE_JOINT } from '../raft/confchange.ts';
import type { RaftCore } from '../raft/core.ts';
import type { ConfState, Entry, Message, ReadState } from '../raft/message.ts';
import { type RaftStatus, RawNode } from '../raft/raw-node.ts';
import type { Checkpoint } from '../snap/read-checkpoint.ts';
import type { InternalRequest } from '../wire/internal-request.ts';
import { encodeLoggedRequest } from '../wire/logged-request.ts';
import { decodeConfChange, encodeConfChange } from '../wire/raft-records.ts';
import { type AppliedEntry, StateMachine } from './apply.ts';
import {
  confChangeRecord,
  loggedChangeOf,
  type MembershipChange,
  raftChange,
} from './apply-membership.ts';
import type { ApplyMeter } from './apply-meter.ts';
import { CheckpointSchedule } from './checkpoint-schedule.ts';
import type { MemberConfig } from './config.ts';
import type { ApplyFailure, MemberError } from './failure.ts';
import type { DueCheckpoint, Input, MemberFact, MemberOutputs, Outcome } from './input.ts';
import { LeaderDuties } from './leader-duties.ts';
import { type Held, PendingRequests } from './pending.ts';
import { PendingReads } from './reads.ts';
import type { Recovered } from './recover.ts';

/**
 * One member of the cluster, without its surroundings: consensus, state machine, and the
 * requests that wait for them. Synchronous and deterministic: inputs go in one at a time by
 * {@link step}, and {@link takeOutputs} tells what to do about them. The same class runs
 * behind the real disk and network (member/run.ts) and in simulation.
 */
export class Member {
  readonly #config: MemberConfig;
  readonly #raft: RawNode;
  readonly #machine: StateMachine;
  readonly #pending: PendingRequests;
  readonly #reads: PendingReads;
  #tick = 0;
  /** Followers are told now how far all is committed, though nothing else is to be said. */
  #tellsCommit = false;
  /** When requests were last proposed. */
  #batchTick = 0;
  #confState: ConfState;
  #knownLeader: { readonly leader: MemberId | undefined; readonly term: Term };
  readonly #checkpoints: CheckpointSchedule;
  /** What the entries applied since the start take in memory, roughly. */
  #logBytes = 0;
  #outcomes: Outcome[] = [];
  #facts: MemberFact[] = [];
  #peers: readonly PeerUrls[] | undefined;
  /** Compactions whose rows are still being removed, and whose clients wait for that. */
  #compacting: Outcome[] = [];
  readonly #duties: LeaderDuties;
  readonly #meter: ApplyMeter | undefined;
  readonly #failpoints: Failpoints | undefined;
  readonly watches: WatchHub;

  constructor(
    config: MemberConfig,
    recovered: Recovered,
    random: Random,
    meter?: ApplyMeter,
    failpoints?: Failpoints,
  ) {
    this.#config = config;
    this.#meter = meter;
    this.#failpoints = failpoints;
    const { timing, limits } = config;
    this.#machine = new StateMachine(recovered.checkpoint, {
      removedMembersMax: limits.removedMembersMax,
      learnersMax: limits.learnersMax,
      lessor: {
        minTtlS: leaseTtlMinS(timing.electionTicks * timing.tickMs),
        ticksPerS: 1_000 / timing.tickMs,
        checkpointIntervalS: config.leaseCheckpointS,
        leasesMax: limits.leasesMax,
      },
      hashSeed: random.fork('hash-seed').below(2 ** 32),
    });
    this.watches = new WatchHub(this.#machine.store, config.watch);
    this.#duties = new LeaderDuties(config);
    this.#raft = new RawNode(
      {
        ...config.raft,
        id: config.memberId,
        electionTimeoutTicks: timing.electionTicks,
        heartbeatTicks: timing.heartbeatTicks,
        random: random.fork('raft'),
      },
      recovered.raft,
    );
    this.#confState = recovered.raft.snapshot.confState;
    this.#checkpoints = new CheckpointSchedule(recovered.raft.snapshot.index, {
      snapshotCount: config.snapshotCount,
      electionTicks: timing.electionTicks,
    });
    if (recovered.checkpoint !== undefined) this.#raft.snapshotSaved(recovered.raft.snapshot);
    this.#pending = new PendingRequests({
      max: limits.pendingRequestsMax,
      timeoutTicks: timing.requestTimeoutTicks,
    });
    this.#reads = new PendingReads(
      {
        waitingMax: limits.waitingReadsMax,
        batchesMax: limits.readBatchesMax,
        timeoutTicks: timing.requestTimeoutTicks,
        retryTicks: timing.readRetryTicks,
      },
      firstReadContext(random),
    );
    const { leader, term } = this.#raft;
    this.#knownLeader = { leader, term };
  }

  get machine(): StateMachine {
    return this.#machine;
  }

  get nowTick(): number {
    return this.#tick;
  }

  get pendingCount(): number {
    return this.#pending.count;
  }

  /** For invariants and traces only: read, never change. */
  get core(): Readonly<RaftCore> {
    return this.#raft.core;
  }

  /** What a checkpoint of this moment would hold; to be released. */
  image(): DueCheckpoint {
    return this.#machine.image(this.#confState);
  }

  /** Followers have not been told yet that this much is committed. */
  hasUntoldCommit(through: Index): boolean {
    return this.#raft.hasUntoldCommit(through);
  }

  /** As far as known here. */
  get leader(): MemberId | undefined {
    return this.#raft.leader;
  }

  get term(): Term {
    return this.#raft.term;
  }

  get commit(): Index {
    return this.#raft.commit;
  }

  get hasLostEntries(): boolean {
    return this.#raft.hasLostEntries;
  }

  raftStatus(): RaftStatus {
    return this.#raft.status();
  }

  step(input: Input): void {
    switch (input.type) {
      case 'tick':
        return this.#onTick();
      case 'message':
        return this.#raft.step(input.message);
      case 'propose':
        return this.#onPropose(input.id, input.request, input.auth);
      case 'changeMembership':
        return this.#onChange(input.id, input.change);
      case 'read':
        if (this.#raft.hasLostEntries) this.#fail(input.id, 'noLeader');
        else if (!this.#reads.add(input.id, this.#tick)) this.#fail(input.id, 'tooManyRequests');
        return;
      case 'skipElectionTicks':
        if (this.#raft.leader !== undefined) return;
        for (let i = 0; i < input.ticks; i++) this.#raft.tick();
        return;
      case 'tellCommit':
        this.#tellsCommit = true;
        return;
      case 'unreachable':
        return this.#raft.reportUnreachable(input.peer);
      case 'refused':
        return this.#raft.reportRefused(input.peer);
      case 'snapshotSent':
        return this.#raft.reportSnapshot(input.peer, input.delivered);
      case 'snapshotInstalled':
        return this.#onSnapshot(input.checkpoint);
      case 'checkpointSaved':
        return this.#onCheckpointSaved(input.meta.index, input);
      case 'checkpointFailed':
        return this.#checkpoints.failed(this.#tick);
      case 'transferLeadership':
        return this.#transferLeadership(input.target);
      default:
        return assertNever(input);
    }
  }

  /** What the inputs since the last call led to; undefined: nothing. More may follow at once. */
  takeOutputs(): MemberOutputs | undefined {
    const entriesFollow = this.#pending.hasHeld && this.#waitsForBatch();
    if (!entriesFollow) this.#proposeHeld();
    this.#reads.flush(this.#tick, (context) => this.#raft.readIndex(context) !== 'dropped');
    const outputs = this.#raft.takeOutputs({ commitAlone: this.#tellsCommit && !entriesFollow });
    this.#tellsCommit = false;
    this.#applyAll(outputs?.committed ?? []);
    this.#confirmReads(outputs?.readStates ?? []);
    this.#watchLeader();
    this.#takeOverLeases();
    const checkpoint = this.#checkpointDue();
    const outcomes = this.#outcomes;
    const facts = [...(outputs?.facts ?? []), ...this.#facts];
    const peers = this.#peers;
    const idle = outputs === undefined && outcomes.length === 0 && facts.length === 0;
    if (idle && checkpoint === undefined && peers === undefined) return undefined;
    this.#outcomes = [];
    this.#facts = [];
    this.#peers = undefined;
    const messages: readonly Message[] = outputs?.messages ?? [];
    return { messages, append: outputs?.append, outcomes, facts, checkpoint, peers };
  }

  #onTick(): void {
    this.#tick += 1;
    this.#raft.tick();
    this.#checkpoints.onTick(this.#tick, this.#machine.applied);
    const { term, leader } = this.#raft;
    const now = { tick: this.#tick, term, hasLeader: leader !== undefined };
    for (const { id, error } of this.#pending.expire(now)) this.#fail(id, error);
    const readError = leader === undefined ? 'noLeader' : 'timeout';
    for (const id of this.#reads.onTick(this.#tick)) this.#fail(id, readError);
    this.#compactSome();
    this.#failpoints?.hit('beforeSyncWatchers');
    this.watches.tick(this.#tick);
    if (this.#leads()) this.#doDuties();
  }

  /** What only the leader asks for; lost with the leadership, and asked for again by the next. */
  #doDuties(): void {
    const { state } = this.#machine;
    for (const request of this.#duties.due(this.#tick, state)) {
      const auth = state.auth.rootInfo();
      const data = encodeLoggedRequest({ id: NOBODY_WAITS, request, auth });
      if (this.#raft.propose([{ type: 'normal', data }]) === 'dropped') return;
    }
  }

  /** Bounded, so that no request waits for a big compaction. */
  #compactSome(): void {
    const { store } = this.#machine;
    // A step that could do nothing, because somebody still reads, is not the end of it.
    const rowsMax = this.#config.limits.compactedRowsPerTickMax;
    if (store.compactStep(rowsMax, this.#failpoints)) return;
    if (this.#compacting.length > 0 && store.isCompacting) return;
    this.#outcomes.push(...this.#compacting);
    this.#compacting = [];
  }

  #onPropose(id: RequestId, request: InternalRequest, auth: AuthInfo | undefined): void {
    const data = encodeLoggedRequest({ id, request, auth });
    if (this.#raft.hasLostEntries) return this.#fail(id, 'noLeader');
    if (data.length > this.#config.limits.requestBytesMax) this.#fail(id, 'requestTooLarge');
    else if (!this.#pending.hold(id, data, this.#tick)) this.#fail(id, 'tooManyRequests');
  }

  #onChange(id: RequestId, change: MembershipChange): void {
    const data = encodeConfChange(confChangeRecord(id, change));
    if (this.#raft.hasLostEntries) return this.#fail(id, 'noLeader');
    if (!this.#pending.hold(id, data, this.#tick, 'confChange')) this.#fail(id, 'tooManyRequests');
  }

  /**
   * While a batch of this leader is being written, what comes makes up the next: few messages and
   * writes for many requests. A slow disk must not be felt for longer than a tick or two.
   */
  #waitsForBatch(): boolean {
    return this.#raft.isAppending && this.#tick - this.#batchTick <= 1;
  }

  /** All requests of a turn become one batch; without a leader they wait for one. */
  #proposeHeld(): void {
    const held = this.#pending.takeHeld();
    if (held.length === 0) return;
    this.#batchTick = this.#tick;
    for (const change of held) if (change.type === 'confChange') this.#proposeChange(change);
    let rest = held.filter(({ type }) => type === 'normal');
    while (rest.length > 0) {
      const batch = rest.slice(0, batchLength(rest, this.#config.raft.maxMessageBytes));
      const proposals = batch.map(({ type, data }) => ({ type, data }));
      if (this.#raft.propose(proposals) === 'dropped') return this.#pending.holdAgain(rest);
      this.#pending.markProposed(batch, this.#raft.term);
      rest = rest.slice(batch.length);
    }
  }

  /** One at a time: while another is not applied yet, it waits for its turn. */
  #proposeChange(held: Held): void {
    const change = raftChange(decodedChange(held.data));
    const proposed = this.#raft.proposeConfChange(change, { type: 'confChange', data: held.data });
    if (!proposed.ok && proposed.error !== 'unapplied' && proposed.error !== 'joint') {
      this.#fail(held.id, 'notEnoughStarted');
    } else if (!proposed.ok || proposed.value === 'dropped') this.#pending.holdAgain([held]);
    else this.#pending.markProposed([held], this.#raft.term);
  }

  #applyAll(committed: readonly Entry[]): void {
    if (committed.length === 0) return;
    this.#meter?.begin();
    for (const entry of committed) {
      if (this.#failpoints !== undefined) this.#failpoints.hit(pointBefore(entry));
      this.#apply(entry);
      this.#meter?.applied(entry);
    }
  }

  #apply(entry: Entry): void {
    const context = {
      tick: this.#tick,
      conf: this.#confState,
      failpoints: this.#failpoints,
    };
    const applied = this.#machine.apply(entry, context);
    this.#raft.appliedTo(entry.index);
    this.#logBytes += entry.data.length + ENTRY_COST_BYTES;
    switch (applied.type) {
      case 'nothing':
        return;
      case 'request':
        return this.#requestApplied(applied);
      case 'confChange':
        return this.#changeApplied(applied);
      case 'leaveJoint':
        this.#confState = this.#raft.applyConfChange(LEAVE_JOINT);
        return;
      default:
        return assertNever(applied);
    }
  }

  #requestApplied(applied: Extract<AppliedEntry, { type: 'request' }>): void {
    const { id, request, result, changes } = applied;
    const { revision } = this.#machine.store;
    this.#facts.push(...applied.facts);
    if (changes.length > 0) this.watches.notify(revision, changes);
    if (!this.#pending.settle(id)) return;
    const outcome: Outcome = { type: 'applied', id, result, revision };
    const waits = request.type === 'compaction' && request.physical && result.ok;
    if (waits) this.#compacting.push(outcome);
    else this.#outcomes.push(outcome);
  }

  #changeApplied(applied: Extract<AppliedEntry, { type: 'confChange' }>): void {
    const { id, change, result } = applied;
    if (result.ok) {
      this.#confState = this.#raft.applyConfChange(raftChange(change));
      this.#membersChanged();
      this.#facts.push(factOf(change));
      if (change.type === 'remove' && change.id === this.#config.memberId) {
        this.#facts.push({ type: 'removedFromCluster' });
      }
    }
    if (!this.#pending.settle(id)) return;
    if (result.ok) this.#outcomes.push({ type: 'changed', id });
    else this.#outcomes.push({ type: 'failed', id, error: result.error });
  }

  #membersChanged(): void {
    this.#peers = this.#machine.membership.list().map(({ id, peerUrls }) => ({ id, peerUrls }));
  }

  #confirmReads(readStates: readonly ReadState[]): void {
    // Reads that were taken before it was noticed: not even those are answered.
    if (this.#raft.hasLostEntries) {
      for (const id of this.#reads.takeAll()) this.#fail(id, 'noLeader');
      return;
    }
    for (const { context, index } of readStates) this.#reads.confirm(context, index);
    for (const id of this.#reads.takeReady(this.#machine.applied)) {
      this.#outcomes.push({ type: 'readable', id });
    }
  }

  #watchLeader(): void {
    const { leader, term } = this.#raft;
    if (leader === this.#knownLeader.leader && term === this.#knownLeader.term) return;
    this.#knownLeader = { leader, term };
    this.#reads.askAgain();
    this.#machine.state.lessor.demote();
  }

  /** Only once all of earlier terms is applied: a renewal that another leader logged counts. */
  #takeOverLeases(): void {
    const { lessor } = this.#machine.state;
    if (lessor.isPrimary || !this.#leads() || this.#machine.appliedTerm < this.#raft.term) return;
    lessor.promote(this.#tick, this.#config.timing.electionTicks);
  }

  #leads(): boolean {
    return this.#raft.leader === this.#config.memberId;
  }

  /** Only what is durable here is worth a checkpoint: the log must not fall behind it. */
  #checkpointDue(): DueCheckpoint | undefined {
    const { applied, store } = this.#machine;
    const sizeBytes = store.sizeInUseBytes;
    const now = { tick: this.#tick, applied, logBytes: this.#logBytes, sizeBytes };
    if (!this.#checkpoints.isDue(now) || this.#raft.stable < applied) return undefined;
    this.#checkpoints.begin(now);
    return this.#machine.image(this.#confState);
  }

  #onSnapshot(checkpoint: Checkpoint): void {
    const { clusterVersion } = this.#machine.state;
    this.#machine.install(checkpoint);
    this.watches.replaced(this.#machine.store);
    this.#membersChanged();
    if (this.#machine.membership.isRemoved(this.#config.memberId)) {
      this.#facts.push({ type: 'removedFromCluster' });
    }
    const version = checkpoint.clusterVersion;
    if (version !== clusterVersion) this.#facts.push({ type: 'clusterVersionSet', version });
    this.#confState = checkpoint.confState;
    this.#checkpoints.replaced(checkpoint.index, this.#logBytes);
    this.#raft.snapshotSaved(checkpoint);
  }

  #onCheckpointSaved(index: number, input: Extract<Input, { type: 'checkpointSaved' }>): void {
    if (!this.#checkpoints.saved(index, this.#tick)) return;
    this.#raft.snapshotSaved(input.meta);
    const through = this.#compactThrough(index);
    if (through > 0) this.#raft.compact(through);
  }

  /**
   * What followers may still ask for is kept: some entries before the checkpoint, and more for
   * one that is being brought up by a snapshot, or it would need the next as soon as it has
   * installed this one. A follower that is away is not waited for.
   */
  #compactThrough(checkpoint: Index): Index {
    const { catchupEntries } = this.#config;
    const wanted = this.#raft
      .status()
      .progress.filter((peer) => peer.recentActive && peer.state !== 'replicate')
      .map((peer) => peer.next - 1);
    const keptFrom = (factor: number): Index =>
      Math.max(
        checkpoint - factor * catchupEntries,
        this.#raft.indexWithin(checkpoint, factor * CATCHUP_BYTES),
      );
    const kept = Math.max(Math.min(keptFrom(1), ...wanted), keptFrom(CATCHUP_FACTOR_MAX));
    // A snapshot on its way to the disk has emptied the log beyond what this checkpoint covers.
    return Math.min(kept, checkpoint);
  }

  #transferLeadership(target: MemberId | undefined): void {
    if (target !== undefined) {
      this.#raft.transferLeadership(target);
      return;
    }
    const status = this.#raft.status();
    if (status.leader !== status.id) return;
    const best = status.progress
      .filter((peer) => peer.id !== status.id && this.#confState.voters.includes(peer.id))
      .reduce<RaftStatus['progress'][number] | undefined>(
        (a, b) => (a === undefined || b.match > a.match ? b : a),
        undefined,
      );
    if (best !== undefined) this.#raft.transferLeadership(best.id);
  }

  #fail(id: RequestId, error: MemberError | ApplyFailure): void {
    this.#pending.settle(id);
    this.#outcomes.push({ type: 'failed', id, error });
  }
}

function pointBefore({ type }: Entry): FailpointName {
  return type === 'normal' ? 'beforeApplyOneEntryNormal' : 'beforeApplyOneConfChange';
}

/** Of requests that the member makes by itself. */
const NOBODY_WAITS: RequestId = 0n;
/** What an entry takes besides its data, in memory and in the time to apply it again. */
const ENTRY_COST_BYTES = 200;
/** Of the `catchupEntries`, as many as fit. */
const CATCHUP_BYTES = 32 * 1024 * 1024;
/** The most that is kept for a follower being brought up, as a multiple of both. */
const CATCHUP_FACTOR_MAX = 10;

function decodedChange(data: Uint8Array): MembershipChange {
  const record = decodeConfChange(data);
  assert(record.ok, 'a change that was encoded here');
  return loggedChangeOf(record.value).change;
}

function factOf(change: MembershipChange): MemberFact {
  switch (change.type) {
    case 'add':
      return { type: 'memberAdded', member: change.member.id };
    case 'promote':
      return { type: 'memberPromoted', member: change.id };
    case 'remove':
      return { type: 'memberRemoved', member: change.id };
    case 'update':
      return { type: 'memberUpdated', member: change.id };
    default:
      return assertNever(change);
  }
}

/** How many of the first requests make one proposal: at least one, then up to the size. */
function batchLength(held: readonly Held[], sizeBytesMax: number): number {
  let sizeBytes = 0;
  for (const [position, { data }] of held.entries()) {
    sizeBytes += data.length;
    if (sizeBytes > sizeBytesMax && position > 0) return position;
  }
  return held.length;
}

/** Far from any context an earlier life of this member may have used. */
function firstReadContext(random: Random): number {
  return 1 + random.fork('read-context').below(2 ** 31) * 2 ** 21;
}
