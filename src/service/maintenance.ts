/** etcdserverpb.Maintenance: what its calls mean. */
import type { MemberNode } from '../member/node.ts';
import { answer } from './answer.ts';
import { API_VERSION, STORAGE_VERSION } from './api-version.ts';
import { serviceError } from './errors.ts';
import type { Reply, StatusResult } from './response.ts';

/** Answers about one member, whatever the state of the cluster. */
export class MaintenanceService {
  readonly #node: MemberNode;

  constructor(node: MemberNode) {
    this.#node = node;
  }

  /** Of this member alone: answered without a leader too, and says so if there is none. */
  async status(): Reply<StatusResult> {
    const status = this.#node.status();
    return answer(this.#node, status.revision, {
      ...status,
      version: API_VERSION,
      storageVersion: STORAGE_VERSION,
      errors: status.leader === undefined ? [serviceError('noLeader').message] : [],
    });
  }
}
