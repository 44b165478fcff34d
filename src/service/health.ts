/** Whether the member can serve, as `/health` tells load balancers and operators. */
import type { MemberNode } from '../member/node.ts';
import { serviceError } from './errors.ts';

export interface Health {
  readonly healthy: boolean;
  /** Empty when healthy. */
  readonly reason: string;
}

export interface HealthRequest {
  /** Only whether this member answers, not whether the cluster agrees on anything. */
  readonly serializable: boolean;
}

/** Never fails: what goes wrong is the answer. */
export class HealthService {
  readonly #node: MemberNode;

  constructor(node: MemberNode) {
    this.#node = node;
  }

  async check(request: HealthRequest): Promise<Health> {
    if (request.serializable) return { healthy: true, reason: '' };
    if (this.#node.status().leader === undefined) {
      return { healthy: false, reason: 'RAFT NO LEADER' };
    }
    // What could fail in a linearizable range is the barrier; the rest is local.
    const barrier = await this.#node.readBarrier();
    if (barrier.ok) return { healthy: true, reason: '' };
    return { healthy: false, reason: `RANGE ERROR:${serviceError(barrier.error).message}` };
  }
}
