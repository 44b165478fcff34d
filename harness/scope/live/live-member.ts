/**
 * One member of the live cluster: the product's raft core, a disk that takes its time, and a
 * state machine that lists the commands it applied. What it sends goes to its owner.
 */

import { assert, assertNever } from '../../../src/lib/assert.ts';
import type { MemberId } from '../../../src/lib/ids.ts';
import { utf8Decode, utf8Encode } from '../../../src/lib/utf8.ts';
import type { Random } from '../../../src/ports/random.ts';
import { simpleConf } from '../../../src/raft/conf-state.ts';
import { raftConfig } from '../../../src/raft/config.ts';
import type { Entry, Fact, HardState, Message, StorageAppend } from '../../../src/raft/message.ts';
import { RawNode } from '../../../src/raft/raw-node.ts';
import { LOG_TAIL_MAX, type MemberTrace } from '../../sim/trace.ts';

/** As the server's: a tick is a tenth of a heartbeat, a heartbeat a tenth of an election timeout. */
export const TICK_MS = 10;
const HEARTBEAT_TICKS = 10;
const ELECTION_TICKS = 100;

export interface MemberSettings {
  readonly id: MemberId;
  readonly name: string;
  readonly voters: readonly MemberId[];
  /** Pre-vote and leases, as in the server; without them it is the Raft of the paper. */
  readonly careful: boolean;
  readonly random: Random;
  readonly nameOf: (id: MemberId | undefined) => string | undefined;
}

/** What a turn of a member asks of its owner. */
export interface MemberOwner {
  send(message: Message): void;
  /** Completes in order; not at all if the member stops before. */
  write(append: StorageAppend): void;
  fact(fact: Fact): void;
  applied(command: string, index: number): void;
}

export type MemberInput =
  | { readonly type: 'tick' }
  | { readonly type: 'message'; readonly message: Message }
  | { readonly type: 'written'; readonly append: StorageAppend }
  | { readonly type: 'timeOut' }
  | {
      readonly type: 'request';
      readonly command: string;
      readonly answer: (outcome: 'appended' | 'forwarded' | 'dropped') => void;
    };

/** Stopped until it is started. */
export class LiveMember {
  readonly settings: MemberSettings;
  readonly #owner: MemberOwner;
  #hardState: HardState = { term: 0, vote: undefined, commit: 0 };
  #durable: readonly Entry[] = [];
  #node: RawNode | undefined;
  #log: readonly Entry[] = [];
  #commands: string[] = [];
  /** While paused: what came in meanwhile. Undefined while it runs. */
  #inbox: MemberInput[] | undefined;
  /** What was begun before a crash belongs to an earlier start. */
  starts = 0;

  constructor(settings: MemberSettings, owner: MemberOwner) {
    this.settings = settings;
    this.#owner = owner;
  }

  get state(): MemberTrace['state'] {
    if (this.#node === undefined) return 'dead';
    return this.#inbox === undefined ? 'running' : 'paused';
  }

  /** Applied by this member since its log's beginning, in order. */
  get commands(): readonly string[] {
    return this.#commands;
  }

  /** The log as this member has it in memory; what is durable while it is stopped. */
  get log(): readonly Entry[] {
    return this.#node === undefined ? this.#durable : this.#log;
  }

  get leader(): MemberId | undefined {
    return this.#node?.leader;
  }

  /** On what is durable: its log, term and vote. The state machine is filled from the log anew. */
  start(): void {
    assert(this.#node === undefined, `${this.settings.name} runs already`);
    this.starts++;
    const { id, voters, careful, random } = this.settings;
    const config = raftConfig({
      id,
      random: random.fork(`start ${this.starts}`),
      heartbeatTicks: HEARTBEAT_TICKS,
      electionTimeoutTicks: ELECTION_TICKS,
      preVote: careful,
      checkQuorum: careful,
    });
    this.#node = new RawNode(config, {
      hardState: this.#hardState,
      snapshot: { index: 0, term: 0, confState: simpleConf(voters) },
      entries: this.#durable,
      applied: 0,
    });
    this.#log = this.#durable;
    this.#commands = [];
    this.#settle();
  }

  /** Everything is lost but what is durable. */
  stop(): void {
    assert(this.#node !== undefined, `${this.settings.name} is stopped already`);
    this.#node = undefined;
    this.#inbox = undefined;
    this.#commands = [];
  }

  /** Nothing in it runs any more; what arrives waits. */
  pause(): void {
    if (this.#node !== undefined) this.#inbox ??= [];
  }

  unpause(): void {
    const inputs = this.#inbox ?? [];
    this.#inbox = undefined;
    for (const input of inputs) this.take(input);
  }

  /** Nothing happens in a member that is stopped. Ticks of a paused one are lost. */
  take(input: MemberInput): void {
    const node = this.#node;
    if (node === undefined) return;
    if (this.#inbox !== undefined) {
      if (input.type !== 'tick') this.#inbox.push(input);
      return;
    }
    switch (input.type) {
      case 'tick':
        node.tick();
        break;
      case 'message':
        node.step(input.message);
        break;
      case 'written':
        this.#persist(node, input.append);
        break;
      case 'timeOut':
        node.campaign();
        break;
      case 'request': {
        const data = utf8Encode(input.command);
        input.answer(node.propose([{ type: 'normal', data }]));
        break;
      }
      default:
        assertNever(input);
    }
    this.#settle();
  }

  /** The network found nothing alive at `peer`. */
  unreachable(peer: MemberId): void {
    if (this.state === 'running') this.#node?.reportUnreachable(peer);
  }

  /** The caller's loop of raw-node.ts: until nothing is left to do. */
  #settle(): void {
    const node = this.#node;
    if (node === undefined) return;
    for (;;) {
      const outputs = node.takeOutputs();
      if (outputs === undefined) return;
      for (const fact of outputs.facts) this.#owner.fact(fact);
      for (const message of outputs.messages) this.#owner.send(message);
      if (outputs.append !== undefined) {
        this.#log = appended(this.#log, outputs.append.entries);
        this.#owner.write(outputs.append);
      }
      for (const entry of outputs.committed) this.#apply(entry);
      const last = outputs.committed.at(-1);
      if (last !== undefined) node.appliedTo(last.index);
    }
  }

  #apply(entry: Entry): void {
    // A new leader's no-op.
    if (entry.data.length === 0) return;
    const command = utf8Decode(entry.data);
    this.#commands.push(command);
    this.#owner.applied(command, entry.index);
  }

  #persist(node: RawNode, { entries, hardState, responses }: StorageAppend): void {
    this.#durable = appended(this.#durable, entries);
    this.#hardState = hardState ?? this.#hardState;
    for (const response of responses) {
      if (response.to === this.settings.id) node.step(response);
      else this.#owner.send(response);
    }
  }

  trace(atNs: number): MemberTrace {
    const { name, nameOf } = this.settings;
    const node = this.#node;
    const log = this.log;
    const common = {
      type: 'member',
      atNs,
      node: name,
      state: this.state,
      firstIndex: 1,
      lastIndex: log.length,
      tailTerms: log.slice(-LOG_TAIL_MAX).map((entry) => entry.term),
      tickMs: TICK_MS,
    } as const;
    if (node === undefined) {
      const { term, vote, commit } = this.#hardState;
      const durable = { term, vote: nameOf(vote), leader: undefined, commit, applied: 0 };
      const timer = { electionElapsedTicks: 0, electionTimeoutTicks: ELECTION_TICKS };
      return { ...common, ...durable, ...timer, role: 'follower', stable: log.length };
    }
    const { role, term, vote, leader, commit, applied, stable } = node.status();
    return {
      ...common,
      ...timerOf(node),
      role,
      term,
      vote: nameOf(vote),
      leader: nameOf(leader),
      commit,
      applied,
      stable,
    };
  }
}

/** A write supersedes what the log holds at and after its first entry. */
function appended(log: readonly Entry[], entries: readonly Entry[]): readonly Entry[] {
  const [first] = entries;
  return first === undefined ? log : [...log.slice(0, first.index - 1), ...entries];
}

function timerOf(
  node: RawNode,
): Pick<MemberTrace, 'electionElapsedTicks' | 'electionTimeoutTicks'> {
  const { role } = node.core;
  if (role.type === 'leader') {
    return { electionElapsedTicks: 0, electionTimeoutTicks: ELECTION_TICKS };
  }
  const { electionElapsedTicks, randomizedTimeoutTicks } = role;
  return { electionElapsedTicks, electionTimeoutTicks: randomizedTimeoutTicks };
}
