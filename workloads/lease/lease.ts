/**
 * Leases with keys on them, kept alive through any member, in time or late, by their owner or by
 * others; revoked, or left alone until they end; and puts on leases that have ended.
 * A client has one lease at a time; its own key hangs on it, and now and then one that all share.
 *
 *   lease-grant       {ttlS, replaces, keepPercent, keepLateMs}: unless it has one that it does
 *                     not replace; it renews it by itself → {lease, ttlS}
 *   lease-put         {value, isFormer} the own key, or that of a lease that it had |
 *                     {value, key} a shared one → {lease, key}
 *   lease-keep-alive  {} | {other} → {lease, ttlS}; 0: it has ended
 *   lease-read        {} of the own key → {lease, isThere}
 *   lease-look        {} | {other} → {lease, ttlS, keys}; −1: it has ended
 *   lease-revoke      {} → {lease}
 *   lease-leave       {} the client stops caring → {lease}
 *
 * `other`: the lease that anybody was granted so many grants before the last.
 */
import { fieldsOf } from '../../checkers/history/guards.ts';
import type { Json } from '../../checkers/history/op.ts';
import { leaseChecker } from '../../checkers/lease.ts';
import { putRequest, rangeRequest } from '../../src/client/requests.ts';
import { assert } from '../../src/lib/assert.ts';
import type { LeaseId } from '../../src/lib/ids.ts';
import type { Background } from '../background.ts';
import type { LeaseClient } from '../full-client.ts';
import type { Generator, GeneratorContext, Invocation } from '../generator/generator.ts';
import { mix } from '../generator/mix.ts';
import { type Pace, stagger } from '../generator/pace.ts';
import { EMPTY, repeat, unfold } from '../generator/sequence.ts';
import { type CallOptions, completed, failedRead, failedWrite } from '../kv-client.ts';
import type { Completion, Workload, WorkloadClient } from '../workload.ts';
import { drawKeepPace, keepPaceOf, LeaseKeeper } from './lease-keeper.ts';

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

/** Leases that anybody was granted, newest first, of which others may renew one. */
const RECENT_MAX = 6;
/** Leases that a client had, on which it may still put. */
const FORMER_MAX = 4;

export function leaseWorkload(
  connect: (endpoint: string) => LeaseClient,
  pace: Pace,
  background: Background,
  options: LeaseOptions = LEASE_OPTIONS,
): Workload {
  const recent: LeaseId[] = [];
  return {
    name: 'lease',
    fs: LEASE_FS,
    openClient: (endpoint) => new Client(connect(endpoint), background, recent),
    generator: stagger(pace, leaseGenerator(options)),
    finalGenerator: EMPTY,
    checkers: [leaseChecker(options.fastestClock)],
  };
}

function leaseGenerator({ ttlsS, sharedKeys }: LeaseOptions): Generator {
  const plain = (f: string): Generator => repeat(() => ({ f, value: {} }));
  const grants = repeat(({ random }) => {
    const ttlS = ttlsS[random.below(ttlsS.length)]!;
    const replaces = random.below(6) === 0;
    return { f: 'lease-grant', value: { ttlS, replaces, ...drawKeepPace(random) } };
  });
  const puts = unfold(1, (value, { random }) => {
    const drawn = random.below(sharedKeys * 4);
    const own: Json = { value: `l${value}`, isFormer: drawn >= sharedKeys * 3 };
    const shared: Json = { value: `l${value}`, key: `lease/shared/${drawn}` };
    const asked = drawn < sharedKeys ? shared : own;
    const op = { f: 'lease-put', value: asked };
    return { op, state: value + 1 };
  });
  const anyLease = (f: string): Generator =>
    repeat((context) => ({ f, value: drawLease(context) }));
  return mix([
    { weight: 30, generator: grants },
    { weight: 24, generator: puts },
    { weight: 30, generator: anyLease('lease-keep-alive') },
    { weight: 14, generator: plain('lease-read') },
    { weight: 14, generator: anyLease('lease-look') },
    { weight: 4, generator: plain('lease-revoke') },
    { weight: 4, generator: plain('lease-leave') },
  ]);
}

function drawLease({ random }: GeneratorContext): Json {
  return random.below(3) === 0 ? { other: random.below(RECENT_MAX) } : {};
}

class Client implements WorkloadClient {
  readonly #client: LeaseClient;
  readonly #keeper: LeaseKeeper;
  readonly #recent: LeaseId[];
  #lease: LeaseId | undefined;
  readonly #former: LeaseId[] = [];

  constructor(client: LeaseClient, background: Background, recent: LeaseId[]) {
    this.#client = client;
    this.#keeper = new LeaseKeeper(client, background);
    this.#recent = recent;
  }

  async invoke({ f, value }: Invocation, timeoutMs: number): Promise<Completion> {
    const options = { timeoutMs };
    if (f === 'lease-grant') return this.#grant(value, options);
    const lease = this.#chosen(value);
    if (lease === undefined) return { type: 'fail', error: 'there is no such lease' };
    const named = { lease: String(lease) };
    switch (f) {
      case 'lease-put':
        return this.#put(lease, value, options);
      case 'lease-keep-alive': {
        const reply = await this.#client.leaseKeepAlive(lease, options);
        // Whoever renews knows no more than before if nobody answers.
        if (!reply.ok) return failedRead(reply.error);
        const { ttlS } = reply.value.result;
        if (ttlS === 0 && lease === this.#lease) this.#leave();
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
        this.#leave();
        const reply = await this.#client.leaseRevoke(lease, options);
        return reply.ok ? { type: 'ok', value: named } : failedWrite(reply.error);
      }
      default:
        assert(f === 'lease-leave', `bad ${f}`);
        this.#leave();
        return { type: 'ok', value: named };
    }
  }

  close(): void {
    this.#keeper.stop();
    this.#client.close();
  }

  #chosen(value: Json): LeaseId | undefined {
    const { other, isFormer } = fieldsOf(value) ?? {};
    if (isFormer === true) return this.#former.at(-1);
    return typeof other === 'number' ? this.#recent[other] : this.#lease;
  }

  #leave(): void {
    this.#keeper.stop();
    if (this.#lease === undefined) return;
    this.#former.push(this.#lease);
    if (this.#former.length > FORMER_MAX) this.#former.shift();
    this.#lease = undefined;
  }

  async #grant(asked: Json, options: CallOptions): Promise<Completion> {
    const { ttlS, replaces } = fieldsOf(asked) ?? {};
    assert(typeof ttlS === 'number', 'a grant has a time');
    if (this.#lease !== undefined && !replaces) {
      return { type: 'fail', error: 'this client has a lease' };
    }
    const reply = await this.#client.leaseGrant(ttlS, options);
    if (!reply.ok) return failedWrite(reply.error);
    const { id, ttlS: granted } = reply.value.result;
    this.#leave();
    this.#lease = id;
    this.#recent.unshift(id);
    this.#recent.splice(RECENT_MAX);
    this.#keeper.keep({ id, ttlS: granted }, keepPaceOf(asked), options.timeoutMs);
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
