import type { RowId } from './revision-chunk.ts';

/** Rows sorted at once; a few thousand comparisons. */
const RUN_ROWS = 1024;

/**
 * Sorts as many rows as there are without ever doing it at one go: runs are sorted while rows
 * are added, and merged while rows are taken. Equal rows come in the order they were added.
 */
export class SortedRuns {
  readonly #compare: (a: RowId, b: RowId) => number;
  readonly #ties: 'firstFirst' | 'lastFirst';
  readonly #runs: Run[] = [];
  #open: RowId[] = [];
  /** Runs that are not used up, as a heap: no run's next row comes before its parent's. */
  #heap: Run[] | undefined;

  /** `lastFirst`: equal rows come in the opposite order. */
  constructor(
    compare: (a: RowId, b: RowId) => number,
    ties: 'firstFirst' | 'lastFirst' = 'firstFirst',
  ) {
    this.#compare = compare;
    this.#ties = ties;
  }

  /** Not after the first `next`. */
  add(row: RowId): void {
    this.#open.push(row);
    if (this.#open.length === RUN_ROWS) this.#close();
  }

  /** The least row that was not given yet. */
  next(): RowId | undefined {
    const heap = this.#heap ?? this.#startMerge();
    const run = heap[0];
    if (run === undefined) return undefined;
    const row = run.rows[run.at++]!;
    if (run.at === run.rows.length) {
      const last = heap.pop()!;
      if (last === run) return row;
      heap[0] = last;
    }
    this.#sink(heap, 0);
    return row;
  }

  #close(): void {
    if (this.#open.length === 0) return;
    const rows = this.#ties === 'firstFirst' ? this.#open : this.#open.reverse();
    this.#runs.push({ number: this.#runs.length, rows: rows.sort(this.#compare), at: 0 });
    this.#open = [];
  }

  #startMerge(): Run[] {
    this.#close();
    const heap = [...this.#runs];
    for (let at = heap.length >> 1; at >= 0; at--) this.#sink(heap, at);
    this.#heap = heap;
    return heap;
  }

  #sink(heap: Run[], from: number): void {
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

  #isBefore(a: Run, b: Run): boolean {
    const order = this.#compare(a.rows[a.at]!, b.rows[b.at]!);
    if (order !== 0) return order < 0;
    return this.#ties === 'firstFirst' ? a.number < b.number : a.number > b.number;
  }
}

interface Run {
  readonly number: number;
  readonly rows: readonly RowId[];
  /** The next one. */
  at: number;
}
