/** Items in order of time, to which later ones may be added: found by binary search. */
import { assert } from '../../../src/lib/assert.ts';

export class TimedList<Item> {
  readonly #items: Item[] = [];
  readonly #timesNs: number[] = [];

  get items(): readonly Item[] {
    return this.#items;
  }

  /** Not earlier than anything added before. */
  push(atNs: number, item: Item): void {
    assert(atNs >= (this.#timesNs.at(-1) ?? atNs), 'timed list: times must not go back');
    this.#items.push(item);
    this.#timesNs.push(atNs);
  }

  /** How many are at `atNs` or before it. */
  countUpTo(atNs: number): number {
    let low = 0;
    let high = this.#timesNs.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#timesNs[middle]! <= atNs) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** The newest at `atNs` or before it. */
  lastUpTo(atNs: number): Item | undefined {
    return this.#items[this.countUpTo(atNs) - 1];
  }

  /** The newest of them, oldest first. */
  someUpTo(atNs: number, countMax: number): readonly Item[] {
    const end = this.countUpTo(atNs);
    return this.#items.slice(Math.max(0, end - countMax), end);
  }

  /** Those after `fromNs` and up to `toNs`. */
  between(fromNs: number, toNs: number): readonly Item[] {
    return this.#items.slice(this.countUpTo(fromNs), this.countUpTo(toNs));
  }

  timeAfter(atNs: number): number | undefined {
    return this.#timesNs[this.countUpTo(atNs)];
  }

  timeBefore(atNs: number): number | undefined {
    let at = this.countUpTo(atNs) - 1;
    while (at >= 0 && this.#timesNs[at] === atNs) at--;
    return this.#timesNs[at];
  }
}
