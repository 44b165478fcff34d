/** Leases and locks, as simulated clients call them; what they are told is remembered and judged. */
import { create } from '@bufbuild/protobuf';
import type { LeaseId } from '../../src/lib/ids.ts';
import { ok, type Result } from '../../src/lib/result.ts';
import { type ServiceError, serviceError } from '../../src/service/errors.ts';
import {
  LeaseGrantRequestSchema,
  LeaseKeepAliveRequestSchema,
  type LeaseKeepAliveResponse,
  LeaseRevokeRequestSchema,
  LeaseTimeToLiveRequestSchema,
  type ResponseHeader,
} from '../../src/wire/gen/etcdserverpb/rpc_pb.ts';
import { LockRequestSchema, UnlockRequestSchema } from '../../src/wire/gen/v3lockpb/v3lock_pb.ts';
import { safeNumber } from '../../src/wire/generated-fields.ts';
import type { LockClient } from '../../workloads/full-client.ts';
import type { KvAnswer } from '../../workloads/kv-client.ts';
import type { ClientLink, Given, Perform, Wrong } from './client-link.ts';
import { inWords } from './oracle/difference.ts';

type LeaseCalls = Pick<
  LockClient,
  'leaseGrant' | 'leaseKeepAlive' | 'leaseRevoke' | 'leaseTimeToLive' | 'lock' | 'unlock'
>;

export function leaseCalls(link: ClientLink): LeaseCalls {
  const { oracle, leases } = link.parts;
  const told = (id: LeaseId, { askedNs }: Given<unknown>, ttlS: number): Wrong | undefined => {
    const detail = leases.told(id, askedNs, ttlS);
    return detail === undefined ? undefined : { name: 'lease kept', detail };
  };
  return {
    leaseGrant: (ttlS, options, chosen = 0n) => {
      if (chosen !== 0n) leases.ignore(chosen);
      return link.call(
        options,
        async ({ lease }, { caller }) => {
          const granted = await lease.leaseGrant(
            create(LeaseGrantRequestSchema, { TTL: BigInt(ttlS), ID: chosen }),
            caller,
          );
          if (!granted.ok) return granted;
          const { ID, TTL, header } = granted.value;
          return answered(header, { id: ID, ttlS: safeNumber(TTL) });
        },
        (given) => told(given.result.id, given, given.result.ttlS),
      );
    },
    leaseKeepAlive: (id, options) =>
      link.call(options, keepAliveOnce(id), (given) => {
        if (given.result.ttlS > 0) return told(id, given, given.result.ttlS);
        if (!oracle.upkeep.leases.has(id)) return undefined;
        return { name: 'lease kept', detail: `lease ${id} was said to be gone, and is not` };
      }),
    leaseRevoke: (id, options) =>
      link.call(options, async ({ lease }, { caller }) => {
        const request = create(LeaseRevokeRequestSchema, { ID: id });
        const revoked = await lease.leaseRevoke(request, caller);
        return revoked.ok ? answered(revoked.value.header, {}) : revoked;
      }),
    leaseTimeToLive: (id, options) => {
      const untilNs = leases.until(id);
      return link.call(
        options,
        async ({ lease }, { caller }) => {
          const request = create(LeaseTimeToLiveRequestSchema, { ID: id, keys: true });
          const times = await lease.leaseTimeToLive(request, caller);
          if (!times.ok) return times;
          const { header, TTL, keys } = times.value;
          return answered(header, { ttlS: safeNumber(TTL), keys });
        },
        (given) => wrongTimes(link, id, untilNs, given),
      );
    },
    lock: ({ name, lease }, options) =>
      link.call(
        options,
        async (services, call) => {
          const request = create(LockRequestSchema, { name, lease });
          const locked = await services.lock.lock(request, call);
          return locked.ok ? answered(locked.value.header, { key: locked.value.key }) : locked;
        },
        ({ revision, result }) => wrongHolder(link, result.key, revision),
      ),
    unlock: (key, options) =>
      link.call(options, async (services, { caller }) => {
        const unlocked = await services.lock.unlock(create(UnlockRequestSchema, { key }), caller);
        return unlocked.ok ? answered(unlocked.value.header, {}) : unlocked;
      }),
  };
}

/** One renewal on a stream of its own. */
function keepAliveOnce(id: LeaseId): Perform<{ readonly ttlS: number }> {
  return ({ lease }, call) =>
    new Promise((resolve) => {
      let last: LeaseKeepAliveResponse | undefined;
      const source = lease.keepAlive(call.caller, {
        send: (response) => {
          last = response;
        },
        writable: true,
        onWritable: () => undefined,
        end: (error?: ServiceError) => {
          if (error !== undefined) resolve({ ok: false, error });
          else if (last === undefined) resolve({ ok: false, error: serviceError('canceled') });
          else resolve(answered(last.header, { ttlS: safeNumber(last.TTL) }));
        },
      });
      call.onOver(() => source.closed());
      source.receive(create(LeaseKeepAliveRequestSchema, { ID: id }));
      source.halfClosed();
    });
}

function wrongTimes(
  { parts: { oracle, leases } }: ClientLink,
  id: LeaseId,
  untilNs: number,
  { applied, result, revision }: Given<{ ttlS: number; keys: readonly Uint8Array[] }>,
): Wrong | string | undefined {
  const lease = oracle.upkeepAt(applied).leases.get(id);
  const place = `time to live of ${id} at index ${applied}`;
  if (result.ttlS < 0) {
    // The leader may be ahead of the member.
    return oracle.upkeep.leases.has(id) ? `${place}: said to be gone, and is not` : undefined;
  }
  if (lease === undefined) return undefined;
  const wrong = leases.saysLeft({ id, leftS: result.ttlS, grantedS: lease.ttlS }, untilNs);
  if (wrong !== undefined) return { name: 'lease kept', detail: wrong };
  const expected = oracle.keysOf(id, revision);
  if (inWords(result.keys) === inWords(expected)) return undefined;
  return `${place}: keys ${inWords(result.keys)}, the model says ${inWords(expected)}`;
}

/** Whoever is told that it holds the lock must have the oldest key of all, at that revision. */
export function wrongHolder(
  { parts: { oracle } }: ClientLink,
  key: Uint8Array,
  revision: number,
): Wrong | undefined {
  const prefix = key.subarray(0, key.lastIndexOf(SLASH) + 1);
  const end = prefix.slice();
  end[end.length - 1] = SLASH + 1;
  const queue = oracle.keysIn(prefix, end, revision);
  const own = queue.find((kv) => inWords(kv.key) === inWords(key));
  const words = `${inWords(key)} was given the lock at revision ${revision}`;
  if (own === undefined) return { name: 'one holder', detail: `${words} without being there` };
  const before = queue.find((kv) => kv.createRevision < own.createRevision);
  if (before === undefined) return undefined;
  return { name: 'one holder', detail: `${words} while ${inWords(before.key)} held it` };
}

const SLASH = 0x2f;

export function answered<Value>(
  header: ResponseHeader | undefined,
  result: Value,
): Result<KvAnswer<Value>, never> {
  return ok({ header: { revision: safeNumber(header?.revision ?? 0n) }, result });
}
