import type { AuthStore } from '../auth/auth-store.ts';
import type { AuthInfo } from '../auth/request.ts';
import type { Lessor } from '../lease/lessor.ts';
import { assert } from '../lib/assert.ts';
import type { MemberId, RequestId } from '../lib/ids.ts';
import { err, ok, type Result } from '../lib/result.ts';
import type { RangeCursor } from '../mvcc/range-cursor.ts';
import type {
  RangeRequest,
  RangeResult,
  StoreError,
  TxnRequest,
  TxnResult,
} from '../mvcc/request.ts';
import type { Store } from '../mvcc/store.ts';
import type { WatchHub } from '../mvcc/watch-hub.ts';
import type { Random } from '../ports/random.ts';
import type { Alarm, InternalRequest } from '../wire/internal-request.ts';
import type { MembershipChange } from './apply-membership.ts';
import type { MemberConfig } from './config.ts';
import type { MemberError, RequestFailure } from './failure.ts';
import type { DueCheckpoint } from './input.ts';
import type { LoopPorts } from './loop-ports.ts';
import type { Member } from './member.ts';
import type { Applied, MemberInfo, MemberNode, MemberStatus } from './node.ts';
import type { OperationCounts } from './operation-counter.ts';
import {
  type AskError,
  decodePeerAnswer,
  encodePeerValue,
  type PeerAnswer,
  type PeerQuestion,
} from './peer-question.ts';
import { RequestIds } from './request-ids.ts';
import { MemberLoop } from './run.ts';

const PUBLISH_RETRY_MS = 100;

export interface MemberPorts extends LoopPorts {
  /** Differs at each start. */
  readonly random: Random;
}

/** A running member as its services see it: calls that end when the cluster has decided. */
export class StartedMember implements MemberNode {
  readonly #member: Member;
  readonly #loop: MemberLoop;
  readonly #ports: MemberPorts;
  readonly #config: MemberConfig;
  readonly #ids: RequestIds;

  constructor(member: Member, config: MemberConfig, ports: MemberPorts) {
    this.#member = member;
    this.#config = config;
    this.#ports = ports;
    this.#ids = new RequestIds(config.memberId, ports.random);
    this.#loop = new MemberLoop(member, ports, {
      self: config.memberId,
      tickMs: config.timing.tickMs,
    });
  }

  start(): void {
    this.#loop.start();
    const version = this.clusterVersion;
    if (version !== '') this.#ports.observer.onFact({ type: 'clusterVersionSet', version });
    void this.#publish();
  }

  /**
   * Hands leadership over if it is here, waits for that at most one election timeout, then
   * stops: whoever still waits is told `stopped`.
   */
  async stop(): Promise<void> {
    const { clock } = this.#ports;
    const deadlineNs = clock.nowNs() + this.#config.timing.electionTicks * this.#tickNs();
    this.#loop.step({ type: 'transferLeadership' });
    while (this.#leads() && this.#hasPeers() && clock.nowNs() < deadlineNs) {
      await this.#pause(this.#config.timing.tickMs);
    }
    this.halt();
  }

  /** Stops at once: nothing more is sent, written or answered but `stopped`. */
  halt(): void {
    this.#loop.stop();
  }

  async propose(
    request: InternalRequest,
    auth?: AuthInfo,
  ): Promise<Result<Applied, RequestFailure>> {
    const id: RequestId = this.#ids.next();
    const outcome = await this.#loop.request({ type: 'propose', id, request, auth });
    if (outcome.type === 'failed') {
      this.#ports.observer.onProposalFailed();
      return err(outcome.error);
    }
    assert(outcome.type === 'applied', 'a proposal ends applied or failed');
    if (!outcome.result.ok) return outcome.result;
    return ok({ result: outcome.result.value, revision: outcome.revision });
  }

  async readBarrier(): Promise<Result<undefined, MemberError>> {
    const outcome = await this.#loop.request({ type: 'read', id: this.#ids.next() });
    if (outcome.type !== 'failed') return ok(undefined);
    this.#ports.observer.onReadFailed?.();
    // A read is refused by the member only, never by the state machine.
    return err(outcome.error as MemberError);
  }

  async changeMembership(change: MembershipChange): Promise<Result<undefined, RequestFailure>> {
    const id = this.#ids.next();
    const outcome = await this.#loop.request({ type: 'changeMembership', id, change });
    return outcome.type === 'failed' ? err(outcome.error) : ok(undefined);
  }

  /** For the first election of a start: that much of the wait counts as over. */
  skipElectionTicks(ticks: number): void {
    this.#loop.step({ type: 'skipElectionTicks', ticks });
  }

  transferLeadership(target: MemberId): void {
    this.#loop.step({ type: 'transferLeadership', target });
  }

  async ask(
    to: MemberId,
    question: PeerQuestion,
    timeoutMs: number,
  ): Promise<Result<PeerAnswer, AskError>> {
    const bytes = await this.#ports.network.ask(to, encodePeerValue(question), timeoutMs);
    if (bytes === undefined) return err('noAnswer');
    const answer = decodePeerAnswer(bytes);
    return answer.ok ? answer : err('noAnswer');
  }

  /** Who answers what other members ask; before `start`. */
  answerWith(answer: (question: PeerQuestion) => Promise<PeerAnswer>): void {
    this.#loop.answerWith(answer);
  }

  range(request: RangeRequest): Result<RangeResult, StoreError> {
    this.#member.machine.operations.ranged();
    return this.#member.machine.store.range(request);
  }

  openRange(request: RangeRequest): Result<RangeCursor, StoreError> {
    this.#member.machine.operations.ranged();
    return this.#member.machine.store.openRange(request);
  }

  readTxn(request: TxnRequest): Result<TxnResult, StoreError> {
    const { store, operations } = this.#member.machine;
    const read = store.readTxn(request);
    if (read.ok) operations.ranTxn(request, read.value);
    return read;
  }

  status(): MemberStatus {
    const { leader, term, commit, hasLostEntries } = this.#member;
    const { store, applied, membership } = this.#member.machine;
    return {
      clusterId: this.#config.clusterId,
      memberId: this.#config.memberId,
      // Its clients must go to another member, and then nothing must be expected of it.
      leader: hasLostEntries ? undefined : leader,
      term,
      raftIndex: commit,
      appliedIndex: applied,
      revision: store.revision,
      dbSizeBytes: store.sizeBytes,
      dbSizeInUseBytes: store.sizeInUseBytes,
      isLearner: membership.get(this.#config.memberId)?.isLearner ?? false,
    };
  }

  members(): readonly MemberInfo[] {
    return this.#member.machine.membership.list();
  }

  isRemoved(id: MemberId): boolean {
    return this.#member.machine.membership.isRemoved(id);
  }

  alarms(): readonly Alarm[] {
    return this.#member.machine.state.alarms.list();
  }

  isConnectedFor(peer: MemberId, durationMs: number): boolean {
    if (peer === this.#config.memberId) return true;
    const { network, clock } = this.#ports;
    const sinceNs = network.connectedSinceNs(peer);
    return sinceNs !== undefined && clock.nowNs() - sinceNs >= durationMs * 1e6;
  }

  logShareOf(member: MemberId): number | undefined {
    if (!this.#leads()) return undefined;
    const { progress, lastIndex } = this.#member.raftStatus();
    const match = progress.find((peer) => peer.id === member)?.match;
    return match === undefined ? undefined : match / Math.max(lastIndex, 1);
  }

  get store(): Store {
    return this.#member.machine.store;
  }

  get lessor(): Lessor {
    return this.#member.machine.state.lessor;
  }

  get auth(): AuthStore {
    return this.#member.machine.state.auth;
  }

  get watches(): WatchHub {
    return this.#member.watches;
  }

  get nowTick(): number {
    return this.#member.nowTick;
  }

  get tickMs(): number {
    return this.#config.timing.tickMs;
  }

  get clusterVersion(): string {
    return this.#member.machine.state.clusterVersion;
  }

  get downgradeTo(): string | undefined {
    return this.#member.machine.state.downgradeTo;
  }

  /** What a checkpoint of this moment would hold; to be released. */
  image(): DueCheckpoint {
    return this.#member.image();
  }

  /** What was done to the store here since the start. */
  operationCounts(): OperationCounts {
    return this.#member.machine.operations.counts;
  }

  /** Requests accepted and not yet decided. */
  pendingCount(): number {
    return this.#member.pendingCount;
  }

  /** Makes name and client URLs known to all, once per change, for as long as it takes. */
  async #publish(): Promise<void> {
    const { memberId, name, clientUrls } = this.#config;
    while (!this.#loop.stopped && !this.#isPublished()) {
      const attributes = { memberId, name, clientUrls };
      this.#ports.failpoints?.hit('beforePublishing');
      const published = await this.propose({ type: 'memberAttributes', request: attributes });
      if (!published.ok || !this.#isPublished()) await this.#pause(PUBLISH_RETRY_MS);
    }
    // Known from before a restart: still, nothing can be asked of it without a leader.
    while (!this.#loop.stopped && this.status().leader === undefined) {
      await this.#pause(PUBLISH_RETRY_MS);
    }
    if (!this.#loop.stopped) this.#ports.observer.onFact({ type: 'published', name });
  }

  #isPublished(): boolean {
    const { memberId, name, clientUrls } = this.#config;
    const known = this.#member.machine.membership.get(memberId);
    return known?.name === name && known.clientUrls.join() === clientUrls.join();
  }

  #leads(): boolean {
    return this.#member.leader === this.#config.memberId;
  }

  #hasPeers(): boolean {
    return this.members().length > 1;
  }

  #tickNs(): number {
    return this.#config.timing.tickMs * 1e6;
  }

  #pause(delayMs: number): Promise<void> {
    return new Promise((resolve) => this.#ports.clock.after(delayMs, resolve));
  }
}
