/**
 * A Raft cluster to play with: the product's own core in a small world of its own, with
 * virtual time, a network with latency and disks with delay. It knows neither page nor clock:
 * the same seed and the same actions at the same times give the same events.
 */
import { assert } from '../../../src/lib/assert.ts';
import type { MemberId } from '../../../src/lib/ids.ts';
import type { Random } from '../../../src/ports/random.ts';
import { describeMessage } from '../../../src/raft/describe.ts';
import type { Message, StorageAppend } from '../../../src/raft/message.ts';
import { drawBetween } from '../../draw.ts';
import { seededRandom } from '../../seeded-random.ts';
import type { MemberTrace, MessageTrace, Tracer } from '../../sim/trace.ts';
import { EventQueue } from './event-queue.ts';
import { factWords } from './fact-words.ts';
import { LiveMember, type MemberOwner, TICK_MS } from './live-member.ts';
import { type LiveRequest, RequestBook } from './requests.ts';

export interface LiveOptions {
  /** 1 to {@link MEMBERS_MAX}. */
  readonly memberCount: number;
  readonly seed: number;
  /** Pre-vote and leases, as in the server; default true. */
  readonly careful?: boolean;
}

export const MEMBERS_MAX = 7;

/** One way, between any two members: slow enough to be watched. */
const LATENCY_MS = [25, 60] as const;
const WRITE_MS = [4, 12] as const;
const REQUEST_TIMEOUT_MS = 3_000;

export class LiveCluster {
  readonly names: readonly string[];
  readonly #tracer: Tracer;
  readonly #queue = new EventQueue();
  readonly #members: readonly LiveMember[];
  readonly #networkRandom: Random;
  readonly #diskRandom: Random;
  readonly #requests: RequestBook;
  /** Sent and not arrived. */
  readonly #underWay = new Set<MessageTrace>();
  /** Links keep order: when the newest message of each arrives; and disks when they are done. */
  readonly #busyUntilNs = new Map<string, number>();
  readonly #lastTraced = new Map<string, MemberTrace>();
  /** Of each fault in place, by member, its number. */
  readonly #faults = new Map<string, { readonly id: number; readonly kind: string }>();
  #faultCount = 0;
  #nowNs = 0;

  constructor({ memberCount, seed, careful = true }: LiveOptions, tracer: Tracer) {
    assert(memberCount >= 1 && memberCount <= MEMBERS_MAX, `1 to ${MEMBERS_MAX} members`);
    const random = seededRandom(seed);
    this.#tracer = tracer;
    this.#networkRandom = random.fork('network');
    this.#diskRandom = random.fork('disk');
    this.#requests = new RequestBook(tracer);
    const voters = Array.from({ length: memberCount }, (_, at) => BigInt(at + 1));
    this.names = voters.map(nameOfId);
    this.#members = voters.map((id) => {
      const name = nameOfId(id);
      const settings = { id, name, voters, careful, nameOf, random: random.fork(name) };
      return new LiveMember(settings, this.#ownerOf(id, name));
    });
    for (const member of this.#members) {
      member.start();
      this.#traceChange(member);
      this.#startTicks(member, drawBetween(random, 0, TICK_MS * 1e6 - 1));
    }
  }

  get nowNs(): number {
    return this.#nowNs;
  }

  /** Everything up to and including `atNs` happens. Time does not go back. */
  advanceTo(atNs: number): void {
    for (;;) {
      const next = this.#queue.takeUntil(atNs);
      if (next === undefined) break;
      this.#nowNs = next.atNs;
      next.run();
    }
    this.#nowNs = Math.max(this.#nowNs, atNs);
  }

  member(name: string): LiveMember {
    const member = this.#members.find(({ settings }) => settings.name === name);
    assert(member !== undefined, `no member ${name}`);
    return member;
  }

  /** Sent and not arrived yet, as if they all were to arrive. */
  inFlight(): readonly MessageTrace[] {
    return [...this.#underWay];
  }

  /** In the order in which they were asked for. */
  get requests(): readonly LiveRequest[] {
    return this.#requests.all;
  }

  /** A crash: the durable log, term and vote survive, nothing else. */
  stop(name: string): void {
    const member = this.member(name);
    if (member.state === 'dead') return;
    if (member.state === 'paused') this.#healed(name);
    member.stop();
    this.#injected('stop', name, 'stopped');
    this.#requests.memberStopped(name, this.#nowNs);
    this.#traceChange(member);
  }

  pause(name: string): void {
    const member = this.member(name);
    if (member.state !== 'running') return;
    member.pause();
    this.#injected('pause', name, 'suspended');
    this.#traceChange(member);
  }

  /** A stopped member starts on what is durable; a paused one goes on. */
  resume(name: string): void {
    const member = this.member(name);
    const { state } = member;
    if (state === 'running') return;
    this.#healed(name);
    if (state === 'dead') {
      member.start();
      this.#startTicks(member, TICK_MS * 1e6);
    } else member.unpause();
    this.#traceChange(member);
  }

  /** Stops and starts at once. */
  restart(name: string): void {
    this.stop(name);
    this.resume(name);
  }

  /** Its election timer ends now; nothing happens in a leader, or in one that does not run. */
  timeOut(name: string): void {
    const member = this.member(name);
    if (member.state !== 'running') return;
    this.#fact(name, 'is told that its election timer has ended');
    member.take({ type: 'timeOut' });
    this.#traceChange(member);
  }

  /** A client asks this member to have a new command done; returns the command. */
  request(name: string): string {
    const member = this.member(name);
    const request = this.#requests.ask(name, this.#nowNs);
    const { command } = request;
    if (member.state === 'dead') {
      this.#requests.refused(request, `${name} is stopped`, this.#nowNs);
      return command;
    }
    this.#after(REQUEST_TIMEOUT_MS * 1e6, () => this.#requests.timedOut(request, this.#nowNs));
    member.take({
      type: 'request',
      command,
      answer: (outcome) => {
        if (outcome !== 'dropped') this.#requests.accepted(request, outcome);
        else this.#requests.refused(request, `${name} knows no leader`, this.#nowNs);
      },
    });
    this.#traceChange(member);
    return command;
  }

  #ownerOf(id: MemberId, name: string): MemberOwner {
    return {
      send: (message) => this.#send(message),
      write: (append) => this.#write(id, append),
      fact: (fact) => this.#fact(name, factWords(fact, nameOf)),
      applied: (command, index) => this.#requests.applied(command, name, index, this.#nowNs),
    };
  }

  #send(message: Message): void {
    const from = nameOfId(message.from);
    const to = nameOfId(message.to);
    const latencyNs = drawBetween(this.#networkRandom, LATENCY_MS[0] * 1e6, LATENCY_MS[1] * 1e6);
    const atNs = this.#inOrder(`${from} ${to}`, latencyNs);
    const { type: kind, term } = message;
    const text = describeMessage(message);
    const sentNs = this.#nowNs;
    const trace: MessageTrace = {
      ...{ type: 'message', atNs, sentNs, from, to, kind, term, text, fate: 'delivered' },
    };
    this.#underWay.add(trace);
    this.#queue.push(atNs, () => this.#arrive(message, trace));
  }

  #arrive(message: Message, trace: MessageTrace): void {
    this.#underWay.delete(trace);
    const member = this.member(trace.to);
    if (member.state === 'dead') {
      this.#tracer.trace({ ...trace, fate: 'dead' });
      this.member(trace.from).unreachable(message.to);
      return;
    }
    this.#tracer.trace(trace);
    member.take({ type: 'message', message });
    this.#traceChange(member);
  }

  #write(id: MemberId, append: StorageAppend): void {
    const name = nameOfId(id);
    const delayNs = drawBetween(this.#diskRandom, WRITE_MS[0] * 1e6, WRITE_MS[1] * 1e6);
    this.#queue.push(
      this.#inOrder(name, delayNs),
      this.#ifNotRestarted(name, (member) => {
        member.take({ type: 'written', append });
        this.#traceChange(member);
      }),
    );
  }

  #startTicks(member: LiveMember, delayNs: number): void {
    const tick = this.#ifNotRestarted(member.settings.name, () => {
      member.take({ type: 'tick' });
      this.#traceChange(member);
      this.#after(TICK_MS * 1e6, tick);
    });
    this.#after(delayNs, tick);
  }

  /** What a member began ends with it. */
  #ifNotRestarted(name: string, run: (member: LiveMember) => void): () => void {
    const { starts } = this.member(name);
    return () => {
      const member = this.member(name);
      if (member.starts === starts && member.state !== 'dead') run(member);
    };
  }

  #after(delayNs: number, run: () => void): void {
    this.#queue.push(this.#nowNs + delayNs, run);
  }

  /** When something that takes `delayNs` is done, if nothing may overtake on `lane`. */
  #inOrder(lane: string, delayNs: number): number {
    const atNs = Math.max(this.#nowNs + delayNs, (this.#busyUntilNs.get(lane) ?? 0) + 1);
    this.#busyUntilNs.set(lane, atNs);
    return atNs;
  }

  #fact(node: string, text: string): void {
    this.#tracer.trace({ type: 'fact', atNs: this.#nowNs, node, text });
  }

  #injected(kind: string, name: string, words: string): void {
    this.#faultCount++;
    this.#faults.set(name, { id: this.#faultCount, kind });
    this.#traceFault(this.#faultCount, kind, 'injected', name, `${name} ${words}`);
  }

  #healed(name: string): void {
    const fault = this.#faults.get(name);
    assert(fault !== undefined, `${name} has no fault`);
    this.#faults.delete(name);
    this.#traceFault(fault.id, fault.kind, 'healed', name, `${name} runs again`);
  }

  #traceFault(id: number, kind: string, step: string, name: string, description: string): void {
    const atNs = this.#nowNs;
    this.#tracer.trace({ type: 'fault', atNs, id, kind, step, description, nodes: [name] });
  }

  #traceChange(member: LiveMember): void {
    const now = member.trace(this.#nowNs);
    const before = this.#lastTraced.get(now.node);
    if (before !== undefined && looksSame(before, now)) return;
    this.#lastTraced.set(now.node, now);
    this.#tracer.trace(now);
  }
}

/** But for the time and the timer's progress. */
function looksSame(a: MemberTrace, b: MemberTrace): boolean {
  return (
    a.state === b.state &&
    a.role === b.role &&
    a.term === b.term &&
    a.vote === b.vote &&
    a.leader === b.leader &&
    a.commit === b.commit &&
    a.applied === b.applied &&
    a.stable === b.stable &&
    a.lastIndex === b.lastIndex &&
    a.electionTimeoutTicks === b.electionTimeoutTicks &&
    a.tailTerms.every((term, at) => term === b.tailTerms[at])
  );
}

function nameOfId(id: MemberId): string {
  return `n${id}`;
}

function nameOf(id: MemberId | undefined): string | undefined {
  return id === undefined ? undefined : nameOfId(id);
}
