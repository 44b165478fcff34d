/** Who led when, from what members said of themselves: several may claim it at once. */
import type { MemberTrace } from '../../sim/trace.ts';

export interface Leadership {
  readonly node: string;
  readonly term: number;
  readonly fromNs: number;
  /** Stepped down or died; infinite while it lasts. */
  toNs: number;
}

export class Leaderships {
  readonly #all: Leadership[] = [];
  readonly #open = new Map<string, Leadership>();

  get all(): readonly Leadership[] {
    return this.#all;
  }

  /** True if a leadership begins. */
  push({ node, atNs, state, role, term }: MemberTrace): boolean {
    const open = this.#open.get(node);
    const leads = state !== 'dead' && role === 'leader';
    if (open !== undefined && leads && open.term === term) return false;
    if (open !== undefined) {
      open.toNs = atNs;
      this.#open.delete(node);
    }
    if (!leads) return false;
    const begun: Leadership = { node, term, fromNs: atNs, toNs: Number.POSITIVE_INFINITY };
    this.#all.push(begun);
    this.#open.set(node, begun);
    return true;
  }
}
