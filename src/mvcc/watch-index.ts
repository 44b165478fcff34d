/** Finds the watchers of a key: those of exactly this key by a hash, those of ranges by a tree. */
import type { KeySpan } from './key-span.ts';
import { SpanTree } from './watch-span-tree.ts';

export interface Watching {
  readonly span: KeySpan;
}

/** Watchers of the same span share a place, so a crowd on one prefix costs no more to find. */
export class WatchIndex<Watcher extends Watching> {
  readonly #points = new Map<string, Set<Watcher>>();
  readonly #intervals = new SpanTree<Set<Watcher>>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** A watcher that is not there yet. */
  add(watcher: Watcher): void {
    this.#size++;
    const { span } = watcher;
    const there = span.type === 'point' ? this.#points.get(span.name) : this.#intervals.get(span);
    if (there !== undefined) there.add(watcher);
    else if (span.type === 'point') this.#points.set(span.name, new Set([watcher]));
    else this.#intervals.insert(span, new Set([watcher]));
  }

  /** A watcher that is there. */
  delete(watcher: Watcher): void {
    this.#size--;
    const { span } = watcher;
    const there = span.type === 'point' ? this.#points.get(span.name) : this.#intervals.get(span);
    there?.delete(watcher);
    if (there === undefined || there.size > 0) return;
    if (span.type === 'point') this.#points.delete(span.name);
    else this.#intervals.remove(span);
  }

  /** Calls `visit` with all watchers of one span that contains `name`, span after span. */
  visit(name: string, visit: (watchers: ReadonlySet<Watcher>) => void): void {
    const there = this.#points.get(name);
    if (there !== undefined) visit(there);
    if (this.#intervals.size > 0) this.#intervals.visit(name, visit);
  }
}
