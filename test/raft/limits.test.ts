import { expect, test } from 'vitest';
import { seededRandom } from '../../harness/seeded-random.ts';
import type { MemberId } from '../../src/lib/ids.ts';
import { simpleConf } from '../../src/raft/conf-state.ts';
import { raftConfig } from '../../src/raft/config.ts';
import type { Message } from '../../src/raft/message.ts';
import { RawNode } from '../../src/raft/raw-node.ts';

/** What must stay bounded when a disk or a follower misbehaves. */

const CONF = simpleConf([1n, 2n, 3n]);
const MESSAGES_MAX = 2_000;

function freshNode(id: MemberId, maxUncommittedBytes: number): RawNode {
  const config = raftConfig({ id, random: seededRandom(Number(id)), maxUncommittedBytes });
  return new RawNode(config, {
    hardState: { term: 1, vote: undefined, commit: 0 },
    snapshot: { index: 0, term: 0, confState: CONF },
    entries: [],
    applied: 0,
  });
}

/** Three nodes that deliver everything at once; a stalled disk answers nothing. */
class Trio {
  readonly nodes = new Map<MemberId, RawNode>();
  readonly stalled = new Set<MemberId>();
  readonly facts: string[] = [];
  #queue: Message[] = [];
  readonly #maxUncommittedBytes: number;

  constructor(maxUncommittedBytes = 1_000_000) {
    this.#maxUncommittedBytes = maxUncommittedBytes;
    for (const id of CONF.voters) this.empty(id);
  }

  /** A disk that lost everything. */
  empty(id: MemberId): void {
    this.nodes.set(id, freshNode(id, this.#maxUncommittedBytes));
  }

  node(id: MemberId): RawNode {
    return this.nodes.get(id)!;
  }

  /** Messages delivered until all is quiet, or the limit. */
  settle(): number {
    for (const id of this.nodes.keys()) this.#carryOut(id);
    let delivered = 0;
    for (; delivered < MESSAGES_MAX; delivered++) {
      const message = this.#queue.shift();
      if (message === undefined) break;
      this.node(message.to).step(message);
      this.#carryOut(message.to);
    }
    return delivered;
  }

  #carryOut(id: MemberId): void {
    const node = this.node(id);
    for (let outputs = node.takeOutputs(); outputs !== undefined; outputs = node.takeOutputs()) {
      this.#queue.push(...outputs.messages);
      for (const entry of outputs.committed) node.appliedTo(entry.index);
      for (const fact of outputs.facts) this.facts.push(fact.type);
      if (this.stalled.has(id)) continue;
      for (const response of outputs.append?.responses ?? []) {
        if (response.to === id) node.step(response);
        else this.#queue.push(response);
      }
    }
  }
}

function propose(node: RawNode, sizeBytes: number): string {
  return node.propose([{ type: 'normal', data: new Uint8Array(sizeBytes) }]);
}

test('a leader whose own disk stands still takes only so much, though the others commit it', () => {
  const trio = new Trio(100_000);
  trio.node(1n).campaign();
  trio.settle();
  trio.stalled.add(1n);
  const outcomes: string[] = [];
  for (let count = 0; count < 30; count++) {
    outcomes.push(propose(trio.node(1n), 10_000));
    trio.settle();
  }
  expect(trio.node(1n).status().commit).toBeGreaterThan(5);
  expect(outcomes.filter((outcome) => outcome === 'appended').length).toBe(9);
  expect(outcomes.at(-1)).toBe('dropped');
});

test('a follower that lost what it acknowledged is filled again, without a storm of messages', () => {
  const trio = new Trio();
  trio.node(1n).campaign();
  trio.settle();
  for (let count = 0; count < 20; count++) propose(trio.node(1n), 4);
  trio.settle();
  expect(trio.node(2n).status().lastIndex).toBe(21);
  trio.empty(2n);
  propose(trio.node(1n), 4);
  let delivered = trio.settle();
  for (let tick = 0; tick < 5; tick++) {
    trio.node(1n).tick();
    delivered += trio.settle();
  }
  expect(delivered).toBeLessThan(100);
  expect(trio.node(2n).status()).toMatchObject({ lastIndex: 22, commit: 22, leader: 1n });
  expect(trio.node(1n).status().role).toBe('leader');
});
