/** A member that applies at once, on a real state of its own, and fails when told to. */
import type { AuthStore } from '../../src/auth/auth-store.ts';
import type { AuthInfo } from '../../src/auth/request.ts';
import type { Lessor } from '../../src/lease/lessor.ts';
import { err, ok, type Result } from '../../src/lib/result.ts';
import type { MembershipChange } from '../../src/member/apply-membership.ts';
import { applyRequest } from '../../src/member/apply-request.ts';
import type { MemberError, RequestFailure } from '../../src/member/failure.ts';
import type { Applied, MemberInfo, MemberNode, MemberStatus } from '../../src/member/node.ts';
import type { AskError, PeerAnswer, PeerQuestion } from '../../src/member/peer-question.ts';
import { type ReplicatedState, stateOf } from '../../src/member/replicated-state.ts';
import type { RangeCursor } from '../../src/mvcc/range-cursor.ts';
import type {
  RangeRequest,
  RangeResult,
  StoreError,
  TxnRequest,
  TxnResult,
} from '../../src/mvcc/request.ts';
import type { Store } from '../../src/mvcc/store.ts';
import { WatchHub } from '../../src/mvcc/watch-hub.ts';
import type { Alarm, InternalRequest } from '../../src/wire/internal-request.ts';

export const MEMBER: MemberInfo = {
  id: 0xabcn,
  name: 's1',
  peerUrls: ['http://127.0.0.1:1'],
  clientUrls: [],
  isLearner: false,
};

export const STATE_OPTIONS = {
  hashSeed: 1,
  removedMembersMax: 10,
  learnersMax: 1,
  lessor: { minTtlS: 2, ticksPerS: 10, checkpointIntervalS: 300, leasesMax: 100 },
};

export class FakeNode implements MemberNode {
  readonly state: ReplicatedState = stateOf(undefined, STATE_OPTIONS);
  readonly watches: WatchHub = new WatchHub(this.state.store);
  readonly tickMs = 100;
  nowTick = 0;
  /** What was asked, in order. */
  readonly calls: string[] = [];
  readonly proposed: InternalRequest[] = [];
  readonly changes: MembershipChange[] = [];
  readonly asked: { readonly to: bigint; readonly question: PeerQuestion }[] = [];
  proposeFailure: RequestFailure | undefined;
  changeFailure: RequestFailure | undefined;
  barrierFailure: MemberError | undefined;
  /** Runs while a barrier is awaited. */
  duringBarrier: () => void = () => {};
  /** What a peer says. */
  peerAnswer: Result<PeerAnswer, AskError> = err('noAnswer');
  leader: bigint | undefined = 0xabcn;
  isLearner = false;
  memberList: readonly MemberInfo[] = [MEMBER];
  /** For how long the others have been connected; who is missing is not. */
  readonly connectedMs: Map<bigint, number> = new Map();
  readonly logShares: Map<bigint, number> = new Map();
  dbSizeBytes: number | undefined;
  #index = 11;

  get store(): Store {
    return this.state.store;
  }

  get lessor(): Lessor {
    return this.state.lessor;
  }

  get auth(): AuthStore {
    return this.state.auth;
  }

  get clusterVersion(): string {
    return this.state.clusterVersion;
  }

  get downgradeTo(): string | undefined {
    return this.state.downgradeTo;
  }

  async propose(
    request: InternalRequest,
    auth?: AuthInfo,
  ): Promise<Result<Applied, RequestFailure>> {
    this.calls.push(`propose ${request.type}`);
    this.proposed.push(request);
    if (this.proposeFailure !== undefined) return err(this.proposeFailure);
    this.#index += 1;
    const at = { index: this.#index, tick: this.nowTick };
    const applied = applyRequest(this.state, { id: 1n, request, auth }, at);
    if (!applied.ok) return applied;
    return ok({ result: applied.value, revision: this.store.revision });
  }

  async changeMembership(change: MembershipChange): Promise<Result<undefined, RequestFailure>> {
    this.calls.push(`change ${change.type}`);
    this.changes.push(change);
    return this.changeFailure === undefined ? ok(undefined) : err(this.changeFailure);
  }

  transferLeadership(target: bigint): void {
    this.calls.push(`transfer ${target.toString(16)}`);
  }

  async ask(to: bigint, question: PeerQuestion): Promise<Result<PeerAnswer, AskError>> {
    this.calls.push(`ask ${question.type}`);
    this.asked.push({ to, question });
    return this.peerAnswer;
  }

  async readBarrier(): Promise<Result<undefined, MemberError>> {
    this.calls.push('barrier');
    this.duringBarrier();
    return this.barrierFailure === undefined ? ok(undefined) : err(this.barrierFailure);
  }

  range(request: RangeRequest): Result<RangeResult, StoreError> {
    this.calls.push('range');
    return this.store.range(request);
  }

  openRange(request: RangeRequest): Result<RangeCursor, StoreError> {
    this.calls.push('openRange');
    return this.store.openRange(request);
  }

  readTxn(request: TxnRequest): Result<TxnResult, StoreError> {
    this.calls.push('readTxn');
    return this.store.readTxn(request);
  }

  status(): MemberStatus {
    return {
      clusterId: 0xc1n,
      memberId: MEMBER.id,
      leader: this.leader,
      term: 3,
      raftIndex: 12,
      appliedIndex: 11,
      revision: this.store.revision,
      dbSizeBytes: this.dbSizeBytes ?? this.store.sizeBytes,
      dbSizeInUseBytes: this.store.sizeInUseBytes,
      isLearner: this.isLearner,
    };
  }

  members(): readonly MemberInfo[] {
    return this.memberList;
  }

  alarms(): readonly Alarm[] {
    return this.state.alarms.list();
  }

  isConnectedFor(peer: bigint, durationMs: number): boolean {
    return peer === MEMBER.id || (this.connectedMs.get(peer) ?? -1) >= durationMs;
  }

  logShareOf(member: bigint): number | undefined {
    return this.leader === MEMBER.id ? this.logShares.get(member) : undefined;
  }
}
