/**
 * Puts of large values as fast as a member takes them, in bursts: history that whoever is cut off
 * meanwhile has to be given afterwards. Nobody reads it.
 *
 *   flood  {count, bytes, keys} so many puts at once, each to one of so many keys → {acknowledged}
 */
import { fieldsOf } from '../../checkers/history/guards.ts';
import { putRequest } from '../../src/client/requests.ts';
import { assert } from '../../src/lib/assert.ts';
import type { Invocation } from '../generator/generator.ts';
import { bursts } from '../generator/pace.ts';
import { EMPTY, repeat } from '../generator/sequence.ts';
import type { Connect, KvClient } from '../kv-client.ts';
import type { Completion, Workload, WorkloadClient } from '../workload.ts';

export const FLOOD_FS: readonly string[] = ['flood'];

export interface FloodOptions {
  /** Puts of one operation, all at once. */
  readonly count: number;
  readonly valueBytes: number;
  readonly keys: number;
  /** A burst, and the rest after it. */
  readonly onMs: number;
  readonly offMs: number;
}

export function floodWorkload(connect: Connect, options: FloodOptions): Workload {
  const { count, valueBytes: bytes, keys, onMs, offMs } = options;
  const floods = repeat(() => ({ f: 'flood', value: { count, bytes, keys } }));
  return {
    name: 'flood',
    fs: FLOOD_FS,
    openClient: (endpoint) => new Client(connect(endpoint)),
    generator: bursts({ onNs: onMs * 1e6, offNs: offMs * 1e6 }, floods),
    finalGenerator: EMPTY,
    checkers: [],
  };
}

class Client implements WorkloadClient {
  readonly #client: KvClient;
  #next = 0;

  constructor(client: KvClient) {
    this.#client = client;
  }

  async invoke({ value }: Invocation, timeoutMs: number): Promise<Completion> {
    const { count, bytes, keys } = fieldsOf(value) ?? {};
    assert(typeof count === 'number' && typeof keys === 'number', 'puts, and keys for them');
    const filler = '.'.repeat(Number(bytes));
    const puts = Array.from({ length: count }, () => {
      const key = `flood/${this.#next++ % keys}`;
      return this.#client.put(putRequest({ key, value: filler }), { timeoutMs });
    });
    const answers = await Promise.all(puts);
    const acknowledged = answers.filter(({ ok }) => ok).length;
    if (acknowledged > 0) return { type: 'ok', value: { acknowledged } };
    return { type: 'info', error: 'no put was acknowledged' };
  }

  close(): void {
    this.#client.close();
  }
}
