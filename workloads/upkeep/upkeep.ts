/**
 * What administrators do to a cluster that is at work. Nothing of it changes a key.
 *
 *   compact      {back, physical}  at so many revisions before the newest that was seen
 *   hash-kv      {back}            → {hash}
 *   defragment, move-leader, snapshot {}
 */
import { fieldsOf } from '../../checkers/history/guards.ts';
import { rangeRequest } from '../../src/client/requests.ts';
import { assert } from '../../src/lib/assert.ts';
import type { Revision } from '../../src/lib/ids.ts';
import type { UpkeepClient } from '../full-client.ts';
import type { Invocation } from '../generator/generator.ts';
import { mix } from '../generator/mix.ts';
import { type Pace, stagger } from '../generator/pace.ts';
import { EMPTY, repeat } from '../generator/sequence.ts';
import { type CallOptions, failedRead, failedWrite, type Reply } from '../kv-client.ts';
import type { Completion, Workload, WorkloadClient } from '../workload.ts';

export const UPKEEP_FS: readonly string[] = [
  'compact',
  'hash-kv',
  'defragment',
  'move-leader',
  'snapshot',
];

const BACK_MAX = 60;

export function upkeepWorkload(connect: (endpoint: string) => UpkeepClient, pace: Pace): Workload {
  const compactions = repeat(({ random }) => {
    const physical = random.below(3) === 0;
    // Many compact at the present revision, or nearly so.
    const back = random.below(random.below(2) === 0 ? 3 : BACK_MAX);
    return { f: 'compact', value: { back, physical } };
  });
  const hashes = repeat(({ random }) => ({
    f: 'hash-kv',
    value: { back: random.below(BACK_MAX) },
  }));
  const plain = (f: string): typeof hashes => repeat(() => ({ f, value: {} }));
  return {
    name: 'upkeep',
    fs: UPKEEP_FS,
    openClient: (endpoint) => new Client(connect(endpoint)),
    generator: stagger(
      pace,
      mix([
        { weight: 50, generator: compactions },
        { weight: 20, generator: hashes },
        { weight: 10, generator: plain('defragment') },
        { weight: 10, generator: plain('move-leader') },
        { weight: 10, generator: plain('snapshot') },
      ]),
    ),
    finalGenerator: EMPTY,
    checkers: [],
  };
}

class Client implements WorkloadClient {
  readonly #client: UpkeepClient;

  constructor(client: UpkeepClient) {
    this.#client = client;
  }

  async invoke({ f, value }: Invocation, timeoutMs: number): Promise<Completion> {
    const options = { timeoutMs };
    const { back = 0, physical } = fieldsOf(value) ?? {};
    assert(typeof back === 'number', 'revisions are told relative to the newest');
    const client = this.#client;
    switch (f) {
      case 'compact': {
        const newest = await this.#newest(options);
        if (newest === undefined) return { type: 'fail', error: 'the revision is not known' };
        const revision = Math.max(1, newest - back);
        const reply = await client.compact({ revision, physical: physical === true }, options);
        return reply.ok ? { type: 'ok', value: { revision } } : failedWrite(reply.error);
      }
      case 'hash-kv': {
        const newest = await this.#newest(options);
        if (newest === undefined) return { type: 'fail', error: 'the revision is not known' };
        const revision = Math.max(1, newest - back);
        const reply = await client.hashKv(revision, options);
        if (!reply.ok) return failedRead(reply.error);
        return { type: 'ok', value: { revision, hash: reply.value.result.hash } };
      }
      case 'defragment':
        return done(client.defragment(options));
      case 'move-leader':
        return done(client.moveLeader(options));
      default:
        assert(f === 'snapshot', `bad ${f}`);
        return done(client.snapshot(options));
    }
  }

  close(): void {
    this.#client.close();
  }

  async #newest(options: CallOptions): Promise<Revision | undefined> {
    const request = { ...rangeRequest({ key: 'upkeep' }), serializable: true };
    const reply = await this.#client.range(request, options);
    return reply.ok ? reply.value.header.revision : undefined;
  }
}

async function done(reply: Reply<object>): Promise<Completion> {
  const answer = await reply;
  // Nothing of it has to be settled: whether it happened is of no consequence to anybody.
  return answer.ok ? { type: 'ok', value: {} } : failedRead(answer.error);
}
