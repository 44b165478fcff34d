/**
 * Locks on leases that may end while the lock is held, and work that only the holder can do: a
 * write guarded by the lock's key.
 *
 *   lock          {name, ttlS}  → {name, at}: `at`, the revision at which it was held
 *   lock-work     {value}       → {name, isHeld, at}
 *   lock-renew    {}            keeps the lease alive
 *   unlock        {}            → {name}
 *   lock-abandon  {}            forgets it; the lease ends it
 */
import { fieldsOf } from '../../checkers/history/guards.ts';
import type { Json } from '../../checkers/history/op.ts';
import { lockChecker } from '../../checkers/lock.ts';
import { putRequest } from '../../src/client/requests.ts';
import { assert } from '../../src/lib/assert.ts';
import { EMPTY_BYTES } from '../../src/lib/bytes.ts';
import type { LeaseId } from '../../src/lib/ids.ts';
import { utf8Encode } from '../../src/lib/utf8.ts';
import type { LockClient } from '../full-client.ts';
import type { Generator, Invocation } from '../generator/generator.ts';
import { mix } from '../generator/mix.ts';
import { type Pace, stagger } from '../generator/pace.ts';
import { EMPTY, repeat, unfold } from '../generator/sequence.ts';
import { type CallOptions, failedRead, failedWrite } from '../kv-client.ts';
import type { Completion, Workload, WorkloadClient } from '../workload.ts';

export const LOCK_FS: readonly string[] = [
  'lock',
  'lock-work',
  'lock-renew',
  'unlock',
  'lock-abandon',
];

export interface LockOptions {
  readonly names: number;
  readonly ttlsS: readonly number[];
}

export const LOCK_OPTIONS: LockOptions = { names: 2, ttlsS: [1, 3, 10] };

export function lockWorkload(
  connect: (endpoint: string) => LockClient,
  pace: Pace,
  options: LockOptions = LOCK_OPTIONS,
): Workload {
  return {
    name: 'lock',
    fs: LOCK_FS,
    openClient: (endpoint) => new Client(connect(endpoint)),
    generator: stagger(pace, lockGenerator(options)),
    finalGenerator: EMPTY,
    checkers: [lockChecker()],
  };
}

function lockGenerator({ names, ttlsS }: LockOptions): Generator {
  const plain = (f: string): Generator => repeat(() => ({ f, value: {} }));
  const locks = repeat(({ random }) => {
    const name = `lock-${random.below(names)}`;
    return { f: 'lock', value: { name, ttlS: ttlsS[random.below(ttlsS.length)]! } };
  });
  const work = unfold(1, (value) => {
    return { op: { f: 'lock-work', value: { value: `w${value}` } }, state: value + 1 };
  });
  return mix([
    { weight: 50, generator: locks },
    { weight: 30, generator: work },
    { weight: 15, generator: plain('lock-renew') },
    { weight: 25, generator: plain('unlock') },
    { weight: 5, generator: plain('lock-abandon') },
  ]);
}

interface Held {
  readonly name: string;
  readonly key: Uint8Array;
}

class Client implements WorkloadClient {
  readonly #client: LockClient;
  #lease: LeaseId | undefined;
  #held: Held | undefined;

  constructor(client: LockClient) {
    this.#client = client;
  }

  async invoke({ f, value }: Invocation, timeoutMs: number): Promise<Completion> {
    const options = { timeoutMs };
    if (f === 'lock') return this.#lock(value, options);
    if (f === 'lock-renew') return this.#renew(options);
    const held = this.#held;
    if (held === undefined) return { type: 'fail', error: 'this client holds no lock' };
    if (f === 'lock-work') return this.#work(held, value, options);
    this.#held = undefined;
    if (f === 'unlock') {
      const reply = await this.#client.unlock(held.key, options);
      return reply.ok ? { type: 'ok', value: { name: held.name } } : failedWrite(reply.error);
    }
    assert(f === 'lock-abandon', `bad ${f}`);
    this.#lease = undefined;
    return { type: 'ok', value: { name: held.name } };
  }

  close(): void {
    this.#client.close();
  }

  async #lock(asked: Json, options: CallOptions): Promise<Completion> {
    if (this.#held !== undefined) return { type: 'fail', error: 'this client holds a lock' };
    const { name, ttlS } = fieldsOf(asked) ?? {};
    assert(typeof name === 'string' && typeof ttlS === 'number', 'a lock has name and time');
    if (this.#lease === undefined) {
      const granted = await this.#client.leaseGrant(ttlS, options);
      // The lock was not asked for yet.
      if (!granted.ok) return failedRead(granted.error);
      this.#lease = granted.value.result.id;
    }
    const request = { name: utf8Encode(name), lease: this.#lease };
    const reply = await this.#client.lock(request, options);
    if (!reply.ok) {
      // The lease may have ended, and with an unknown outcome the place in the queue stays.
      this.#lease = undefined;
      return failedWrite(reply.error);
    }
    const { header, result } = reply.value;
    this.#held = { name, key: result.key };
    return { type: 'ok', value: { name, at: header.revision } };
  }

  async #renew(options: CallOptions): Promise<Completion> {
    if (this.#lease === undefined) return { type: 'fail', error: 'this client has no lease' };
    const reply = await this.#client.leaseKeepAlive(this.#lease, options);
    if (!reply.ok) return failedRead(reply.error);
    return { type: 'ok', value: { ttlS: reply.value.result.ttlS } };
  }

  async #work({ name, key }: Held, asked: Json, options: CallOptions): Promise<Completion> {
    const value = fieldsOf(asked)?.value;
    assert(typeof value === 'string', 'work has a value');
    const request = putRequest({ key: `lock-work/${name}`, value });
    const reply = await this.#client.txn(
      {
        compare: [{ target: 'create', key, rangeEnd: EMPTY_BYTES, result: 'greater', operand: 0 }],
        success: [{ type: 'put', request }],
        failure: [],
      },
      options,
    );
    if (!reply.ok) return failedWrite(reply.error);
    const { header, result } = reply.value;
    if (!result.succeeded) this.#held = undefined;
    const { succeeded: isHeld } = result;
    return { type: 'ok', value: { name, isHeld, at: header.revision } };
  }
}
