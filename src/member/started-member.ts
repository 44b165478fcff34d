import { assert } from '../lib/assert.ts';
import type { RequestId } from '../lib/ids.ts';
import { err, ok, type Result } from '../lib/result.ts';
import type {
  RangeRequest,
  RangeResult,
  StoreError,
  TxnRequest,
  TxnResult,
} from '../mvcc/request.ts';
import type { Random } from '../ports/random.ts';
import type { InternalRequest } from '../wire/internal-request.ts';
import type { MemberConfig } from './config.ts';
import type { MemberError, RequestFailure } from './failure.ts';
import type { LoopPorts } from './loop-ports.ts';
import type { Member } from './member.ts';
import type { Applied, MemberInfo, MemberNode, MemberStatus } from './node.ts';
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

  async propose(request: InternalRequest): Promise<Result<Applied, RequestFailure>> {
    const id: RequestId = this.#ids.next();
    const outcome = await this.#loop.request({ type: 'propose', id, request });
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
    return outcome.type === 'failed' ? err(outcome.error) : ok(undefined);
  }

  range(request: RangeRequest): Result<RangeResult, StoreError> {
    return this.#member.machine.store.range(request);
  }

  readTxn(request: TxnRequest): Result<TxnResult, StoreError> {
    return this.#member.machine.store.readTxn(request);
  }

  status(): MemberStatus {
    const raft = this.#member.raftStatus();
    const { store, applied, membership } = this.#member.machine;
    return {
      clusterId: this.#config.clusterId,
      memberId: this.#config.memberId,
      leader: raft.leader,
      term: raft.term,
      raftIndex: raft.commit,
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

  /** Requests accepted and not yet decided. */
  pendingCount(): number {
    return this.#member.pendingCount;
  }

  /** Makes name and client URLs known to all, once per change, for as long as it takes. */
  async #publish(): Promise<void> {
    const { memberId, name, clientUrls } = this.#config;
    while (!this.#loop.stopped && !this.#isPublished()) {
      const attributes = { memberId, name, clientUrls };
      const published = await this.propose({ type: 'memberAttributes', request: attributes });
      if (!published.ok || !this.#isPublished()) await this.#pause(PUBLISH_RETRY_MS);
    }
  }

  #isPublished(): boolean {
    const { memberId, name, clientUrls } = this.#config;
    const known = this.#member.machine.membership.get(memberId);
    return known?.name === name && known.clientUrls.join() === clientUrls.join();
  }

  #leads(): boolean {
    return this.#member.raftStatus().leader === this.#config.memberId;
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
