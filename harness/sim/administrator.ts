/**
 * Who changes the membership while faults go on: adds machines as learners or voters, promotes
 * them, removes members and replaces them. Answers get lost; what became of a change is looked up
 * where a patient administrator would find it in the end, in what was committed.
 */
import type { MemberId } from '../../src/lib/ids.ts';
import type { MemberInfo } from '../../src/member/node.ts';
import type { NemesisContext } from '../nemesis/fault.ts';
import { sleep } from '../timing.ts';
import type { ClusterClient } from './client-cluster.ts';
import { clientUrl, peerUrl, type SimNode } from './node.ts';
import type { PlannedChange, SimPlan } from './plan.ts';
import type { SimWorld } from './world.ts';

/** Between two attempts at one step. */
const RETRY_MS = 150;
/** Of one question to one member. */
const ASK_MS = 1_500;

export class Administrator {
  readonly #world: SimWorld;
  readonly #plan: SimPlan;
  readonly #context: NemesisContext;
  readonly #signal: AbortSignal;
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
    for (const { name, isOut } of world.nodes) if (isOut) options.context.givenUp.add(name);
  }

  /** The planned changes one after the other; what is not done by then is left as it is. */
  async run(baseNs: number, untilNs: number): Promise<void> {
    const { loop } = this.#world;
    const endNs = baseNs + untilNs;
    for (const change of this.#plan.changes) {
      const waitNs = baseNs + change.atMs * 1e6 - loop.nowNs;
      if (waitNs > 0) await sleep(loop.clock, waitNs / 1e6, this.#signal);
      if (this.#signal.aborted || loop.nowNs >= endNs) return;
      await this.#change(change, endNs);
    }
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

  /** Machines on which a removed member still runs. */
  lingering(): string[] {
    return this.#world.nodes
      .filter((node) => this.#memberOn(node) === undefined && node.life !== undefined)
      .map(({ name }) => name);
  }

  async #change({ type, node: name }: PlannedChange, endNs: number): Promise<void> {
    const node = this.#world.cluster.node(name);
    const isMember = this.#memberOn(node) !== undefined;
    this.#note(`${type} ${name}`);
    if (type === 'add' || type === 'add-voter') {
      if (!isMember) await this.#add(node, type === 'add', endNs);
      return;
    }
    // Nobody would be left.
    if (!isMember || this.#voters().length < 2) return;
    if (!(await this.#remove(node, endNs)) || type === 'remove') return;
    await this.#add(node, true, endNs);
  }

  async #add(node: SimNode, isLearner: boolean, endNs: number): Promise<void> {
    const member = { peerUrl: peerUrl(node.name), isLearner };
    const isAdded = (): boolean => this.#memberOn(node) !== undefined;
    await this.#insist(endNs, isAdded, (client) => client.memberAdd(member, { timeoutMs: ASK_MS }));
    const added = this.#memberOn(node);
    if (added === undefined) return;
    this.#install(node, added.id);
    if (isLearner) {
      const isVoter = (): boolean => this.#memberOn(node)?.isLearner === false;
      await this.#insist(endNs, isVoter, (client) =>
        client.memberPromote(added.id, { timeoutMs: ASK_MS }),
      );
      if (!isVoter()) return;
    }
    this.#context.givenUp.delete(node.name);
  }

  async #remove(node: SimNode, endNs: number): Promise<boolean> {
    const { id } = node;
    const isGone = (): boolean => !this.#world.oracle.upkeep.members.has(id);
    await this.#insist(endNs, isGone, (client) => client.memberRemove(id, { timeoutMs: ASK_MS }));
    if (!isGone()) return false;
    this.#context.givenUp.add(node.name);
    return true;
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
    const { loop, nodes, clients } = this.#world;
    while (!isDone() && loop.nowNs < endNs && !this.#signal.aborted) {
      const running = nodes.filter((node) => node.life?.serving !== undefined);
      const node = running[this.#asked++ % Math.max(1, running.length)];
      if (node !== undefined) await ask(clients.administrate(clientUrl(node.name)));
      if (!isDone()) await sleep(loop.clock, RETRY_MS, this.#signal);
    }
  }

  #memberOn(node: SimNode): MemberInfo | undefined {
    const url = peerUrl(node.name);
    const { members } = this.#world.oracle.upkeep;
    return [...members.values()].find(({ peerUrls }) => peerUrls.includes(url));
  }

  #voters(): MemberInfo[] {
    return [...this.#world.oracle.upkeep.members.values()].filter(({ isLearner }) => !isLearner);
  }

  #note(text: string): void {
    this.#world.note(text);
  }
}
