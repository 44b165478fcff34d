import TinyQueue from 'tinyqueue';
import { assert } from '../lib/assert.ts';

/**
 * Items by the tick at which something is due. An item whose time moves later stays where it is
 * and is put back when its old time comes; one that is gone is dropped then. So a renewal costs
 * nothing here, and each item is queued at most once. Its time must never move earlier.
 */
export class DueQueue<Item> {
  readonly #rule: DueRule<Item>;
  #heap: TinyQueue<Queued<Item>>;

  constructor(rule: DueRule<Item>, items: readonly Item[] = []) {
    this.#rule = rule;
    this.#heap = new TinyQueue(
      items.map((item) => ({ tick: rule.dueTick(item), item })),
      byTick,
    );
  }

  /** Items that are gone count until their time comes. */
  get length(): number {
    return this.#heap.length;
  }

  add(item: Item): void {
    this.#heap.push({ tick: this.#rule.dueTick(item), item });
  }

  /**
   * Removes and returns up to `max` items that are due. Looks at a bounded number of others, so
   * that a crowd of postponed ones stalls nobody: what is left comes with the next call.
   */
  take(nowTick: number, max: number): Item[] {
    const due: Item[] = [];
    let looks = max + POSTPONED_LOOKS;
    while (due.length < max && looks > 0) {
      const first = this.#heap.peek();
      if (first === undefined || first.tick > nowTick) break;
      looks--;
      this.#heap.pop();
      const { item } = first;
      if (this.#rule.isGone(item)) continue;
      const tick = this.#rule.dueTick(item);
      assert(tick >= first.tick, 'due-queue: a time moved earlier');
      if (tick > nowTick) this.#heap.push({ tick, item });
      else due.push(item);
    }
    return due;
  }

  /** Called when items go: the gone are swept out once they outnumber the `live` ones. */
  sweep(live: number): void {
    if (this.#heap.length <= 2 * live + GONE_KEPT) return;
    this.#heap = new TinyQueue(
      this.#heap.data.filter(({ item }) => !this.#rule.isGone(item)),
      byTick,
    );
  }
}

export interface DueRule<Item> {
  readonly dueTick: (item: Item) => number;
  readonly isGone: (item: Item) => boolean;
}

interface Queued<Item> {
  readonly tick: number;
  readonly item: Item;
}

/** Postponed or gone items passed over in one call: about a millisecond of work. */
const POSTPONED_LOOKS = 2_000;
/** Gone items that are not worth a sweep. */
const GONE_KEPT = 1_024;

function byTick(a: Queued<unknown>, b: Queued<unknown>): number {
  return a.tick - b.tick;
}
