import { assert, assertNever } from '../lib/assert.ts';
import type { Index, MemberId, RequestId, Term } from '../lib/ids.ts';
import type { Random } from '../ports/random.ts';
import type { RaftCore } from '../raft/core.ts';
import type { ConfState, Entry, Message, ReadState } from '../raft/message.ts';
import { type RaftStatus, RawNode } from '../raft/raw-node.ts';
import type { InternalRequest } from '../wire/internal-request.ts';
import { encodeLoggedRequest } from '../wire/logged-request.ts';
import { StateMachine } from './apply.ts';
import type { MemberConfig } from './config.ts';
import type { MemberError } from './failure.ts';
import type { DueCheckpoint, Input, MemberFact, MemberOutputs, Outcome } from './input.ts';
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
  #confState: ConfState;
  #knownLeader: { readonly leader: MemberId | undefined; readonly term: Term };
  #checkpoint: {
    readonly index: number;
    readonly writing: boolean;
    readonly notBeforeTick: number;
  };
  #outcomes: Outcome[] = [];
  #facts: MemberFact[] = [];

  constructor(config: MemberConfig, recovered: Recovered, random: Random) {
    this.#config = config;
    const { timing, limits } = config;
    this.#machine = new StateMachine(recovered.checkpoint, limits.removedMembersMax);
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
    this.#checkpoint = {
      index: recovered.raft.snapshot.index,
      writing: false,
      notBeforeTick: 0,
    };
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

  get pendingCount(): number {
    return this.#pending.count;
  }

  /** For invariants and traces only: read, never change. */
  get core(): Readonly<RaftCore> {
    return this.#raft.core;
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
        return this.#onPropose(input.id, input.request);
      case 'read':
        if (!this.#reads.add(input.id, this.#tick)) this.#fail(input.id, 'tooManyRequests');
        return;
      case 'unreachable':
        return this.#raft.reportUnreachable(input.peer);
      case 'refused':
        return this.#raft.reportRefused(input.peer);
      case 'snapshotSent':
        return this.#raft.reportSnapshot(input.peer, input.delivered);
      case 'snapshotInstalled':
        this.#machine.install(input.checkpoint);
        this.#confState = input.checkpoint.confState;
        this.#checkpoint = { ...this.#checkpoint, index: input.checkpoint.index };
        return this.#raft.snapshotSaved(input.checkpoint);
      case 'checkpointSaved':
        return this.#onCheckpointSaved(input.meta.index, input);
      case 'checkpointFailed':
        this.#checkpoint = {
          ...this.#checkpoint,
          writing: false,
          notBeforeTick: this.#tick + RETRY_ELECTIONS * this.#config.timing.electionTicks,
        };
        return;
      case 'transferLeadership':
        return this.#transferLeadership();
      default:
        return assertNever(input);
    }
  }

  /** What the inputs since the last call led to; undefined: nothing. More may follow at once. */
  takeOutputs(): MemberOutputs | undefined {
    this.#proposeHeld();
    this.#reads.flush(this.#tick, (context) => this.#raft.readIndex(context) !== 'dropped');
    const outputs = this.#raft.takeOutputs();
    for (const entry of outputs?.committed ?? []) this.#apply(entry);
    this.#confirmReads(outputs?.readStates ?? []);
    this.#watchLeader();
    const checkpoint = this.#checkpointDue();
    const outcomes = this.#outcomes;
    const facts = [...(outputs?.facts ?? []), ...this.#facts];
    const idle = outputs === undefined && outcomes.length === 0 && facts.length === 0;
    if (idle && checkpoint === undefined) return undefined;
    this.#outcomes = [];
    this.#facts = [];
    const messages: readonly Message[] = outputs?.messages ?? [];
    return { messages, append: outputs?.append, outcomes, facts, checkpoint };
  }

  #onTick(): void {
    this.#tick += 1;
    this.#raft.tick();
    const { term, leader } = this.#raft;
    const now = { tick: this.#tick, term, hasLeader: leader !== undefined };
    for (const { id, error } of this.#pending.expire(now)) this.#fail(id, error);
    const readError = leader === undefined ? 'noLeader' : 'timeout';
    for (const id of this.#reads.onTick(this.#tick)) this.#fail(id, readError);
  }

  #onPropose(id: RequestId, request: InternalRequest): void {
    const data = encodeLoggedRequest({ id, request });
    if (data.length > this.#config.limits.requestBytesMax) this.#fail(id, 'requestTooLarge');
    else if (!this.#pending.hold(id, data, this.#tick)) this.#fail(id, 'tooManyRequests');
  }

  /** All requests of a turn become one batch; without a leader they wait for one. */
  #proposeHeld(): void {
    const held = this.#pending.takeHeld();
    if (held.length === 0) return;
    let rest = held;
    while (rest.length > 0) {
      const batch = rest.slice(0, batchLength(rest, this.#config.raft.maxMessageBytes));
      const proposals = batch.map(({ data }) => ({ type: 'normal' as const, data }));
      if (this.#raft.propose(proposals) === 'dropped') return this.#pending.holdAgain(rest);
      this.#pending.markProposed(batch, this.#raft.term);
      rest = rest.slice(batch.length);
    }
  }

  #apply(entry: Entry): void {
    const applied = this.#machine.apply(entry);
    this.#raft.appliedTo(entry.index);
    switch (applied.type) {
      case 'nothing':
        return;
      case 'request': {
        this.#facts.push(...applied.facts);
        if (!this.#pending.settle(applied.id)) return;
        const { id, result } = applied;
        this.#outcomes.push({
          type: 'applied',
          id,
          result,
          revision: this.#machine.store.revision,
        });
        return;
      }
      case 'confChange':
        this.#confState = this.#raft.applyConfChange(applied.change);
        this.#facts.push(applied.fact);
        return;
      default:
        return assertNever(applied);
    }
  }

  #confirmReads(readStates: readonly ReadState[]): void {
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
  }

  /** Only what is durable here is worth a checkpoint: the log must not fall behind it. */
  #checkpointDue(): DueCheckpoint | undefined {
    const { applied } = this.#machine;
    if (this.#checkpoint.writing || this.#tick < this.#checkpoint.notBeforeTick) return undefined;
    if (applied - this.#checkpoint.index < this.#config.snapshotCount) return undefined;
    if (this.#raft.stable < applied) return undefined;
    this.#checkpoint = { ...this.#checkpoint, writing: true };
    return this.#machine.image(this.#confState);
  }

  #onCheckpointSaved(index: number, input: Extract<Input, { type: 'checkpointSaved' }>): void {
    assert(this.#checkpoint.writing, 'a saved checkpoint was asked for');
    // A snapshot from the leader may have overtaken it.
    if (index < this.#checkpoint.index) {
      this.#checkpoint = { ...this.#checkpoint, writing: false };
      return;
    }
    this.#checkpoint = { ...this.#checkpoint, index, writing: false };
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
    const kept = Math.min(checkpoint - catchupEntries, ...wanted);
    return Math.max(kept, checkpoint - CATCHUP_ENTRIES_FACTOR_MAX * catchupEntries);
  }

  #transferLeadership(): void {
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

  #fail(id: RequestId, error: MemberError): void {
    this.#pending.settle(id);
    this.#outcomes.push({ type: 'failed', id, error });
  }
}

/** A checkpoint that failed is tried again after this many election timeouts. */
const RETRY_ELECTIONS = 10;
/** The most that is kept for a follower being brought up, in units of `catchupEntries`. */
const CATCHUP_ENTRIES_FACTOR_MAX = 10;

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
