/**
 * Who changes the membership while faults go on: adds machines as learners or voters, promotes
 * them, removes members and replaces them, changes their URLs, and makes mistakes. Answers get
 * lost; what became of a change is looked up where a patient administrator would find it in the
 * end, in what was committed.
 */
import { assertNever } from '../../src/lib/assert.ts';
import type { MemberId } from '../../src/lib/ids.ts';
import type { MemberInfo } from '../../src/member/node.ts';
import { allVoters } from '../../src/raft/conf-state.ts';
import type { CallOptions } from '../../workloads/kv-client.ts';
import type { NemesisContext } from '../nemesis/fault.ts';
import { sleep } from '../timing.ts';
import type { ClusterClient } from './client-cluster.ts';
import { clientUrl, peerUrl, type SimNode } from './node.ts';
import type { PlannedChange, SimPlan } from './plan.ts';
import type { SimWorld } from './world.ts';

/** Between two attempts at one step. */
const RETRY_MS = 50;
/** Of one question to one member, at least; otherwise an election timeout. */
const ASK_LEAST_MS = 200;

/** Where the machine listens, too. */
function secondPeerUrl(name: string): string {
  return `http://${name}:2382`;
}

export class Administrator {
  readonly #world: SimWorld;
  readonly #plan: SimPlan;
  readonly #context: NemesisContext;
  readonly #signal: AbortSignal;
  readonly #patience: CallOptions;
  #asked = 0;

  /** Spare machines are given up until they are members. */
  constructor(
    world: SimWorld,
    options: {
      readonly plan: SimPlan;
      readonly context: NemesisContext;
      readonly signal: AbortSignal;
    },
  ) {
    this.#world = world;
    this.#plan = options.plan;
    this.#context = options.context;
    this.#signal = options.signal;
    this.#patience = { timeoutMs: Math.max(ASK_LEAST_MS, options.plan.electionMs) };
    for (const { name, isOut } of world.nodes) if (isOut) options.context.givenUp.add(name);
  }

  /**
   * The planned changes, those of one machine one after the other; what is not done by then is
   * left as it is. There may be several administrators, who know nothing of each other.
   */
  async run(baseNs: number, untilNs: number): Promise<void> {
    const { loop } = this.#world;
    const endNs = baseNs + untilNs;
    const tasks = new Map<string, Promise<void>>();
    for (const change of this.#plan.changes) {
      const waitNs = baseNs + change.atMs * 1e6 - loop.nowNs;
      if (waitNs > 0) await sleep(loop.clock, waitNs / 1e6, this.#signal);
      if (this.#signal.aborted || loop.nowNs >= endNs) break;
      const earlier = tasks.get(change.node) ?? Promise.resolve();
      const task = earlier.then(() => this.#change(change, endNs));
      tasks.set(change.node, task);
    }
    await Promise.all(tasks.values());
  }

  /** Starts whoever is a member and was never started; knows who is expected to answer. */
  settle(): void {
    const { givenUp } = this.#context;
    for (const node of this.#world.nodes) {
      const member = this.#memberOn(node);
      if (member === undefined) {
        givenUp.add(node.name);
        if (node.life === undefined) node.leave();
        continue;
      }
      if (node.id !== member.id || node.isOut) this.#install(node, member.id);
      if (member.isLearner) {
        givenUp.add(node.name);
        node.start();
      } else givenUp.delete(node.name);
    }
  }

  /**
   * Machines on which a removed member still runs. Who votes, as far as it knows, asks the others
   * and is told; a learner, or one that never heard of its cluster, asks nobody.
   */
  lingering(): string[] {
    const asks = ({ id, life }: SimNode): boolean => {
      const core = life?.serving?.member.core;
      return core === undefined || allVoters(core.conf).includes(id);
    };
    return this.#world.nodes
      .filter((node) => this.#memberOn(node) === undefined && node.life !== undefined)
      .filter(asks)
      .map(({ name }) => name);
  }

  /**
   * Of two voters one was removed and has ended, and the other has not heard that this was
   * committed: it asks for a vote that nobody can give. No server can help it; three voters or
   * more do not come to this.
   */
  isStranded(): boolean {
    const { nodes, invariants } = this.#world;
    const [voter, ...others] = this.#voters();
    if (voter === undefined || others.length > 0) return false;
    const core = nodes.find((node) => this.#isOn(voter.id, node))?.life?.serving?.member.core;
    if (core === undefined || core.log.commit >= invariants.maxCommitted) return false;
    const known = allVoters(core.conf).filter((id) => id !== voter.id);
    const isGone = (id: MemberId): boolean =>
      nodes.every((node) => node.id !== id || node.life === undefined);
    return known.length === 1 && known.every(isGone);
  }

  async #change({ type, node: name }: PlannedChange, endNs: number): Promise<void> {
    if (this.#world.loop.nowNs >= endNs) return;
    const node = this.#chosen(type, name);
    if (node === undefined) return;
    this.#note(`${type} ${node.name}`);
    switch (type) {
      case 'add':
      case 'add-learner':
      case 'add-voter':
        return this.#add(node, type, endNs);
      case 'update':
        return this.#update(node, endNs);
      case 'clash':
        return this.#clash(node);
      case 'remove':
      case 'replace':
        // Nobody would be left.
        if (this.#voters().length < 2) return;
        if (!(await this.#remove(node, endNs)) || type === 'remove') return;
        return this.#add(node, 'add', endNs);
      default:
        return assertNever(type);
    }
  }

  /** The machine of that name, or the next after it for which the change has a meaning. */
  #chosen(type: PlannedChange['type'], name: string): SimNode | undefined {
    const { nodes } = this.#world;
    const at = nodes.findIndex((node) => node.name === name);
    return [...nodes.slice(at), ...nodes.slice(0, at)].find((node) => {
      const member = this.#memberOn(node);
      if (type === 'add') return member?.isLearner !== false;
      return (member === undefined) === type.startsWith('add');
    });
  }

  async #add(
    node: SimNode,
    type: 'add' | 'add-learner' | 'add-voter',
    endNs: number,
  ): Promise<void> {
    const member = { peerUrl: peerUrl(node.name), isLearner: type !== 'add-voter' };
    const isAdded = (): boolean => this.#memberOn(node) !== undefined;
    await this.#insist(endNs, isAdded, (client) => client.memberAdd(member, this.#patience));
    const added = this.#memberOn(node);
    if (added === undefined) return;
    this.#install(node, added.id);
    if (type === 'add') {
      const isVoter = (): boolean => this.#memberOn(node)?.isLearner !== true;
      await this.#insist(endNs, isVoter, (client) =>
        client.memberPromote(added.id, this.#patience),
      );
    }
    if (this.#memberOn(node)?.isLearner === false) this.#context.givenUp.delete(node.name);
  }

  async #remove(node: SimNode, endNs: number): Promise<boolean> {
    const id = this.#memberOn(node)?.id ?? node.id;
    const isGone = (): boolean => !this.#world.oracle.upkeep.members.has(id);
    await this.#insist(endNs, isGone, (client) => client.memberRemove(id, this.#patience));
    if (!isGone()) return false;
    this.#context.givenUp.add(node.name);
    return true;
  }

  /** It gets one peer URL more, or has one again. */
  async #update(node: SimNode, endNs: number): Promise<void> {
    const member = this.#memberOn(node);
    if (member === undefined) return;
    const { id } = member;
    const base = peerUrl(node.name);
    const peerUrls = member.peerUrls.length > 1 ? [base] : [base, secondPeerUrl(node.name)];
    const isDone = (): boolean => {
      const known = this.#world.oracle.upkeep.members.get(id);
      return known === undefined || known.peerUrls.join() === peerUrls.join();
    };
    await this.#insist(endNs, isDone, (client) =>
      client.memberUpdate(id, peerUrls, this.#patience),
    );
  }

  /** Somebody takes the URL of one member for free, for a new member and for another. */
  async #clash(node: SimNode): Promise<void> {
    const members = [...this.#world.oracle.upkeep.members.values()];
    const at = members.findIndex(({ id }) => this.#isOn(id, node));
    const other = members[(at + 1) % members.length];
    if (at < 0 || other === undefined || members.length < 2) return;
    const taken = peerUrl(node.name);
    const added = { peerUrl: taken, isLearner: false };
    const peerUrls = [peerUrl(this.#world.names.of(other.id)), taken];
    await Promise.all([
      this.#ask((client) => client.memberAdd(added, this.#patience)),
      this.#ask((client) => client.memberUpdate(other.id, peerUrls, this.#patience)),
    ]);
  }

  /** On an empty disk, whatever was there before. */
  #install(node: SimNode, id: MemberId): void {
    if (node.id === id && !node.isOut) return;
    node.leave();
    node.join(id);
    node.start();
    this.#note(`${node.name} joins as ${id}`);
  }

  /** Asks one member after the other until it is done. */
  async #insist(
    endNs: number,
    isDone: () => boolean,
    ask: (client: ClusterClient) => Promise<unknown>,
  ): Promise<void> {
    const { loop } = this.#world;
    while (!isDone() && loop.nowNs < endNs && !this.#signal.aborted) {
      await this.#ask(ask);
      if (!isDone()) await sleep(loop.clock, RETRY_MS, this.#signal);
    }
  }

  /** The next of the members that run. */
  async #ask(ask: (client: ClusterClient) => Promise<unknown>): Promise<void> {
    const { nodes, clients } = this.#world;
    const running = nodes.filter((node) => node.life?.serving !== undefined);
    const node = running[this.#asked++ % Math.max(1, running.length)];
    if (node !== undefined) await ask(clients.administrate(clientUrl(node.name)));
  }

  #memberOn(node: SimNode): MemberInfo | undefined {
    const { members } = this.#world.oracle.upkeep;
    return [...members.values()].find(({ id }) => this.#isOn(id, node));
  }

  #isOn(id: MemberId, node: SimNode): boolean {
    return this.#world.names.of(id) === node.name;
  }

  #voters(): MemberInfo[] {
    return [...this.#world.oracle.upkeep.members.values()].filter(({ isLearner }) => !isLearner);
  }

  #note(text: string): void {
    this.#world.note(text);
  }
}
