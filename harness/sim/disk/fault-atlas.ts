import { assert } from '../../../src/lib/assert.ts';

/**
 * Keeps the faults that take durable state away within what Raft promises to survive, so that
 * every violation found under them is the server's.
 *
 * A destroyed copy means a member that does not come back. Its log no longer says what it has
 * acknowledged and whom it has voted for, and a member that has forgotten either is not the
 * same voter any more (Ongaro's thesis, section 3.8: it may not return under its old
 * identity). So it refuses to start on a damaged log and stays down, as if its machine had
 * burnt. Raft goes on while a majority is left: at most floor((n - 1) / 2) members may lose
 * their copy in the whole of a run, each once.
 *
 * A lying disk is worse, and none is within the promise, not even in one member of many. After
 * a power failure that member comes back, in good order as far as it can tell, without entries
 * and votes that it had acknowledged. In a cluster of three, a leader and a liar commit an
 * entry; the liar loses power; the liar and the third member, who never saw the entry, are a
 * majority: they elect a leader without it, and an acknowledged write is gone. Likewise a
 * forgotten vote is given twice, and one term has two leaders. Such runs show what the
 * checkers notice, not what the server promises: only an atlas that allows all has them.
 */
export class FaultAtlas {
  readonly #destroyableMax: number;
  readonly #allowsAll: boolean;
  readonly #destroyed = new Set<string>();

  /** `allowsAll`: the run wants to see promises broken. */
  constructor(memberCount: number, options: { readonly allowsAll: boolean }) {
    this.#destroyableMax = Math.floor((memberCount - 1) / 2);
    this.#allowsAll = options.allowsAll;
  }

  /** Members whose copy was destroyed, by name. */
  get destroyed(): ReadonlySet<string> {
    return this.#destroyed;
  }

  /** May this member's disk claim to keep what it does not? */
  get mayLie(): boolean {
    return this.#allowsAll;
  }

  mayDestroy(node: string): boolean {
    if (this.#allowsAll) return true;
    return !this.#destroyed.has(node) && this.#destroyed.size < this.#destroyableMax;
  }

  /** Only of a member that {@link mayDestroy} allowed. */
  noteDestroyed(node: string): void {
    assert(this.mayDestroy(node), `too many copies would be destroyed with that of ${node}`);
    this.#destroyed.add(node);
  }

  /** The member was replaced by a new one, which forgot nothing: its copy counts again. */
  noteWhole(node: string): void {
    this.#destroyed.delete(node);
  }
}
