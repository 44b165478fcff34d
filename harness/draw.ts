/** Draws that the Random port does not offer itself; each takes its randomness from the caller. */
import { assert } from '../src/lib/assert.ts';
import type { Random } from '../src/ports/random.ts';

/** Uniform integer in [from, to]. */
export function drawBetween(random: Random, from: number, to: number): number {
  assert(from <= to, `empty range: ${from}..${to}`);
  return from + random.below(to - from + 1);
}

/** One item, uniformly; `items` is not empty. */
export function drawOne<Item>(random: Random, items: readonly Item[]): Item {
  return items[random.below(items.length)]!;
}

/** A new array in uniformly drawn order (Fisher–Yates). */
export function drawOrder<Item>(random: Random, items: readonly Item[]): Item[] {
  const order = [...items];
  for (let last = order.length - 1; last > 0; last--) {
    const other = random.below(last + 1);
    [order[last], order[other]] = [order[other]!, order[last]!];
  }
  return order;
}
