/** Two members that apply one log at once, with real stores, lessors and watch hubs. */
import type { AuthStore } from '../../src/auth/auth-store.ts';
import type { AuthInfo } from '../../src/auth/request.ts';
import { err, ok, type Result } from '../../src/lib/result.ts';
import { applyRequest } from '../../src/member/apply-request.ts';
import type { MemberError, RequestFailure } from '../../src/member/failure.ts';
import type { Applied, MemberNode } from '../../src/member/node.ts';
import type { AskError, PeerAnswer, PeerQuestion } from '../../src/member/peer-question.ts';
import { type ReplicatedState, stateOf } from '../../src/member/replicated-state.ts';
import { WatchHub } from '../../src/mvcc/watch-hub.ts';
import type { Random } from '../../src/ports/random.ts';
import { AuthGate } from '../../src/service/auth-gate.ts';
import { KvService } from '../../src/service/kv.ts';
import { LeaseService } from '../../src/service/lease.ts';
import { answerLeaseQuestion } from '../../src/service/lease-questions.ts';
import { DEFAULT_SERVICE_LIMITS } from '../../src/service/limits.ts';
import { LockService } from '../../src/service/lock.ts';
import type { Quota } from '../../src/service/quota.ts';
import { KeyWatches } from '../../src/service/wait-for-delete.ts';
import type { InternalRequest } from '../../src/wire/internal-request.ts';
import { StepClock, turn } from './step-clock.ts';

export const TICK_MS = 100;
const ELECTION_TICKS = 10;

/** One member's half of {@link MemberNode} that these services use. */
export class LeaseMember {
  readonly id: bigint;
  readonly state: ReplicatedState;
  readonly watches: WatchHub;
  readonly #cluster: LeaseCluster;
  readonly auth: AuthStore;
  readonly tickMs: number = TICK_MS;
  nowTick = 0;
  /** What it takes for the leader; undefined: it knows none. */
  leader: bigint | undefined;
  isLearner = false;
  barrierFailure: MemberError | undefined;
  /** Runs while a barrier is awaited. */
  duringBarrier: () => void = () => {};
  barriers = 0;
  asked = 0;

  constructor(cluster: LeaseCluster, id: bigint, checkpointIntervalS: number) {
    this.#cluster = cluster;
    this.id = id;
    this.state = stateOf(undefined, {
      hashSeed: 1,
      removedMembersMax: 1,
      learnersMax: 1,
      lessor: { minTtlS: 2, ticksPerS: 1_000 / TICK_MS, checkpointIntervalS, leasesMax: 100 },
    });
    this.watches = new WatchHub(this.state.store);
    this.auth = this.state.auth;
  }

  get node(): MemberNode {
    return this as unknown as MemberNode;
  }

  get lessor(): ReplicatedState['lessor'] {
    return this.state.lessor;
  }

  get store(): ReplicatedState['store'] {
    return this.state.store;
  }

  propose(request: InternalRequest, auth?: AuthInfo): Promise<Result<Applied, RequestFailure>> {
    return this.#cluster.propose(this, request, auth);
  }

  async readBarrier(): Promise<Result<undefined, MemberError>> {
    this.barriers += 1;
    await turn();
    this.duringBarrier();
    return this.barrierFailure === undefined ? ok(undefined) : err(this.barrierFailure);
  }

  async ask(to: bigint, question: PeerQuestion): Promise<Result<PeerAnswer, AskError>> {
    this.asked += 1;
    const peer = this.#cluster.members.find(({ id }) => id === to);
    if (peer === undefined || this.#cluster.isCut) return err('noAnswer');
    if (question.type !== 'leaseRenew' && question.type !== 'leaseTimeToLive') {
      return err('noAnswer');
    }
    return ok(await answerLeaseQuestion(peer.node, question));
  }

  range(...args: Parameters<MemberNode['range']>): ReturnType<MemberNode['range']> {
    return this.store.range(...args);
  }

  openRange(...args: Parameters<MemberNode['openRange']>): ReturnType<MemberNode['openRange']> {
    return this.store.openRange(...args);
  }

  readTxn(...args: Parameters<MemberNode['readTxn']>): ReturnType<MemberNode['readTxn']> {
    return this.store.readTxn(...args);
  }

  alarms(): ReturnType<MemberNode['alarms']> {
    return this.state.alarms.list();
  }

  status(): ReturnType<MemberNode['status']> {
    const { revision, sizeBytes, sizeInUseBytes } = this.store;
    return {
      ...{ clusterId: 0xc1n, memberId: this.id, leader: this.leader, term: 3 },
      ...{ raftIndex: 12, appliedIndex: 11, revision, isLearner: this.isLearner },
      ...{ dbSizeBytes: sizeBytes, dbSizeInUseBytes: sizeInUseBytes },
    } as ReturnType<MemberNode['status']>;
  }

  apply(
    request: InternalRequest,
    auth: AuthInfo | undefined,
    index: number,
  ): Applied | RequestFailure {
    const before = this.store.revision;
    const logged = { id: BigInt(index), request, auth };
    const result = applyRequest(this.state, logged, { index, tick: this.nowTick });
    const { revision } = this.store;
    if (revision > before) {
      const changes = this.store.changesAt(revision);
      for (const { keyValue } of changes) this.lessor.keyChanged(keyValue.key, keyValue.lease);
      this.watches.notify(revision, changes);
    }
    return result.ok ? { result: result.value, revision } : result.error;
  }
}

export class LeaseCluster {
  readonly clock: StepClock = new StepClock();
  readonly members: readonly [LeaseMember, LeaseMember];
  /** Every request, as proposed. */
  readonly log: InternalRequest[] = [];
  /** The members do not answer each other. */
  isCut = false;
  /** Nobody revokes what expires. */
  isRevoking = true;
  /** Of the next proposals that this is true of; they are not applied. */
  failProposal: (request: InternalRequest) => RequestFailure | undefined = () => undefined;

  constructor(checkpointIntervalS = 300) {
    this.members = [
      new LeaseMember(this, 0xan, checkpointIntervalS),
      new LeaseMember(this, 0xbn, checkpointIntervalS),
    ];
    this.elect(this.members[0]);
    this.clock.every(TICK_MS, () => this.#tick());
  }

  elect(leader: LeaseMember): void {
    for (const member of this.members) {
      member.leader = leader.id;
      if (member === leader) member.lessor.promote(member.nowTick, ELECTION_TICKS);
      else member.lessor.demote();
    }
  }

  async propose(
    from: LeaseMember,
    request: InternalRequest,
    auth?: AuthInfo,
  ): Promise<Result<Applied, RequestFailure>> {
    await turn();
    const failure = this.failProposal(request);
    if (failure !== undefined) return err(failure);
    const outcome = this.applyNow(request, auth)[this.members.indexOf(from)]!;
    return typeof outcome === 'string' ? err(outcome) : ok(outcome);
  }

  /** As if somebody had proposed it before. */
  applyNow(request: InternalRequest, auth?: AuthInfo): readonly (Applied | RequestFailure)[] {
    this.log.push(request);
    return this.members.map((member) => member.apply(request, auth, this.log.length));
  }

  servicesOf(member: LeaseMember): Services {
    return servicesOn(member, this.clock);
  }

  #tick(): void {
    for (const member of this.members) {
      member.nowTick += 1;
      member.watches.tick(member.nowTick);
      if (!this.isRevoking) continue;
      for (const id of member.lessor.expired(member.nowTick, 10)) {
        void member.propose({ type: 'leaseRevoke', id });
      }
    }
  }
}

export interface Services {
  readonly leases: LeaseService;
  readonly kv: KvService;
  readonly locks: LockService;
  readonly watches: KeyWatches;
}

export const REQUEST_TIMEOUT_MS = 7_000;

function servicesOn(member: LeaseMember, clock: StepClock): Services {
  const { node } = member;
  const gate = new AuthGate(node);
  const quota = { admits: () => true } as unknown as Quota;
  const leases = new LeaseService({
    node,
    gate,
    quota,
    leaders: { attach: () => () => {} },
    clock,
    random: countedRandom(),
    requestTimeoutMs: REQUEST_TIMEOUT_MS,
  });
  const pause = (): Promise<void> => Promise.resolve();
  const kv = new KvService(node, { gate, quota, limits: DEFAULT_SERVICE_LIMITS, pause });
  const watches = new KeyWatches(member.watches);
  return { leases, kv, watches, locks: new LockService({ kv, watches, leases, clock }) };
}

/** Each draw twice, so that ids collide. */
function countedRandom(): Random {
  let draws = 0n;
  const random: Random = {
    below: () => 0,
    uint64: () => {
      draws += 1n;
      return (1n << 63n) + 0x700n + (draws + 1n) / 2n;
    },
    fork: () => random,
  };
  return random;
}
