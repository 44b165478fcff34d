import { assertNever } from '../lib/assert.ts';
import type { RequestOp, TxnRequest, TxnResult } from '../mvcc/request.ts';
import type { InternalRequest, InternalResult } from '../wire/internal-request.ts';

/** Since the start of this member; what transactions do counts, too. */
export interface OperationCounts {
  readonly ranges: number;
  readonly puts: number;
  readonly deletes: number;
  /** Of more than one operation, as etcd counts them. */
  readonly txns: number;
  /** Keys and values. */
  readonly putBytes: number;
  readonly leasesGranted: number;
  readonly leasesRevoked: number;
}

/** What was done to the store here, for metrics; nothing depends on it. */
export class OperationCounter {
  readonly counts: { -readonly [Name in keyof OperationCounts]: number } = {
    ranges: 0,
    puts: 0,
    deletes: 0,
    txns: 0,
    putBytes: 0,
    leasesGranted: 0,
    leasesRevoked: 0,
  };

  ranged(): void {
    this.counts.ranges += 1;
  }

  /** A request that was not refused. */
  applied(request: InternalRequest, result: InternalResult): void {
    switch (request.type) {
      case 'put':
      case 'deleteRange':
        return void this.#count(request);
      case 'txn':
        if (result.type === 'txn') this.ranTxn(request.request, result.result);
        return;
      case 'leaseGrant':
        this.counts.leasesGranted += 1;
        return;
      case 'leaseRevoke':
        this.counts.leasesRevoked += 1;
        return;
      default:
        return;
    }
  }

  ranTxn(request: TxnRequest, result: TxnResult): void {
    if (this.#countTxn(request, result) > 1) this.counts.txns += 1;
  }

  /** How many operations ran: those of the branch that was taken. */
  #countTxn(request: TxnRequest, result: TxnResult): number {
    const taken = result.succeeded ? request.success : request.failure;
    let operations = 0;
    for (const [at, op] of taken.entries()) {
      const response = result.responses[at];
      if (op.type === 'txn') {
        if (response?.type === 'txn') operations += this.#countTxn(op.request, response.result);
      } else operations += this.#count(op);
    }
    return operations;
  }

  #count(op: Exclude<RequestOp, { type: 'txn' }>): 1 {
    switch (op.type) {
      case 'range':
        this.counts.ranges += 1;
        return 1;
      case 'put':
        this.counts.puts += 1;
        this.counts.putBytes += op.request.key.length + op.request.value.length;
        return 1;
      case 'deleteRange':
        this.counts.deletes += 1;
        return 1;
      default:
        return assertNever(op);
    }
  }
}
