import type { RowId } from './revision-chunk.ts';

/** Rows sorted at once; a few thousand comparisons. */
const RUN_ROWS = 512;

export interface RowOrder<Item> {
  /** What is compared, and given. */
  readonly read: (row: RowId) => Item;
  readonly compare: (a: Item, b: Item) => number;
  /** `lastFirst`: equal rows come in the opposite order of that in which they were added. */
  readonly ties: 'firstFirst' | 'lastFirst';
}

/**
 * Sorts as many rows as there are without ever doing it at one go: runs are sorted while rows
 * are added, and merged while rows are taken. Rows are held as numbers, but for the next of each
 * run: reading a row costs more than comparing two.
 */
export class SortedRuns<Item> {
  readonly #order: RowOrder<Item>;
  readonly #runs: Run<Item>[] = [];
  #open: RowId[] = [];
  /** Runs that are not used up, as a heap: no run's next row comes before its parent's. */
  #heap: Run<Item>[] | undefined;

  constructor(order: RowOrder<Item>) {
    this.#order = order;
  }

  /** Not after the first `next`. */
  add(row: RowId): void {
    this.#open.push(row);
    if (this.#open.length === RUN_ROWS) this.#close();
  }

  /** The least row that was not given yet. */
  next(): Item | undefined {
    const heap = this.#heap ?? this.#startMerge();
    const run = heap[0];
    if (run === undefined) return undefined;
    const { next } = run;
    run.at++;
    if (run.at < run.rows.length) run.next = this.#order.read(run.rows[run.at]!);
    else {
      const last = heap.pop()!;
      if (last === run) return next;
      heap[0] = last;
    }
    this.#sink(heap, 0);
    return next;
  }

  /** All rows come again; what was sorted stays so. */
  rewind(): void {
    this.#heap = undefined;
  }

  #close(): void {
    if (this.#open.length === 0) return;
    const { read, compare, ties } = this.#order;
    const rows = ties === 'firstFirst' ? this.#open : this.#open.reverse();
    const items = rows.map((row) => ({ row, item: read(row) }));
    const sorted = items.sort((a, b) => compare(a.item, b.item));
    const number = this.#runs.length;
    this.#runs.push({ number, rows: sorted.map(({ row }) => row), at: 0, next: sorted[0]!.item });
    this.#open = [];
  }

  #startMerge(): Run<Item>[] {
    this.#close();
    const heap = [...this.#runs];
    for (const run of heap) {
      run.at = 0;
      run.next = this.#order.read(run.rows[0]!);
    }
    for (let at = heap.length >> 1; at >= 0; at--) this.#sink(heap, at);
    this.#heap = heap;
    return heap;
  }

  #sink(heap: Run<Item>[], from: number): void {
    for (let at = from; ; ) {
      let least = at;
      for (const child of [2 * at + 1, 2 * at + 2]) {
        if (child < heap.length && this.#isBefore(heap[child]!, heap[least]!)) least = child;
      }
      if (least === at) return;
      [heap[at], heap[least]] = [heap[least]!, heap[at]!];
      at = least;
    }
  }

  #isBefore(a: Run<Item>, b: Run<Item>): boolean {
    const { compare, ties } = this.#order;
    const order = compare(a.next, b.next);
    if (order !== 0) return order < 0;
    return ties === 'firstFirst' ? a.number < b.number : a.number > b.number;
  }
}

interface Run<Item> {
  readonly number: number;
  readonly rows: readonly RowId[];
  /** Position of the next one. */
  at: number;
  next: Item;
}
