/** Nobody who writes or keeps a lease alive loses anything while members restart or stand still. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { eventually, Lab } from './lab.ts';
import { findLeader, type RealMember, realMembers, startAll } from './real-members.ts';

const WRITERS = 4;
const LEASED_KEYS = 20;
const TTL_S = 4;
const KEEP_ALIVE_MS = 500;

let lab: Lab;
let members: readonly RealMember[];

beforeEach(async () => {
  lab = new Lab();
  members = await realMembers(lab, 3);
  await startAll(members);
});
afterEach(() => lab[Symbol.asyncDispose]());

/** Writes until told to stop, each key once; a refused or unanswered put is another key's turn. */
class Writer {
  readonly acknowledged: Set<string> = new Set();
  longestGapMs = 0;
  attempts = 0;
  #isOver = false;
  readonly #ended: Promise<unknown>;

  constructor(name: string) {
    this.#ended = this.#run(name);
  }

  async end(): Promise<void> {
    this.#isOver = true;
    await this.#ended;
  }

  async #run(name: string): Promise<void> {
    let lastMs = performance.now();
    for (let at = 0; !this.#isOver; at++) {
      const key = `${name}/${at}`;
      this.attempts++;
      if (!(await members[at % members.length]!.put(key, key))) {
        await sleep(1);
        continue;
      }
      this.acknowledged.add(key);
      this.longestGapMs = Math.max(this.longestGapMs, performance.now() - lastMs);
      lastMs = performance.now();
    }
  }
}

/** Over the JSON gateway, so that every member's own answer counts. */
async function post(to: RealMember, path: string, body: object): Promise<Record<string, unknown>> {
  const response = await fetch(`http://${to.endpoint}/v3/${path}`, {
    method: 'POST',
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(2_000),
  });
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  return (await response.json()) as Record<string, unknown>;
}

const base64 = (text: string): string => Buffer.from(text).toString('base64');

async function grant(id: number, prefix: string): Promise<void> {
  await post(members[0]!, 'lease/grant', { ID: String(id), TTL: String(TTL_S) });
  for (let at = 0; at < LEASED_KEYS; at++) {
    const key = base64(`${prefix}/${at}`);
    await post(members[0]!, 'kv/put', { key, value: key, lease: String(id) });
  }
}

/** How often it was renewed, by the given members in turn, until told to stop. */
function keepAlive(id: number, through: readonly RealMember[]): { end(): Promise<number> } {
  let [isOver, renewals] = [false, 0];
  const running = (async () => {
    for (let at = 0; !isOver; at++) {
      try {
        const answer = await post(through[at % through.length]!, 'lease/keepalive', {
          ID: String(id),
        });
        const { TTL } = answer.result as { readonly TTL?: string };
        if (Number(TTL) > 0) renewals++;
      } catch {
        // No leader for a moment; the next one is asked.
      }
      await sleep(KEEP_ALIVE_MS);
    }
  })();
  const end = async (): Promise<number> => {
    isOver = true;
    await running;
    return renewals;
  };
  return { end };
}

describe('three members', () => {
  test('restarted in turn under writers lose nothing', async () => {
    const writers = Array.from({ length: WRITERS }, (_, at) => new Writer(`w${at}`));
    await sleep(500);
    const leader = await findLeader(members);
    // The leader last, as a guide says; and then each once more, by a kill.
    const order = [...members.filter((member) => member !== leader), leader];
    for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
      for (const writer of writers) writer.longestGapMs = 0;
      for (const member of order) {
        const ended = await member.end(signal);
        if (signal === 'SIGTERM') expect(ended.code).toBe(0);
        member.start();
        await member.serves();
      }
      const gapMs = Math.max(...writers.map(({ longestGapMs }) => longestGapMs));
      process.stdout.write(`rolling ${signal}: longest write gap ${gapMs.toFixed(0)} ms\n`);
    }
    await Promise.all(writers.map((writer) => writer.end()));
    const acknowledged = writers.flatMap((writer) => [...writer.acknowledged]);
    const attempts = writers.reduce((sum, writer) => sum + writer.attempts, 0);
    for (const member of members) {
      const found = await eventually('a read', () => member.read('w', 'linearizable'));
      expect(acknowledged.filter((key) => found.get(key) !== key)).toEqual([]);
    }
    process.stdout.write(`${attempts} puts, ${acknowledged.length} acknowledged, 0 lost\n`);
    expect(acknowledged.length).toBeGreaterThan(100);
  });

  test('whose leader stands still for two lives of a lease keep what is kept alive', async () => {
    const leader = await findLeader(members);
    const others = members.filter((member) => member !== leader);
    await grant(1, 'kept');
    await grant(2, 'forgotten');
    const keeper = keepAlive(1, others);
    const { pid } = leader.running;
    process.kill(pid, 'SIGSTOP');
    try {
      await sleep(2 * TTL_S * 1_000);
    } finally {
      process.kill(pid, 'SIGCONT');
    }
    // What the old leader believes when it wakes up must not count.
    await sleep(TTL_S * 1_000);
    const renewals = await keeper.end();
    for (const member of members) {
      const kept = await eventually('a read', () => member.read('kept/', 'linearizable'));
      expect(kept.size).toBe(LEASED_KEYS);
      const forgotten = await member.read('forgotten/', 'linearizable');
      expect(forgotten?.size).toBe(0);
    }
    process.stdout.write(`leader stopped for ${2 * TTL_S} s: ${renewals} renewals, 0 keys lost\n`);
    expect(renewals).toBeGreaterThan(0);
  });
});
