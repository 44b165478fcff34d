import { assertNever } from '../lib/assert.ts';
import type { MemberNode } from '../member/node.ts';
import type { RequestOp } from '../mvcc/request.ts';
import type { InternalRequest } from '../wire/internal-request.ts';

/** What etcd counts besides key and value. */
const PUT_OVERHEAD_BYTES = 256;
const LEASE_BYTES = 64;

/**
 * The size a member's database may reach. Whoever would pass it raises the NOSPACE alarm, which
 * refuses growth on all members until it is put off.
 */
export class Quota {
  readonly #node: MemberNode;
  /** Undefined: no limit. */
  readonly bytes: number | undefined;
  #raising = false;

  constructor(node: MemberNode, bytes: number | undefined) {
    this.#node = node;
    this.bytes = bytes;
  }

  /** Whether there is room; if not, the alarm is on its way. */
  admits(request: InternalRequest): boolean {
    const { bytes } = this;
    if (bytes === undefined) return true;
    const costBytes = costOf(request);
    if (costBytes === 0 || this.#node.status().dbSizeBytes + costBytes < bytes) return true;
    void this.#raise();
    return false;
  }

  async #raise(): Promise<void> {
    const { memberId } = this.#node.status();
    const isOn = this.#node
      .alarms()
      .some((alarm) => alarm.memberId === memberId && alarm.type === 'NOSPACE');
    if (this.#raising || isOn) return;
    this.#raising = true;
    const request = { action: 'activate', memberId, type: 'NOSPACE' } as const;
    // What fails here is tried again by the next request that finds no room.
    await this.#node.propose({ type: 'alarm', request }, this.#node.auth.rootInfo());
    this.#raising = false;
  }
}

function costOf(request: InternalRequest): number {
  switch (request.type) {
    case 'put':
      return putCost(request.request);
    case 'txn': {
      const { success, failure } = request.request;
      return Math.max(branchCost(success), branchCost(failure));
    }
    case 'leaseGrant':
      return LEASE_BYTES;
    default:
      return 0;
  }
}

function branchCost(ops: readonly RequestOp[]): number {
  return ops.reduce((bytes, op) => bytes + opCost(op), 0);
}

function opCost(op: RequestOp): number {
  switch (op.type) {
    case 'put':
      return putCost(op.request);
    case 'txn':
      return Math.max(branchCost(op.request.success), branchCost(op.request.failure));
    case 'range':
    case 'deleteRange':
      return 0;
    default:
      return assertNever(op);
  }
}

function putCost({ key, value }: { readonly key: Uint8Array; readonly value: Uint8Array }): number {
  return PUT_OVERHEAD_BYTES + key.length + value.length;
}
