/** etcdserverpb.KV: what its calls mean. Bytes and connections are made elsewhere. */
import { create } from '@bufbuild/protobuf';
import { assert } from '../lib/assert.ts';
import { ok, type Result } from '../lib/result.ts';
import type { Applied, MemberNode } from '../member/node.ts';
import type {
  DeleteRangeRequest,
  DeleteRangeResult,
  PutRequest,
  PutResult,
  RangeRequest,
  RangeResult,
  TxnRequest,
  TxnResult,
} from '../mvcc/request.ts';
import { isReadOnly, isSerializable } from '../mvcc/txn.ts';
import {
  type CompactionRequest,
  type CompactionResponse,
  CompactionResponseSchema,
} from '../wire/gen/etcdserverpb/rpc_pb.ts';
import { safeNumber, toGeneratedHeader } from '../wire/generated-fields.ts';
import type { InternalRequest } from '../wire/internal-request.ts';
import { answer, headerOf, refuse } from './answer.ts';
import { type AuthGate, NOBODY_ASKED } from './auth-gate.ts';
import type { Caller } from './caller.ts';
import type { ServiceError } from './errors.ts';
import { gathered, LargeRanges, mayBeLarge, type OpenedRange } from './large-ranges.ts';
import type { ServiceLimits } from './limits.ts';
import type { Access } from './permission.ts';
import type { Quota } from './quota.ts';
import type { Reply } from './response.ts';
import { type Refusal, refuseDeleteRange, refusePut, refuseRange, refuseTxn } from './validate.ts';

export interface KvParts {
  readonly gate: AuthGate;
  readonly quota: Quota;
  readonly limits: ServiceLimits;
  /** Lets other work have its turn. */
  readonly pause: () => Promise<void>;
}

/** Limits on time and on bytes, and the retries of reads, are the member's. */
export class KvService {
  readonly #node: MemberNode;
  readonly #gate: AuthGate;
  readonly #quota: Quota;
  readonly #limits: ServiceLimits;
  readonly #large: LargeRanges;

  constructor(node: MemberNode, { gate, quota, limits, pause }: KvParts) {
    this.#node = node;
    this.#gate = gate;
    this.#quota = quota;
    this.#limits = limits;
    this.#large = new LargeRanges(node, {
      pause,
      bytesMax: limits.rangeBytesMax,
      keysPerTurnMax: limits.rangeKeysPerTurnMax,
    });
  }

  /** The whole answer, however large. */
  async range(request: RangeRequest, caller: Caller): Reply<RangeResult> {
    const opened = await this.openRange(request, caller);
    return opened.ok ? ok(await gathered(opened.value)) : opened;
  }

  /**
   * Linearizable unless `serializable`. The header has the present revision, even if the read
   * was of a past one.
   */
  async openRange(
    request: RangeRequest,
    caller: Caller,
  ): Promise<Result<OpenedRange, ServiceError>> {
    const refusal = this.#refuseLearner(request.serializable) ?? refuseRange(request);
    if (refusal !== undefined) return refuse(refusal);
    const { key, rangeEnd, serializable } = request;
    const denied = await this.#beforeRead({ type: 'range', key, rangeEnd }, caller, serializable);
    if (denied !== undefined) return denied;
    if (mayBeLarge(request)) return this.#large.range(request);
    const read = this.#node.range(request);
    return read.ok ? this.#answerRead(read.value) : refuse(read.error);
  }

  async put(request: PutRequest, caller: Caller): Reply<PutResult> {
    const refusal = this.#refuseLearner() ?? refusePut(request);
    if (refusal !== undefined) return refuse(refusal);
    const applied = await this.#change({ type: 'put', request }, caller);
    if (!applied.ok) return applied;
    const { result, revision } = applied.value;
    assert(result.type === 'put', 'the outcome is of another request');
    return answer(this.#node, revision, result.result);
  }

  async deleteRange(request: DeleteRangeRequest, caller: Caller): Reply<DeleteRangeResult> {
    const refusal = this.#refuseLearner() ?? refuseDeleteRange(request);
    if (refusal !== undefined) return refuse(refusal);
    const applied = await this.#change({ type: 'deleteRange', request }, caller);
    if (!applied.ok) return applied;
    const { result, revision } = applied.value;
    assert(result.type === 'deleteRange', 'the outcome is of another request');
    return answer(this.#node, revision, result.result);
  }

  /** One that only reads never goes through the log. */
  async txn(request: TxnRequest, caller: Caller): Reply<TxnResult> {
    const refusal = this.#refuseLearner() ?? refuseTxn(request, this.#limits);
    if (refusal !== undefined) return refuse(refusal);
    if (isReadOnly(request)) return this.#readTxn(request, caller);
    const applied = await this.#change({ type: 'txn', request }, caller);
    if (!applied.ok) return applied;
    const { result, revision } = applied.value;
    assert(result.type === 'txn', 'the outcome is of another request');
    return answer(this.#node, revision, result.result);
  }

  /** `physical`: answered when the old revisions are gone from memory here, not only from view. */
  async compact(
    request: CompactionRequest,
    caller: Caller,
  ): Promise<Result<CompactionResponse, ServiceError>> {
    const refusal = this.#refuseLearner();
    if (refusal !== undefined) return refuse(refusal);
    const revision = safeNumber(request.revision);
    const { physical } = request;
    const applied = await this.#change({ type: 'compaction', revision, physical }, caller);
    if (!applied.ok) return applied;
    const header = toGeneratedHeader(headerOf(this.#node, applied.value.revision));
    return ok(create(CompactionResponseSchema, { header }));
  }

  async #readTxn(request: TxnRequest, caller: Caller): Reply<TxnResult> {
    const mayBeStale = isSerializable(request);
    const denied = await this.#beforeRead({ type: 'txn', request }, caller, mayBeStale);
    if (denied !== undefined) return denied;
    const read = this.#node.readTxn(request);
    return read.ok ? this.#answerRead(read.value) : refuse(read.error);
  }

  /** Undefined: the state may be read in this turn. */
  async #beforeRead(
    access: Access,
    caller: Caller,
    mayBeStale: boolean,
  ): Promise<Result<never, ServiceError> | undefined> {
    if (!mayBeStale) {
      const barrier = await this.#node.readBarrier();
      if (!barrier.ok) return refuse(barrier.error);
    }
    if (this.#node.alarms().some(({ type }) => type === 'CORRUPT')) return refuse('corrupt');
    const admitted = this.#gate.permit(caller, access);
    return admitted.ok ? undefined : refuse(admitted.error);
  }

  async #change(request: InternalRequest, caller: Caller): Promise<Result<Applied, ServiceError>> {
    if (!this.#quota.admits(request)) return refuse('noSpace');
    const { isOpen } = this.#gate;
    const admitted = isOpen ? NOBODY_ASKED : await this.#gate.permitRequest(caller, request);
    if (!admitted.ok) return refuse(admitted.error);
    const applied = await this.#node.propose(request, admitted.value);
    return applied.ok ? applied : refuse(applied.error);
  }

  /** Called in the turn of the read, so that the revision is the one that was read. */
  #answerRead<Value>(result: Value): Awaited<Reply<Value>> {
    return answer(this.#node, this.#node.status().revision, result);
  }

  /** A learner answers only what may be stale. */
  #refuseLearner(isServedByLearners = false): Refusal {
    const isRefused = !isServedByLearners && this.#node.status().isLearner;
    return isRefused ? 'notSupportedForLearner' : undefined;
  }
}
