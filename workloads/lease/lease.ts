/**
 * Leases with keys on them, kept alive through any member, revoked, or left alone until they end.
 * A client has one lease at a time; its own key hangs on it, and now and then one that all share.
 *
 *   lease-grant       {ttlS}    → {lease, ttlS}
 *   lease-put         {value} | {value, key}: the own key, or a shared one → {lease, key}
 *   lease-keep-alive  {}        → {lease, ttlS}; 0: it has ended
 *   lease-read        {}        of the own key → {lease, isThere}
 *   lease-look        {}        → {lease, ttlS, keys}
 *   lease-revoke      {}        → {lease}
 *   lease-leave       {}        the client stops caring → {lease}
 */
import { fieldsOf } from '../../checkers/history/guards.ts';
import type { Json } from '../../checkers/history/op.ts';
import { leaseChecker } from '../../checkers/lease.ts';
import { putRequest, rangeRequest } from '../../src/client/requests.ts';
import { assert } from '../../src/lib/assert.ts';
import type { LeaseId } from '../../src/lib/ids.ts';
import type { LeaseClient } from '../full-client.ts';
import type { Generator, Invocation } from '../generator/generator.ts';
import { mix } from '../generator/mix.ts';
import { type Pace, stagger } from '../generator/pace.ts';
import { EMPTY, repeat, unfold } from '../generator/sequence.ts';
import { type CallOptions, completed, failedRead, failedWrite } from '../kv-client.ts';
import type { Completion, Workload, WorkloadClient } from '../workload.ts';

export const LEASE_FS: readonly string[] = [
  'lease-grant',
  'lease-put',
  'lease-keep-alive',
  'lease-read',
  'lease-look',
  'lease-revoke',
  'lease-leave',
];

export interface LeaseOptions {
  /** Times that are asked for, in seconds. */
  readonly ttlsS: readonly number[];
  readonly sharedKeys: number;
  /** How much faster than true time the servers' clocks may run, as a factor. */
  readonly fastestClock: number;
}

export const LEASE_OPTIONS: LeaseOptions = { ttlsS: [1, 2, 5, 15], sharedKeys: 3, fastestClock: 1 };

export function leaseWorkload(
  connect: (endpoint: string) => LeaseClient,
  pace: Pace,
  options: LeaseOptions = LEASE_OPTIONS,
): Workload {
  return {
    name: 'lease',
    fs: LEASE_FS,
    openClient: (endpoint) => new Client(connect(endpoint)),
    generator: stagger(pace, leaseGenerator(options)),
    finalGenerator: EMPTY,
    checkers: [leaseChecker(options.fastestClock)],
  };
}

function leaseGenerator({ ttlsS, sharedKeys }: LeaseOptions): Generator {
  const plain = (f: string): Generator => repeat(() => ({ f, value: {} }));
  const grants = repeat(({ random }) => {
    return { f: 'lease-grant', value: { ttlS: ttlsS[random.below(ttlsS.length)]! } };
  });
  const puts = unfold(1, (value, { random }) => {
    const shared = random.below(sharedKeys * 3);
    const own = { value: `l${value}` };
    const asked = shared < sharedKeys ? { ...own, key: `lease/shared/${shared}` } : own;
    return { op: { f: 'lease-put', value: asked }, state: value + 1 };
  });
  return mix([
    { weight: 40, generator: grants },
    { weight: 20, generator: puts },
    { weight: 30, generator: plain('lease-keep-alive') },
    { weight: 14, generator: plain('lease-read') },
    { weight: 8, generator: plain('lease-look') },
    { weight: 4, generator: plain('lease-revoke') },
    { weight: 4, generator: plain('lease-leave') },
  ]);
}

class Client implements WorkloadClient {
  readonly #client: LeaseClient;
  #lease: LeaseId | undefined;

  constructor(client: LeaseClient) {
    this.#client = client;
  }

  async invoke({ f, value }: Invocation, timeoutMs: number): Promise<Completion> {
    const options = { timeoutMs };
    if (f === 'lease-grant') return this.#grant(value, options);
    const lease = this.#lease;
    if (lease === undefined) return { type: 'fail', error: 'this client has no lease' };
    const named = { lease: String(lease) };
    switch (f) {
      case 'lease-put':
        return this.#put(lease, value, options);
      case 'lease-keep-alive': {
        const reply = await this.#client.leaseKeepAlive(lease, options);
        // Whoever renews knows no more than before if nobody answers.
        if (!reply.ok) return failedRead(reply.error);
        const { ttlS } = reply.value.result;
        if (ttlS === 0) this.#lease = undefined;
        return { type: 'ok', value: { ...named, ttlS } };
      }
      case 'lease-read':
        return this.#read(lease, options);
      case 'lease-look': {
        const reply = await this.#client.leaseTimeToLive(lease, options);
        if (!reply.ok) return failedRead(reply.error);
        const { ttlS, keys } = reply.value.result;
        return { type: 'ok', value: { ...named, ttlS, keys: keys.length } };
      }
      case 'lease-revoke': {
        this.#lease = undefined;
        const reply = await this.#client.leaseRevoke(lease, options);
        return reply.ok ? { type: 'ok', value: named } : failedWrite(reply.error);
      }
      default:
        assert(f === 'lease-leave', `bad ${f}`);
        this.#lease = undefined;
        return { type: 'ok', value: named };
    }
  }

  close(): void {
    this.#client.close();
  }

  async #grant(asked: Json, options: CallOptions): Promise<Completion> {
    const ttlS = fieldsOf(asked)?.ttlS;
    assert(typeof ttlS === 'number', 'a grant has a time');
    const reply = await this.#client.leaseGrant(ttlS, options);
    if (!reply.ok) return failedWrite(reply.error);
    const { id, ttlS: granted } = reply.value.result;
    this.#lease = id;
    return { type: 'ok', value: { lease: String(id), ttlS: granted } };
  }

  async #put(lease: LeaseId, asked: Json, options: CallOptions): Promise<Completion> {
    const { key = ownKey(lease), value } = fieldsOf(asked) ?? {};
    assert(typeof key === 'string' && typeof value === 'string', 'a put has a value');
    const reply = await this.#client.put({ ...putRequest({ key, value }), lease }, options);
    if (!reply.ok) return failedWrite(reply.error);
    return completed({ lease: String(lease), key, value }, reply.value.header.revision);
  }

  async #read(lease: LeaseId, options: CallOptions): Promise<Completion> {
    const reply = await this.#client.range(rangeRequest({ key: ownKey(lease) }), options);
    if (!reply.ok) return failedRead(reply.error);
    const { header, result } = reply.value;
    return completed({ lease: String(lease), isThere: result.count > 0 }, header.revision);
  }
}

function ownKey(lease: LeaseId): string {
  return `lease/own/${lease}`;
}
