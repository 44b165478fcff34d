/** A client that behaves, on each member, while others do not. */
import { setTimeout as sleep } from 'node:timers/promises';
import { EtcdClient } from '../../src/client/etcd-client.ts';
import { prefixEnd } from '../../src/client/requests.ts';
import { WatchEvents } from '../../src/client/watch-events.ts';
import { utf8Decode } from '../../src/lib/utf8.ts';

export const GOOD_PREFIX = 'good/';
const KEYS = 100;
const PAUSE_MS = 40;
/** The machine may be busy with others. */
const CALL_MS = 20_000;

export class GoodClient {
  /** Of each key, the last value that was acknowledged, a number that only grows. */
  readonly acknowledged: Map<string, number> = new Map();
  readonly errors: Map<string, number> = new Map();
  puts: number = 0;
  reads: number = 0;
  watched: number = 0;
  longestMs: number = 0;
  readonly #name: string;
  readonly #client: EtcdClient;
  readonly #watch: WatchEvents;
  readonly #seen = new Map<string, number>();
  readonly #watching: Promise<void>;

  constructor(name: string, endpoint: string) {
    this.#name = name;
    this.#client = new EtcdClient({ endpoint: `http://${endpoint}`, timeoutMs: CALL_MS });
    const prefix = `${GOOD_PREFIX}${name}/`;
    this.#watch = new WatchEvents(this.#client, { key: prefix, rangeEnd: prefixEnd(prefix) });
    this.#watching = this.#readWatch();
  }

  async run(isOver: () => boolean): Promise<void> {
    for (let number = 1; !isOver(); number++) {
      const key = `${GOOD_PREFIX}${this.#name}/${number % KEYS}`;
      await this.#put(key, number);
      await this.#read(key);
      await sleep(PAUSE_MS);
    }
  }

  /** Resolves with what the watcher saw last of every key, when that is all. */
  async close(): Promise<ReadonlyMap<string, number>> {
    const isBehind = (): boolean =>
      [...this.acknowledged].some(([key, number]) => (this.#seen.get(key) ?? 0) < number);
    for (let patience = 200; patience > 0 && isBehind(); patience--) await sleep(50);
    this.#watch.close();
    await this.#watching;
    this.#client.close();
    return this.#seen;
  }

  async #put(key: string, number: number): Promise<void> {
    const startMs = Date.now();
    const answer = await this.#client.put({ key, value: `${number}` });
    this.longestMs = Math.max(this.longestMs, Date.now() - startMs);
    this.puts += 1;
    if (answer.ok) this.acknowledged.set(key, number);
    else this.#error('put', answer.error.message);
  }

  async #read(key: string): Promise<void> {
    const answer = await this.#client.get(key);
    this.reads += 1;
    if (!answer.ok) return this.#error('get', answer.error.message);
    const { kv } = answer.value;
    const read = kv === undefined ? 0 : Number(utf8Decode(kv.value));
    if (read < (this.acknowledged.get(key) ?? 0))
      this.#error('get', 'an acknowledged write is gone');
  }

  async #readWatch(): Promise<void> {
    for await (const { events } of this.#watch) {
      for (const { kv } of events) {
        const key = utf8Decode(kv.key);
        const number = Number(utf8Decode(kv.value));
        this.watched += 1;
        if (number <= (this.#seen.get(key) ?? 0))
          this.#error('watch', 'an event is late or double');
        this.#seen.set(key, number);
      }
    }
    const { end } = this.#watch;
    if (end !== undefined && end.type !== 'closed') this.#error('watch', JSON.stringify(end));
  }

  #error(what: string, message: string): void {
    const text = `${this.#name} ${what}: ${message}`;
    this.errors.set(text, (this.errors.get(text) ?? 0) + 1);
  }
}
