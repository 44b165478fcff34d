/** etcdserverpb.KV: what its calls mean. Bytes and connections are made elsewhere. */
import { assert } from '../lib/assert.ts';
import type { MemberNode } from '../member/node.ts';
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
import { answer, refuse } from './answer.ts';
import { DEFAULT_SERVICE_LIMITS, type ServiceLimits } from './limits.ts';
import type { Reply } from './response.ts';
import { type Refusal, refuseDeleteRange, refusePut, refuseRange, refuseTxn } from './validate.ts';

/** Limits on time and on bytes, and the retries of reads, are the member's. */
export class KvService {
  readonly #node: MemberNode;
  readonly #limits: ServiceLimits;

  constructor(node: MemberNode, limits: ServiceLimits = DEFAULT_SERVICE_LIMITS) {
    this.#node = node;
    this.#limits = limits;
  }

  /**
   * Linearizable unless `serializable`. The header has the present revision, even if the read
   * was of a past one.
   */
  async range(request: RangeRequest): Reply<RangeResult> {
    const refusal = this.#refuseLearner(request.serializable) ?? refuseRange(request);
    if (refusal !== undefined) return refuse(refusal);
    if (!request.serializable) {
      const barrier = await this.#node.readBarrier();
      if (!barrier.ok) return refuse(barrier.error);
    }
    const read = this.#node.range(request);
    return read.ok ? this.#answerRead(read.value) : refuse(read.error);
  }

  async put(request: PutRequest): Reply<PutResult> {
    const refusal = this.#refuseLearner() ?? refusePut(request);
    if (refusal !== undefined) return refuse(refusal);
    const applied = await this.#node.propose({ type: 'put', request });
    if (!applied.ok) return refuse(applied.error);
    const { result, revision } = applied.value;
    assert(result.type === 'put', 'the outcome is of another request');
    return answer(this.#node, revision, result.result);
  }

  async deleteRange(request: DeleteRangeRequest): Reply<DeleteRangeResult> {
    const refusal = this.#refuseLearner() ?? refuseDeleteRange(request);
    if (refusal !== undefined) return refuse(refusal);
    const applied = await this.#node.propose({ type: 'deleteRange', request });
    if (!applied.ok) return refuse(applied.error);
    const { result, revision } = applied.value;
    assert(result.type === 'deleteRange', 'the outcome is of another request');
    return answer(this.#node, revision, result.result);
  }

  /** One that only reads never goes through the log. */
  async txn(request: TxnRequest): Reply<TxnResult> {
    const refusal = this.#refuseLearner() ?? refuseTxn(request, this.#limits);
    if (refusal !== undefined) return refuse(refusal);
    if (isReadOnly(request)) return this.#readTxn(request);
    const applied = await this.#node.propose({ type: 'txn', request });
    if (!applied.ok) return refuse(applied.error);
    const { result, revision } = applied.value;
    assert(result.type === 'txn', 'the outcome is of another request');
    return answer(this.#node, revision, result.result);
  }

  async #readTxn(request: TxnRequest): Reply<TxnResult> {
    if (!isSerializable(request)) {
      const barrier = await this.#node.readBarrier();
      if (!barrier.ok) return refuse(barrier.error);
    }
    const read = this.#node.readTxn(request);
    return read.ok ? this.#answerRead(read.value) : refuse(read.error);
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
