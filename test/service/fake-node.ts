/** A member that applies at once, on a store of its own, and fails when told to. */
import { err, ok, type Result } from '../../src/lib/result.ts';
import type { MemberError, RequestFailure } from '../../src/member/failure.ts';
import type { Applied, MemberInfo, MemberNode, MemberStatus } from '../../src/member/node.ts';
import type {
  RangeRequest,
  RangeResult,
  StoreError,
  TxnRequest,
  TxnResult,
} from '../../src/mvcc/request.ts';
import { Store } from '../../src/mvcc/store.ts';
import type { InternalRequest } from '../../src/wire/internal-request.ts';

export const MEMBER: MemberInfo = {
  id: 0xabcn,
  name: 's1',
  peerUrls: ['http://127.0.0.1:1'],
  clientUrls: [],
  isLearner: false,
};

export class FakeNode implements MemberNode {
  readonly store: Store = new Store();
  /** What was asked, in order. */
  readonly calls: string[] = [];
  proposeFailure: RequestFailure | undefined;
  barrierFailure: MemberError | undefined;
  /** Runs while a barrier is awaited. */
  duringBarrier: () => void = () => {};
  leader: bigint | undefined = 0xabcn;
  isLearner = false;

  async propose(request: InternalRequest): Promise<Result<Applied, RequestFailure>> {
    this.calls.push(`propose ${request.type}`);
    if (this.proposeFailure !== undefined) return err(this.proposeFailure);
    const applied = this.#apply(request);
    if (!applied.ok) return applied;
    return ok({ result: applied.value, revision: this.store.revision });
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
      dbSizeBytes: this.store.sizeBytes,
      dbSizeInUseBytes: this.store.sizeInUseBytes,
      isLearner: this.isLearner,
    };
  }

  members(): readonly MemberInfo[] {
    return [MEMBER];
  }

  #apply(request: InternalRequest): Result<Applied['result'], StoreError> {
    switch (request.type) {
      case 'put': {
        const put = this.store.put(request.request);
        return put.ok ? ok({ type: 'put', result: put.value }) : put;
      }
      case 'deleteRange': {
        const deleted = this.store.deleteRange(request.request);
        return deleted.ok ? ok({ type: 'deleteRange', result: deleted.value }) : deleted;
      }
      case 'txn': {
        const txn = this.store.txn(request.request);
        return txn.ok ? ok({ type: 'txn', result: txn.value }) : txn;
      }
      case 'memberAttributes':
        return ok({ type: 'memberAttributes' });
    }
  }
}
