import { assert } from '../lib/assert.ts';
import type { MemberId } from '../lib/ids.ts';
import type { MemberAttributes } from '../wire/internal-request.ts';
import type { MemberInfo } from './node.ts';

/**
 * Who is in the cluster, as the applied log says: ids and peer URLs come from configuration
 * changes, names and client URLs from what each member published after it started.
 */
export class Membership {
  readonly #members = new Map<MemberId, MemberInfo>();
  readonly #removed = new Set<MemberId>();
  readonly #removedMax: number;

  constructor(removedMax: number) {
    this.#removedMax = removedMax;
  }

  static restore(
    from: { readonly members: readonly MemberInfo[]; readonly removed: readonly MemberId[] },
    removedMax: number,
  ): Membership {
    const membership = new Membership(removedMax);
    for (const member of from.members) membership.#members.set(member.id, member);
    for (const id of from.removed) membership.#removed.add(id);
    return membership;
  }

  /** In the order of their ids, as etcd lists them. */
  list(): readonly MemberInfo[] {
    return [...this.#members.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
  }

  removed(): readonly MemberId[] {
    return [...this.#removed];
  }

  isRemoved(id: MemberId): boolean {
    return this.#removed.has(id);
  }

  get(id: MemberId): MemberInfo | undefined {
    return this.#members.get(id);
  }

  /** A member that was removed never comes back under the same id. */
  add(member: MemberInfo): void {
    assert(!this.#removed.has(member.id), 'a removed member id is never added again');
    this.#members.set(member.id, { ...this.#members.get(member.id), ...member });
  }

  /** A learner that may vote from now on. */
  promote(id: MemberId): void {
    const member = this.#members.get(id);
    if (member !== undefined) this.#members.set(id, { ...member, isLearner: false });
  }

  updatePeerUrls(id: MemberId, peerUrls: readonly string[]): void {
    const member = this.#members.get(id);
    if (member !== undefined) this.#members.set(id, { ...member, peerUrls });
  }

  remove(id: MemberId): void {
    this.#members.delete(id);
    this.#removed.add(id);
    for (const oldest of this.#removed) {
      if (this.#removed.size <= this.#removedMax) break;
      this.#removed.delete(oldest);
    }
  }

  setAttributes(attributes: MemberAttributes): void {
    const member = this.#members.get(attributes.memberId);
    // A member may be removed between publishing and applying: then there is nothing to name.
    if (member === undefined) return;
    const { name, clientUrls } = attributes;
    this.#members.set(member.id, { ...member, name, clientUrls });
  }
}
