/** etcdserverpb.Cluster: what its calls mean. */
import type { Revision } from '../lib/ids.ts';
import type { MemberNode } from '../member/node.ts';
import { answer, refuse } from './answer.ts';
import type { MemberListResult, Reply } from './response.ts';

export interface MemberListRequest {
  /** false: this member's own view, maybe an old one. */
  readonly linearizable: boolean;
}

/** Headers of this service carry no revision. */
const NO_REVISION: Revision = 0;

/** Answers about the members as this one knows them. */
export class ClusterService {
  readonly #node: MemberNode;

  constructor(node: MemberNode) {
    this.#node = node;
  }

  async memberList(request: MemberListRequest): Reply<MemberListResult> {
    if (this.#node.status().isLearner) return refuse('notSupportedForLearner');
    if (request.linearizable) {
      const barrier = await this.#node.readBarrier();
      if (!barrier.ok) return refuse(barrier.error);
    }
    return answer(this.#node, NO_REVISION, { members: this.#node.members() });
  }
}
