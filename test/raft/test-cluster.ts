/**
 * Members and the network between them. Nothing happens by itself: every delivery, write, tick
 * and loss is a call, and after each the invariants of raft are checked.
 */

import { assert } from '../../src/lib/assert.ts';
import type { Index, MemberId } from '../../src/lib/ids.ts';
import { utf8Encode } from '../../src/lib/utf8.ts';
import { simpleConf } from '../../src/raft/conf-state.ts';
import type { RaftConfig } from '../../src/raft/config.ts';
import { ClusterInvariants } from '../../src/raft/invariants.ts';
import type { Message, Outputs, SnapshotMeta } from '../../src/raft/message.ts';
import type { RawNode } from '../../src/raft/raw-node.ts';
import { type Checkpoint, confChangeEntry, parseConfChange, TestMember } from './test-member.ts';

export interface TestClusterOptions {
  readonly voters: readonly number[];
  readonly config?: Partial<RaftConfig>;
  readonly seed?: number;
}

/** A linearizable read: `floor` is what any member knew to be committed when it was asked. */
interface AskedRead {
  readonly member: MemberId;
  readonly floor: Index;
}

export class TestCluster {
  readonly members: Map<MemberId, TestMember> = new Map();
  /** On the way, oldest first. */
  network: Message[] = [];
  /** Directed links that lose everything, as `from>to`. */
  readonly cut: Set<string> = new Set();
  /** Told of every outputs value before it is carried out. */
  onOutputs: (member: MemberId, outputs: Outputs) => void = () => {};
  readonly #options: TestClusterOptions;
  readonly #invariants: ClusterInvariants = new ClusterInvariants();
  readonly #checkpoints: Map<string, Checkpoint> = new Map();
  readonly #reads: Map<number, AskedRead> = new Map();
  readonly #answeredReads: Set<number> = new Set();
  #nextContext = 1;
  #maxCommit: Index = 0;

  /** The first members start from a checkpoint at term 1, index 1 that names them. */
  constructor(options: TestClusterOptions) {
    this.#options = options;
    const confState = simpleConf(options.voters.map(BigInt));
    const checkpoint = { meta: { index: 1, term: 1, confState }, state: [] };
    this.#remember(checkpoint);
    for (const id of options.voters) this.#add(id, checkpoint);
  }

  /** A member with nothing, to be told everything by a leader. */
  join(id: number): void {
    const confState = simpleConf([]);
    this.#add(id, { meta: { index: 0, term: 0, confState }, state: [] });
  }

  member(id: number): TestMember {
    const member = this.members.get(BigInt(id));
    assert(member !== undefined, `no member ${id}`);
    return member;
  }

  get readsAnswered(): number {
    return this.#answeredReads.size;
  }

  node(id: number): RawNode {
    return this.member(id).running;
  }

  running(): TestMember[] {
    return [...this.members.values()].filter(({ node }) => node !== undefined);
  }

  /** The leader of the highest term, if any. */
  leader(): TestMember | undefined {
    return this.running()
      .filter(({ running }) => running.status().role === 'leader')
      .sort((a, b) => b.running.status().term - a.running.status().term)[0];
  }

  propose(id: number, ...texts: readonly string[]): 'appended' | 'forwarded' | 'dropped' {
    const entries = texts.map((text) => ({ type: 'normal' as const, data: utf8Encode(text) }));
    return this.#checked(() => this.node(id).propose(entries));
  }

  /** `text` as {@link parseConfChange} takes it. What the leader refuses begins so. */
  proposeConfChange(id: number, text: string): string {
    const change = parseConfChange(text);
    const entry = confChangeEntry(text);
    const outcome = this.#checked(() => this.node(id).proposeConfChange(change, entry));
    return outcome.ok ? outcome.value : `refused: ${outcome.error}`;
  }

  /** Returns the context of a read that is now under way, or undefined if it was dropped. */
  read(id: number): number | undefined {
    const context = this.#nextContext++;
    const outcome = this.#checked(() => this.node(id).readIndex(context));
    if (outcome === 'dropped') return undefined;
    this.#reads.set(context, { member: BigInt(id), floor: this.#maxCommit });
    return context;
  }

  tick(id: number, count: number = 1): void {
    for (let i = 0; i < count; i++) this.#checked(() => this.node(id).tick());
  }

  step(id: number, message: Message): void {
    this.#checked(() => this.node(id).step(message));
  }

  /** Carries out everything the member has to do; writes stay under way. */
  turn(id: number): void {
    const member = this.member(id);
    for (let outputs = member.turn(); outputs !== undefined; outputs = member.turn()) {
      this.onOutputs(member.id, outputs);
      for (const message of outputs.messages) this.#send(message);
      for (const { context, index } of outputs.readStates) this.#answered(member, context, index);
      this.#check();
    }
  }

  /** The member's oldest write becomes durable and its responses leave; false: none was there. */
  completeWrite(id: number): boolean {
    const member = this.member(id);
    if (member.writes.length === 0) return false;
    for (const response of member.completeWrite()) {
      if (response.to === member.id) this.step(id, response);
      else this.#send(response);
    }
    this.#check();
    return true;
  }

  /** Takes the message at `position` off the network and to its member. */
  deliver(position: number): void {
    const [message] = this.network.splice(position, 1);
    assert(message !== undefined, 'nothing there to deliver');
    const member = this.members.get(message.to);
    const down = member?.node === undefined || this.cut.has(`${message.from}>${message.to}`);
    if (down) return this.lose(message);
    if (message.type === 'MsgSnap') this.#reportSnapshot(message, true);
    this.step(Number(message.to), message);
  }

  /** What the network owes raft for a lost message: a word about a lost snapshot. */
  lose(message: Message): void {
    if (message.type === 'MsgSnap') this.#reportSnapshot(message, false);
  }

  crash(id: number, options: { writesKept: number }): void {
    this.member(id).crash(options.writesKept);
    this.#check();
  }

  restart(id: number): void {
    this.member(id).start();
    this.#invariants.restarted(BigInt(id));
    this.#check();
  }

  /** Everything applied goes into a checkpoint; of the log before it `keep` entries stay. */
  checkpoint(id: number, keep: number): void {
    const checkpoint = this.member(id).saveCheckpoint();
    this.#remember(checkpoint);
    this.#checked(() => this.node(id).compact(Math.max(0, checkpoint.meta.index - keep)));
  }

  /** Loses every message between the member and the others, both ways, from now on. */
  isolate(id: number): void {
    for (const other of this.members.keys()) {
      if (other === BigInt(id)) continue;
      this.cut.add(`${id}>${other}`).add(`${other}>${id}`);
    }
  }

  heal(): void {
    this.cut.clear();
  }

  /** Runs turns, writes and deliveries until nothing is left to do, ticks aside. */
  settle(): void {
    const ROUNDS_MAX = 10_000;
    for (let round = 0; round < ROUNDS_MAX; round++) {
      for (const { id } of this.running()) {
        this.turn(Number(id));
        while (this.completeWrite(Number(id))) this.turn(Number(id));
      }
      if (this.network.length === 0) return;
      while (this.network.length > 0) this.deliver(0);
    }
    assert(false, 'the cluster never comes to rest');
  }

  /** Ticks all members together, settling after each tick, until `done` or `ticks` have passed. */
  run(ticks: number, done: () => boolean = () => false): boolean {
    this.settle();
    for (let i = 0; i < ticks; i++) {
      if (done()) return true;
      for (const { id } of this.running()) this.tick(Number(id));
      this.settle();
    }
    return done();
  }

  /** Makes the member leader, if the others let it. */
  elect(id: number): void {
    this.settle();
    this.#checked(() => this.node(id).campaign());
    this.settle();
  }

  #add(id: number, checkpoint: Checkpoint): void {
    assert(!this.members.has(BigInt(id)), `member ${id} exists already`);
    const { config = {}, seed = 1 } = this.#options;
    const fetchCheckpoint = (meta: SnapshotMeta): Checkpoint => {
      const found = this.#checkpoints.get(keyOf(meta));
      assert(found !== undefined, `nobody made a checkpoint at ${keyOf(meta)}`);
      return found;
    };
    const options = { id: BigInt(id), config, seed, checkpoint, fetchCheckpoint };
    this.members.set(BigInt(id), new TestMember(options));
  }

  #send(message: Message): void {
    assert(message.to !== message.from, 'nobody sends to itself');
    if (this.cut.has(`${message.from}>${message.to}`)) this.lose(message);
    else this.network.push(message);
  }

  #reportSnapshot(message: Message, delivered: boolean): void {
    const node = this.members.get(message.from)?.node;
    if (node !== undefined) this.#checked(() => node.reportSnapshot(message.to, delivered));
  }

  #answered({ id }: TestMember, context: number, index: Index): void {
    const read = this.#reads.get(context);
    assert(read !== undefined && read.member === id, `nobody asked for read ${context}`);
    assert(index >= read.floor, `read ${context} at ${index} misses ${read.floor}`);
    // A repeated message answers again, and must be right again.
    this.#answeredReads.add(context);
  }

  #remember(checkpoint: Checkpoint): void {
    const known = this.#checkpoints.get(keyOf(checkpoint.meta));
    const same = known === undefined || known.state.join() === checkpoint.state.join();
    assert(same, `two states at ${keyOf(checkpoint.meta)}`);
    this.#checkpoints.set(keyOf(checkpoint.meta), checkpoint);
  }

  #checked<Result>(action: () => Result): Result {
    const result = action();
    this.#check();
    return result;
  }

  #check(): void {
    const cores = this.running().map(({ running }) => running.core);
    this.#invariants.check(cores);
    for (const { log } of cores) this.#maxCommit = Math.max(this.#maxCommit, log.commit);
  }
}

function keyOf({ term, index }: SnapshotMeta): string {
  return `${term}/${index}`;
}
