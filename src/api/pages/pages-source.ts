import { err, ok, type Result } from '../../lib/result.ts';
import type { MemberInfo, MemberNode, MemberStatus } from '../../member/node.ts';
import type { Clock } from '../../ports/clock.ts';
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

/**
 * What a page waits for a read, as etcd 3.4 does: whoever asks wants to know about now. The read
 * itself goes on for as long as any other.
 */
const READ_MS_MAX = 1_000;

/** Pages of a running member. */
export function pagesSourceOf(node: Node, clock: Pick<Clock, 'after'>): PagesSource {
  return {
    status: () => node.status(),
    members: () => node.members(),
    alarms: () => node.alarms(),
    read: async ({ serializable }) => {
      // The barrier is what can fail of a linearizable read; the rest is local.
      if (serializable) return ok(undefined);
      const barrier = await inTime(clock, node.readBarrier());
      if (barrier === undefined) return err('context deadline exceeded');
      return barrier.ok ? ok(undefined) : err(serviceError(barrier.error).message);
    },
    versions: () => ({
      server: API_VERSION,
      cluster: node.clusterVersion === '' ? undefined : node.clusterVersion,
      storage: STORAGE_VERSION,
    }),
  };
}

/** Undefined: not settled within {@link READ_MS_MAX}. */
async function inTime<Value>(
  clock: Pick<Clock, 'after'>,
  answer: Promise<Value>,
): Promise<Value | undefined> {
  const late = Promise.withResolvers<undefined>();
  const timer = clock.after(READ_MS_MAX, () => late.resolve(undefined));
  const first = await Promise.race([answer, late.promise]);
  timer[Symbol.dispose]();
  return first;
}
