/**
 * Elections on leases that may end: candidates, leaders who say something and resign, and leaders
 * who go on after that. A campaign may outlast the operation that made it, and its lease.
 *
 *   campaign          {name, ttlS, value, patienceMs, keepPercent, keepLateMs} → {name, rev, at}:
 *                     elected, by a key created at `rev` | {name, isWaiting}: the next one waits
 *                     on | {name, gaveUp}: the lease stays
 *   proclaim          {value, isFormer}: maybe by who resigned or was overtaken
 *                     → {name, rev, at, value}
 *   election-leader   {name}    → {name, rev, at, value}
 *   election-observe  {name, count} → {name, seen: [{rev, at, value}]}: the first so many answers
 *   resign            {isFormer} → {name}
 *   election-abandon  {}        forgets it; the lease ends it
 */
import { electionChecker } from '../../checkers/election.ts';
import { fieldsOf } from '../../checkers/history/guards.ts';
import type { Json } from '../../checkers/history/op.ts';
import { assert } from '../../src/lib/assert.ts';
import { utf8Decode, utf8Encode } from '../../src/lib/utf8.ts';
import { type Background, soonOrNot } from '../background.ts';
import type { ElectionClient, ElectionKey, ElectionLeader } from '../full-client.ts';
import type { Generator, Invocation } from '../generator/generator.ts';
import { mix } from '../generator/mix.ts';
import { type Pace, stagger } from '../generator/pace.ts';
import { EMPTY, repeat, unfold } from '../generator/sequence.ts';
import { type CallOptions, failedRead, failedWrite } from '../kv-client.ts';
import { drawKeepPace, type GrantedLease, keepPaceOf, LeaseKeeper } from '../lease/lease-keeper.ts';
import type { Completion, Workload, WorkloadClient } from '../workload.ts';

export const ELECTION_FS: readonly string[] = [
  'campaign',
  'proclaim',
  'election-leader',
  'election-observe',
  'resign',
  'election-abandon',
];

export interface ElectionOptions {
  readonly names: number;
  readonly ttlsS: readonly number[];
  /** How long a campaign waits, whatever its operation does. */
  readonly patiencesMs: readonly number[];
}

export const ELECTION_OPTIONS: ElectionOptions = {
  names: 2,
  ttlsS: [1, 3, 10],
  patiencesMs: [300, 2_000, 8_000],
};

/** Most leaders and values that one look at an election waits for. */
const SEEN_MAX = 3;

export function electionWorkload(
  connect: (endpoint: string) => ElectionClient,
  pace: Pace,
  background: Background,
  options: ElectionOptions = ELECTION_OPTIONS,
): Workload {
  return {
    name: 'election',
    fs: ELECTION_FS,
    openClient: (endpoint) => new Client(connect(endpoint), background),
    generator: stagger(pace, electionGenerator(options)),
    finalGenerator: EMPTY,
    checkers: [electionChecker()],
  };
}

function electionGenerator({ names, ttlsS, patiencesMs }: ElectionOptions): Generator {
  const campaigns = unfold(1, (value, { random }) => {
    const name = `election-${random.below(names)}`;
    const ttlS = ttlsS[random.below(ttlsS.length)]!;
    const patienceMs = patiencesMs[random.below(patiencesMs.length)]!;
    const asked = { name, ttlS, value: `c${value}`, patienceMs, ...drawKeepPace(random) };
    return { op: { f: 'campaign', value: asked }, state: value + 1 };
  });
  const proclaims = unfold(1, (value, { random }) => {
    const isFormer = random.below(3) === 0;
    return { op: { f: 'proclaim', value: { value: `p${value}`, isFormer } }, state: value + 1 };
  });
  const named = (f: string): Generator =>
    repeat(({ random }) => ({ f, value: { name: `election-${random.below(names)}` } }));
  const looks = repeat(({ random }) => {
    const name = `election-${random.below(names)}`;
    return { f: 'election-observe', value: { name, count: 1 + random.below(SEEN_MAX) } };
  });
  const resigns = repeat(({ random }) => {
    return { f: 'resign', value: { isFormer: random.below(4) === 0 } };
  });
  return mix([
    { weight: 45, generator: campaigns },
    { weight: 30, generator: proclaims },
    { weight: 25, generator: named('election-leader') },
    { weight: 8, generator: looks },
    { weight: 15, generator: resigns },
    { weight: 4, generator: repeat(() => ({ f: 'election-abandon', value: {} })) },
  ]);
}

type Reply = Awaited<ReturnType<ElectionClient['campaign']>>;

class Client implements WorkloadClient {
  readonly #client: ElectionClient;
  readonly #background: Background;
  readonly #keeper: LeaseKeeper;
  #lease: GrantedLease | undefined;
  #leading: ElectionKey | undefined;
  /** What it led with before. */
  #former: ElectionKey | undefined;
  #waiting: { readonly name: string; readonly reply: Promise<Reply> } | undefined;

  constructor(client: ElectionClient, background: Background) {
    this.#client = client;
    this.#background = background;
    this.#keeper = new LeaseKeeper(client, background);
  }

  async invoke({ f, value }: Invocation, timeoutMs: number): Promise<Completion> {
    const options = { timeoutMs };
    switch (f) {
      case 'campaign':
        return this.#campaign(value, options);
      case 'proclaim':
        return this.#proclaim(value, options);
      case 'election-leader': {
        const reply = await this.#client.leader(nameIn(value), options);
        if (!reply.ok) return failedRead(reply.error);
        const { header, result } = reply.value;
        return { type: 'ok', value: { ...fieldsOf(value), ...seen(result, header.revision) } };
      }
      case 'election-observe': {
        const { name = '', count } = fieldsOf(value) ?? {};
        const reply = await this.#client.observe(nameIn(value), Number(count), options);
        if (!reply.ok) return failedRead(reply.error);
        const all = reply.value.result.map(({ leader, revision }) => seen(leader, revision));
        return { type: 'ok', value: { name, seen: all } };
      }
      case 'resign':
        return this.#resign(value, options);
      default:
        assert(f === 'election-abandon', `bad ${f}`);
        this.#overtaken();
        this.#forget();
        return { type: 'ok', value: {} };
    }
  }

  close(): void {
    this.#keeper.stop();
    this.#client.close();
  }

  async #campaign(asked: Json, options: CallOptions): Promise<Completion> {
    if (this.#leading !== undefined) return { type: 'fail', error: 'this client leads' };
    if (this.#waiting === undefined) {
      const failure = await this.#stand(asked, options);
      if (failure !== undefined) return failure;
    }
    const { name, reply } = this.#waiting!;
    const answer = await soonOrNot(this.#background, options.timeoutMs, reply);
    if (answer === undefined) return { type: 'ok', value: { name, isWaiting: true } };
    this.#waiting = undefined;
    if (answer.ok) {
      const { header, result } = answer.value;
      this.#leading = result.leader;
      const { rev } = result.leader;
      return { type: 'ok', value: { name, rev, at: header.revision } };
    }
    // The lease may have ended; if not, the client goes on with it.
    if (!answer.error.definite) return { type: 'ok', value: { name, gaveUp: true } };
    this.#forget();
    return failedWrite(answer.error);
  }

  /** Begins a campaign; undefined: it waits. */
  async #stand(asked: Json, options: CallOptions): Promise<Completion | undefined> {
    const { name, ttlS, value, patienceMs } = fieldsOf(asked) ?? {};
    assert(typeof name === 'string' && typeof value === 'string', 'a candidate has a value');
    assert(typeof ttlS === 'number' && typeof patienceMs === 'number', 'and its times');
    if (this.#lease === undefined) {
      const granted = await this.#client.leaseGrant(ttlS, options);
      // Nobody stands yet.
      if (!granted.ok) return failedRead(granted.error);
      this.#lease = granted.value.result;
      this.#keeper.keep(this.#lease, keepPaceOf(asked), options.timeoutMs);
    }
    const lease = this.#lease.id;
    const request = { name: utf8Encode(name), lease, value: utf8Encode(value) };
    this.#waiting = { name, reply: this.#client.campaign(request, { timeoutMs: patienceMs }) };
    return undefined;
  }

  async #proclaim(asked: Json, options: CallOptions): Promise<Completion> {
    const { value, isFormer } = fieldsOf(asked) ?? {};
    assert(typeof value === 'string', 'a leader has something to say');
    const key = isFormer === true ? this.#former : this.#leading;
    if (key === undefined) return { type: 'fail', error: 'this client leads nothing' };
    const reply = await this.#client.proclaim(key, utf8Encode(value), options);
    if (reply.ok) {
      const at = reply.value.header.revision;
      return { type: 'ok', value: { name: utf8Decode(key.name), rev: key.rev, at, value } };
    }
    if (!reply.error.definite) return failedWrite(reply.error);
    if (key === this.#leading) this.#overtaken();
    return failedWrite(reply.error);
  }

  async #resign(asked: Json, options: CallOptions): Promise<Completion> {
    const isFormer = fieldsOf(asked)?.isFormer === true;
    const key = isFormer ? this.#former : this.#leading;
    if (key === undefined) return { type: 'fail', error: 'this client leads nothing' };
    if (!isFormer) this.#overtaken();
    const reply = await this.#client.resign(key, options);
    if (!reply.ok) return failedWrite(reply.error);
    return { type: 'ok', value: { name: utf8Decode(key.name) } };
  }

  #overtaken(): void {
    if (this.#leading !== undefined) this.#former = this.#leading;
    this.#leading = undefined;
  }

  #forget(): void {
    this.#lease = undefined;
    this.#waiting = undefined;
    this.#keeper.stop();
  }
}

function nameIn(value: Json): Uint8Array {
  const name = fieldsOf(value)?.name;
  assert(typeof name === 'string', 'an election has a name');
  return utf8Encode(name);
}

function seen(
  { createRevision, value }: ElectionLeader,
  at: number,
): { readonly rev: number; readonly at: number; readonly value: string } {
  return { rev: createRevision, at, value: utf8Decode(value) };
}
