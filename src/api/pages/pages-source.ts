import type { Result } from '../../lib/result.ts';
import type { MemberInfo, MemberNode, MemberStatus } from '../../member/node.ts';
import { API_VERSION, STORAGE_VERSION } from '../../service/api-version.ts';
import { serviceError } from '../../service/errors.ts';

/** What pages tell of a member. No credentials are asked for: load balancers have none. */
export interface PagesSource {
  status(): MemberStatus;
  members(): readonly MemberInfo[];
  /** Alarms that are on, of any member. */
  alarms(): readonly { readonly type: string }[];
  /** What could fail when a key is read; the error is etcd's text. */
  read(request: { readonly serializable: boolean }): Promise<Result<undefined, string>>;
  versions(): Versions;
}

export interface Versions {
  readonly server: string;
  /** The level all members agreed on; `undefined` until they have. */
  readonly cluster: string | undefined;
  readonly storage: string;
}

type Node = Pick<MemberNode, 'status' | 'members' | 'alarms' | 'readBarrier' | 'clusterVersion'>;

/** Pages of a running member. */
export function pagesSourceOf(node: Node): PagesSource {
  return {
    status: () => node.status(),
    members: () => node.members(),
    alarms: () => node.alarms(),
    read: async ({ serializable }) => {
      // The barrier is what can fail of a linearizable read; the rest is local.
      const barrier = serializable ? undefined : await node.readBarrier();
      if (barrier !== undefined && !barrier.ok) {
        return { ok: false, error: serviceError(barrier.error).message };
      }
      return { ok: true, value: undefined };
    },
    versions: () => ({
      server: API_VERSION,
      cluster: node.clusterVersion === '' ? undefined : node.clusterVersion,
      storage: STORAGE_VERSION,
    }),
  };
}
