/**
 * Locks on leases that may end while the lock is held or waited for, and work that only the
 * holder can do: a write guarded by the lock's key. A call may outlast the operation that made it
 * and the lease it names; its client may give up, ask a second time meanwhile, and keep the lease
 * alive all the while.
 *
 *   lock          {name, ttlS, patienceMs, keepPercent, keepLateMs} → {name, at}: `at`, the
 *                 revision at which it was held | {name, isWaiting}: the next one waits on |
 *                 {name, gaveUp}: the lease stays, and the next one
 *                 asks for the same
 *   lock-again    {}            a second call with the same lease → {name, at}
 *   lock-work     {value}       → {name, isHeld, at}
 *   lock-renew    {}            keeps the lease alive
 *   unlock        {}            → {name}
 *   lock-abandon  {}            forgets it; the lease ends it
 *   lock-relay    {}            at the end: {@link LockRelay}
 */
import { fieldsOf } from '../../checkers/history/guards.ts';
import type { Json } from '../../checkers/history/op.ts';
import { lockChecker } from '../../checkers/lock.ts';
import { putRequest } from '../../src/client/requests.ts';
import { assert } from '../../src/lib/assert.ts';
import { EMPTY_BYTES } from '../../src/lib/bytes.ts';
import type { Revision } from '../../src/lib/ids.ts';
import { utf8Encode } from '../../src/lib/utf8.ts';
import type { Compare } from '../../src/mvcc/request.ts';
import { type Background, soonOrNot } from '../background.ts';
import type { LockClient } from '../full-client.ts';
import type { Generator, Invocation } from '../generator/generator.ts';
import { mix } from '../generator/mix.ts';
import { type Pace, stagger } from '../generator/pace.ts';
import { repeat, unfold } from '../generator/sequence.ts';
import { DONE, emit, generator, wait } from '../generator/steps.ts';
import { type CallOptions, failedRead, failedWrite } from '../kv-client.ts';
import { drawKeepPace, type GrantedLease, keepPaceOf, LeaseKeeper } from '../lease/lease-keeper.ts';
import type { Completion, Workload, WorkloadClient } from '../workload.ts';
import { LockRelay } from './lock-relay.ts';

export const LOCK_FS: readonly string[] = [
  'lock',
  'lock-again',
  'lock-work',
  'lock-renew',
  'unlock',
  'lock-abandon',
  'lock-relay',
];

export interface LockOptions {
  readonly names: number;
  readonly ttlsS: readonly number[];
  /** How long a call waits, whatever its operation does. */
  readonly patiencesMs: readonly number[];
}

export const LOCK_OPTIONS: LockOptions = {
  names: 3,
  ttlsS: [1, 1, 3, 6],
  patiencesMs: [200, 1_000, 4_000, 8_000],
};

/** Steps of the relay, repetitions included. */
const RELAY_OPS_MAX = 150;
const RELAY_LOOK_NS = 250_000_000;

/** What the clients of one run share. */
interface Shared {
  readonly background: Background;
  isRelayDone: boolean;
}

export function lockWorkload(
  connect: (endpoint: string) => LockClient,
  pace: Pace,
  background: Background,
  options: LockOptions = LOCK_OPTIONS,
): Workload {
  const shared: Shared = { background, isRelayDone: false };
  return {
    name: 'lock',
    fs: LOCK_FS,
    openClient: (endpoint) => new Client(connect(endpoint), shared),
    generator: stagger(pace, lockGenerator(options)),
    finalGenerator: relay(shared, RELAY_OPS_MAX),
    checkers: [lockChecker()],
  };
}

function lockGenerator({ names, ttlsS, patiencesMs }: LockOptions): Generator {
  const plain = (f: string): Generator => repeat(() => ({ f, value: {} }));
  const locks = repeat(({ random }) => {
    const name = `lock-${random.below(names)}`;
    const ttlS = ttlsS[random.below(ttlsS.length)]!;
    const patienceMs = patiencesMs[random.below(patiencesMs.length)]!;
    return { f: 'lock', value: { name, ttlS, patienceMs, ...drawKeepPace(random) } };
  });
  const work = unfold(1, (value) => {
    return { op: { f: 'lock-work', value: { value: `w${value}` } }, state: value + 1 };
  });
  return mix([
    { weight: 50, generator: locks },
    { weight: 12, generator: plain('lock-again') },
    { weight: 30, generator: work },
    { weight: 10, generator: plain('lock-renew') },
    { weight: 15, generator: plain('unlock') },
    { weight: 5, generator: plain('lock-abandon') },
  ]);
}

/** By the first thread. Ends when the relay does, which only its client knows. */
function relay(shared: Shared, left: number): Generator {
  const self: Generator = generator(({ thread, timeNs }) => {
    if (left === 0 || shared.isRelayDone) return DONE;
    // Nothing may complete until the first thread is asked.
    if (thread !== 0) return wait(timeNs + RELAY_LOOK_NS, self);
    return emit({ f: 'lock-relay', value: {} }, relay(shared, left - 1));
  });
  return self;
}

interface Held {
  readonly name: string;
  readonly key: Uint8Array;
  readonly at: Revision;
}

type Reply = Awaited<ReturnType<LockClient['lock']>>;

class Client implements WorkloadClient {
  readonly #client: LockClient;
  readonly #shared: Shared;
  readonly #keeper: LeaseKeeper;
  #lease: GrantedLease | undefined;
  #held: Held | undefined;
  #waiting: { readonly name: string; readonly reply: Promise<Reply> } | undefined;
  /** What it asked for last with its lease, in vain. */
  #gaveUp: string | undefined;
  #relay: LockRelay | undefined;

  constructor(client: LockClient, shared: Shared) {
    this.#client = client;
    this.#shared = shared;
    this.#keeper = new LeaseKeeper(client, shared.background);
  }

  async invoke({ f, value }: Invocation, timeoutMs: number): Promise<Completion> {
    const options = { timeoutMs };
    switch (f) {
      case 'lock':
        return this.#lock(value, options);
      case 'lock-again':
        return this.#again(options);
      case 'lock-renew':
        return this.#renew(options);
      case 'lock-relay':
        return this.#relayed(options);
      default:
        return this.#withHeld(f, value, options);
    }
  }

  close(): void {
    this.#keeper.stop();
    this.#client.close();
  }

  async #withHeld(f: string, value: Json, options: CallOptions): Promise<Completion> {
    const held = this.#held;
    if (held === undefined) return { type: 'fail', error: 'this client holds no lock' };
    if (f === 'lock-work') return this.#work(held, value, options);
    this.#held = undefined;
    // What a call that still waits is told is of no use any more.
    this.#waiting = undefined;
    if (f === 'unlock') {
      const reply = await this.#client.unlock(held.key, options);
      return reply.ok ? { type: 'ok', value: { name: held.name } } : failedWrite(reply.error);
    }
    assert(f === 'lock-abandon', `bad ${f}`);
    this.#forget();
    return { type: 'ok', value: { name: held.name } };
  }

  async #lock(asked: Json, options: CallOptions): Promise<Completion> {
    if (this.#held !== undefined) return { type: 'fail', error: 'this client holds a lock' };
    if (this.#waiting === undefined) {
      const failure = await this.#ask(asked, options);
      if (failure !== undefined) return failure;
    }
    const { name, reply } = this.#waiting!;
    const answer = await soonOrNot(this.#shared.background, options.timeoutMs, reply);
    if (answer === undefined) return { type: 'ok', value: { name, isWaiting: true } };
    this.#waiting = undefined;
    if (answer.ok) return this.#isHeld(name, answer.value);
    if (answer.error.definite) {
      this.#forget();
      return failedWrite(answer.error);
    }
    // The lease may have ended; if not, the client goes on with it, and maybe has the lock.
    this.#gaveUp = name;
    return { type: 'ok', value: { name, gaveUp: true } };
  }

  /** Begins a call; undefined: it waits. */
  async #ask(asked: Json, options: CallOptions): Promise<Completion | undefined> {
    const { name: drawn, ttlS, patienceMs } = fieldsOf(asked) ?? {};
    const name = this.#gaveUp ?? drawn;
    assert(typeof name === 'string' && typeof ttlS === 'number', 'a lock has name and time');
    assert(typeof patienceMs === 'number', 'nobody waits for ever');
    if (this.#lease === undefined) {
      const granted = await this.#client.leaseGrant(ttlS, options);
      // The lock was not asked for yet.
      if (!granted.ok) return failedRead(granted.error);
      this.#lease = granted.value.result;
      this.#keeper.keep(this.#lease, keepPaceOf(asked), options.timeoutMs);
    }
    const request = { name: utf8Encode(name), lease: this.#lease.id };
    this.#waiting = { name, reply: this.#client.lock(request, { timeoutMs: patienceMs }) };
    return undefined;
  }

  async #again(options: CallOptions): Promise<Completion> {
    const name = this.#waiting?.name ?? this.#held?.name;
    if (name === undefined || this.#lease === undefined) {
      return { type: 'fail', error: 'this client asked for no lock' };
    }
    const request = { name: utf8Encode(name), lease: this.#lease.id };
    const answer = await this.#client.lock(request, options);
    if (!answer.ok) return failedRead(answer.error);
    this.#waiting = undefined;
    return this.#isHeld(name, answer.value);
  }

  #isHeld(name: string, { header, result }: Extract<Reply, { ok: true }>['value']): Completion {
    const at = header.revision;
    this.#held = { name, key: result.key, at };
    this.#gaveUp = undefined;
    return { type: 'ok', value: { name, at } };
  }

  async #renew(options: CallOptions): Promise<Completion> {
    if (this.#lease === undefined) return { type: 'fail', error: 'this client has no lease' };
    const reply = await this.#client.leaseKeepAlive(this.#lease.id, options);
    if (!reply.ok) return failedRead(reply.error);
    const { ttlS } = reply.value.result;
    if (ttlS === 0 && this.#held === undefined && this.#waiting === undefined) this.#forget();
    return { type: 'ok', value: { ttlS } };
  }

  /** Guarded by the very key that it was given: one made later is no proof. */
  async #work({ name, key, at }: Held, asked: Json, options: CallOptions): Promise<Completion> {
    const value = fieldsOf(asked)?.value;
    assert(typeof value === 'string', 'work has a value');
    const request = putRequest({ key: `lock-work/${name}`, value });
    const created = { target: 'create', key, rangeEnd: EMPTY_BYTES } as const;
    const compare: Compare[] = [
      { ...created, result: 'greater', operand: 0 },
      { ...created, result: 'less', operand: at + 1 },
    ];
    const reply = await this.#client.txn(
      { compare, success: [{ type: 'put', request }], failure: [] },
      options,
    );
    if (!reply.ok) return failedWrite(reply.error);
    const { header, result } = reply.value;
    if (!result.succeeded) {
      this.#held = undefined;
      this.#forget();
    }
    const { succeeded: isHeld } = result;
    return { type: 'ok', value: { name, isHeld, at: header.revision } };
  }

  async #relayed(options: CallOptions): Promise<Completion> {
    this.#relay ??= new LockRelay(this.#client, this.#shared.background, 'lock-relay');
    const completion = await this.#relay.step(options);
    this.#shared.isRelayDone ||= this.#relay.isDone;
    return completion;
  }

  #forget(): void {
    this.#lease = undefined;
    this.#gaveUp = undefined;
    this.#keeper.stop();
  }
}
