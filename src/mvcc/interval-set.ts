/** A union of key intervals: says of a name whether any of them covers it. */
import type { KeySpan } from './key-span.ts';

/** Adding costs a search and a move of the intervals behind; asking costs a search. */
export class IntervalSet {
  /** Disjoint and not touching, ascending; the end of `#starts[i]` is `#ends[i]`, exclusive. */
  readonly #starts: string[] = [];
  readonly #ends: (string | undefined)[] = [];

  /** An interval that ends where it starts, or before, covers nothing. */
  add(span: KeySpan): void {
    let from = span.type === 'point' ? span.name : span.from;
    let end = span.type === 'point' ? `${span.name}\0` : span.end;
    if (end !== undefined && end <= from) return;
    // Everything from `first` to before `next` overlaps or touches the new interval.
    let first = this.#countStartingAtOrBefore(from);
    if (first > 0 && !isBelow(this.#ends[first - 1], from)) first--;
    let next = first;
    while (next < this.#starts.length && !isBelow(end, this.#starts[next]!)) {
      if (this.#starts[next]! < from) from = this.#starts[next]!;
      const other = this.#ends[next];
      if (other === undefined || (end !== undefined && other > end)) end = other;
      next++;
    }
    this.#starts.splice(first, next - first, from);
    this.#ends.splice(first, next - first, end);
  }

  /** Adds all that `other` covers. */
  addAll(other: IntervalSet): void {
    other.#starts.forEach((from, at) => {
      this.add({ type: 'interval', from, end: other.#ends[at] });
    });
  }

  covers(name: string): boolean {
    const candidates = this.#countStartingAtOrBefore(name);
    if (candidates === 0) return false;
    const end = this.#ends[candidates - 1];
    return end === undefined || name < end;
  }

  #countStartingAtOrBefore(name: string): number {
    let low = 0;
    let high = this.#starts.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#starts[middle]! <= name) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** Whether an interval with this end stops short of `name`, leaving a gap. */
function isBelow(end: string | undefined, name: string): boolean {
  return end !== undefined && end < name;
}
