/**
 * One member removed and added anew under the same name and URLs: a new member, with an empty disk
 * and another id. Every step can be taken again, whatever became of the answer to the last try.
 *
 * A disk is wiped between the removal and the addition and at no other time: what a voter has
 * acknowledged must not be forgotten under the id that acknowledged it.
 */
import type { ClientError } from '../../src/client/client-error.ts';
import { assert } from '../../src/lib/assert.ts';
import { formatId, type MemberId } from '../../src/lib/ids.ts';
import { err, ok, type Result } from '../../src/lib/result.ts';
import { ClusterError, type ClusterNode } from '../cluster/cluster.ts';
import type { MemberControl } from '../cluster/member-control.ts';
import type { NemesisContext } from '../nemesis/fault.ts';
import { nodeNamed } from '../nemesis/target.ts';
import { sleep } from '../timing.ts';
import type { MemberRecord } from './administration.ts';
import { controlOf, insist, nodesToAsk } from './insist.ts';

/** etcd refuses changes until all have been connected for five seconds. */
const CHANGE_MS = 20_000;
/** From the start of a new member until it has what the others have. */
const JOIN_MS = 30_000;
const POLL_MS = 100;
const READ_MS = 1_000;

export class Replacement {
  readonly #context: NemesisContext;
  readonly #control: MemberControl;
  readonly #name: string;
  readonly #node: ClusterNode;
  readonly #peerUrl: string;
  readonly #isLearner: boolean;
  #oldId: MemberId | undefined;
  #isRemoved = false;
  #isWiped = false;
  #members: readonly MemberRecord[] | undefined;
  #isLaunched = false;
  #isVoter = false;

  /** `isLearner`: it comes back as one, until {@link settle} promotes it. */
  constructor(
    context: NemesisContext,
    name: string,
    options: { readonly isLearner: boolean } = { isLearner: false },
  ) {
    this.#context = context;
    this.#control = controlOf(context);
    this.#name = name;
    this.#node = nodeNamed(context, name);
    this.#peerUrl = this.#control.peerUrl(name);
    this.#isLearner = options.isLearner;
  }

  /** Whether anything was asked for: if so, {@link settle} it. */
  get isBegun(): boolean {
    return this.#oldId !== undefined;
  }

  /** In words: the old id and the new. */
  get ids(): string {
    const added = this.#added();
    const [before, after] = [this.#oldId, added?.id];
    const text = (id: MemberId | undefined): string => (id === undefined ? '?' : formatId(id));
    return `${text(before)} -> ${text(after)}`;
  }

  /** Resolves when it is no member any more and nothing of it runs. */
  async remove(): Promise<void> {
    if (this.#isLaunched) return;
    if (!this.#isRemoved) {
      const before = await this.#insist('listing the members', (node) =>
        this.#control.administration.members(node),
      );
      this.#oldId ??= this.#recordIn(before)?.id;
      const id = this.#oldId;
      if (id === undefined) throw new ClusterError(`${this.#name} is no member`);
      await this.#insist(`removing ${this.#name}`, (node) => this.#removeThrough(node, id));
      this.#isRemoved = true;
    }
    // It ends by itself when it hears of it, which it may never do.
    await this.#context.cluster.kill(this.#name);
  }

  /** After {@link remove}: resolves when the new member is launched. */
  async rejoin(): Promise<void> {
    assert(this.#isRemoved, 'only who was removed is added anew');
    if (!this.#isWiped) await this.#control.wipe(this.#name);
    this.#isWiped = true;
    this.#members ??= await this.#insist(`adding ${this.#name}`, (node) => this.#addThrough(node));
    const added = this.#added();
    assert(added !== undefined, 'the answer to the addition holds the new member');
    if (this.#isLaunched) return;
    await this.#control.startJoining(this.#name, {
      initialCluster: this.#initialCluster(this.#members),
      memberId: added.id,
    });
    this.#isLaunched = true;
    this.#context.givenUp.delete(this.#name);
  }

  /** Whether MemberList has the new member, and what it says of it. */
  async listed(): Promise<MemberRecord | undefined> {
    const members = await this.#insist('listing the members', (node) =>
      this.#control.administration.members(node),
    );
    return this.#recordIn(members);
  }

  /** Whether the member that was removed is in no list any more. */
  async isListedNoMore(): Promise<boolean> {
    const members = await this.#insist('listing the members', (node) =>
      this.#control.administration.members(node),
    );
    return this.#oldId !== undefined && !members.some(({ id }) => id === this.#oldId);
  }

  /** Whether the new member answers a linearizable read within so long. */
  async serves(limitMs: number): Promise<boolean> {
    const { clock, probe } = this.#context;
    const endNs = clock.nowNs() + limitMs * 1e6;
    while (!(await probe.linearizableRead(this.#node, READ_MS))) {
      if (clock.nowNs() >= endNs) return false;
      await this.#startAgain();
      await sleep(clock, POLL_MS);
    }
    return true;
  }

  /**
   * Takes what steps are left: resolves when the new member votes and answers linearizable reads.
   * Throws {@link ClusterError} when it does not come to that in time.
   */
  async settle(): Promise<void> {
    await this.remove();
    await this.rejoin();
    await this.#promote();
    if (!(await this.serves(JOIN_MS))) {
      throw new ClusterError(`${this.#name}, added anew, answers no read`);
    }
    this.#control.noteWhole(this.#name);
  }

  async #promote(): Promise<void> {
    if (!this.#isLearner || this.#isVoter) return;
    const id = this.#added()?.id;
    assert(id !== undefined, 'it was added');
    await this.#insist(
      `promoting ${this.#name}`,
      async (node) => {
        await this.#startAgain();
        const promoted = await this.#control.administration.promoteMember(node, id);
        if (promoted.ok) return promoted;
        const members = await this.#control.administration.members(node);
        const isVoter = members.ok && members.value.some((m) => m.id === id && !m.isLearner);
        return isVoter ? ok({}) : promoted;
      },
      JOIN_MS,
    );
    this.#isVoter = true;
  }

  /** A member that joins asks another who is in, and ends if that one has not heard of it yet. */
  async #startAgain(): Promise<void> {
    const { cluster } = this.#context;
    if (!(await cluster.isRunning(this.#name))) await cluster.start(this.#name);
  }

  async #removeThrough(node: ClusterNode, id: MemberId): Promise<Result<object, ClientError>> {
    const { administration } = this.#control;
    const removed = await administration.removeMember(node, id);
    if (removed.ok) return removed;
    const members = await administration.members(node);
    const isGone = members.ok && members.value.every((member) => member.id !== id);
    return isGone ? ok({}) : removed;
  }

  async #addThrough(node: ClusterNode): Promise<Result<readonly MemberRecord[], ClientError>> {
    const { administration } = this.#control;
    const member = { peerUrl: this.#peerUrl, isLearner: this.#isLearner };
    const added = await administration.addMember(node, member);
    // Also when it failed: an earlier attempt may have been heard.
    const members = added.ok ? added : await administration.members(node);
    if (!members.ok || this.#recordIn(members.value) === undefined) {
      return added.ok ? err(notThere(this.#name)) : added;
    }
    return members;
  }

  #added(): MemberRecord | undefined {
    return this.#members === undefined ? undefined : this.#recordIn(this.#members);
  }

  /** The one at its URL; once the old one is removed, not that one, which a list may still have. */
  #recordIn(members: readonly MemberRecord[]): MemberRecord | undefined {
    return members.find(
      ({ id, peerUrls }) =>
        peerUrls.includes(this.#peerUrl) && !(this.#isRemoved && id === this.#oldId),
    );
  }

  #initialCluster(members: readonly MemberRecord[]): string {
    const { nodes } = this.#context.cluster;
    const nameAt = (url: string): string | undefined =>
      nodes.find(({ name }) => this.#control.peerUrl(name) === url)?.name;
    return members
      .filter(({ id }) => id !== this.#oldId)
      .flatMap(({ name, peerUrls }) => peerUrls.map((url) => `${nameAt(url) ?? name}=${url}`))
      .join();
  }

  #insist<Value>(
    what: string,
    ask: (node: ClusterNode) => Promise<Result<Value, ClientError>>,
    limitMs: number = CHANGE_MS,
  ): Promise<Value> {
    const nodes = nodesToAsk(this.#context, this.#name);
    return insist(this.#context, { what, nodes, limitMs }, ask);
  }
}

function notThere(name: string): ClientError {
  return { code: 2, message: `the answer does not hold ${name}`, definite: false };
}
