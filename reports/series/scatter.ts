/** Thins the cloud of latencies to what a page can hold, without hiding its extremes. */
import { type Completions, latencyNs, OUTCOMES } from './completions.ts';

/** Points in the page; of more, every cell of time and outcome keeps its fair share. */
export const SCATTER_POINTS_MAX = 24_000;

/** Slices of the run that points are thinned in. */
const SLICES = 500;
const POINTS_PER_CELL_MAX = Math.floor(SCATTER_POINTS_MAX / SLICES / OUTCOMES.length);

export interface Scatter {
  /** Rows of the completions, in the order of invocation. */
  readonly rows: readonly number[];
  /** Whether rows were left out. */
  readonly thinned: boolean;
}

/**
 * All rows if they fit. Otherwise the run is cut into slices, and of each slice and outcome stay
 * the fastest, the slowest and evenly many of those between.
 */
export function thinScatter(completions: Completions, endNs: number): Scatter {
  const { count, invokedNs } = completions;
  const all = Array.from({ length: count }, (_, row) => row);
  const thinned = count > SCATTER_POINTS_MAX;
  const rows = thinned ? keepFairShares(completions, endNs) : all;
  return { rows: rows.sort((a, b) => invokedNs[a]! - invokedNs[b]! || a - b), thinned };
}

interface Cell {
  count: number;
  seen: number;
  fastest: number;
  slowest: number;
}

function keepFairShares(completions: Completions, endNs: number): number[] {
  const { count, outcomes, invokedNs } = completions;
  const cells = Array.from(
    { length: SLICES * OUTCOMES.length },
    (): Cell => ({ count: 0, seen: 0, fastest: -1, slowest: -1 }),
  );
  const cellOf = (row: number): Cell => {
    const slice = Math.floor((invokedNs[row]! / Math.max(1, endNs)) * SLICES);
    const column = Math.min(SLICES - 1, Math.max(0, slice));
    return cells[column * OUTCOMES.length + outcomes[row]!]!;
  };
  for (let row = 0; row < count; row++) measure(cellOf(row), row, completions);
  const kept: number[] = [];
  for (let row = 0; row < count; row++) {
    if (isKept(cellOf(row), row)) kept.push(row);
  }
  return kept;
}

function measure(cell: Cell, row: number, completions: Completions): void {
  cell.count++;
  const ns = latencyNs(completions, row);
  if (cell.fastest < 0 || ns < latencyNs(completions, cell.fastest)) cell.fastest = row;
  if (cell.slowest < 0 || ns > latencyNs(completions, cell.slowest)) cell.slowest = row;
}

function isKept(cell: Cell, row: number): boolean {
  const stride = Math.ceil(cell.count / (POINTS_PER_CELL_MAX - 2));
  const isStep = cell.seen % stride === 0;
  cell.seen++;
  return isStep || row === cell.fastest || row === cell.slowest;
}
