/** Verdicts by target and faults. */
import { DEFAULT_FAULT_KINDS, TOLERABLE_FAULT_KINDS } from '../nemesis/packages.ts';
import type { Progress } from '../progress.ts';
import type { Cell } from './cell.ts';
import type { CellResult } from './results.ts';
import { type Counts, noCounts } from './worst.ts';

/** A row: one target, one list of faults. */
export interface Tally {
  readonly target: string;
  readonly faults: string;
  readonly counts: Counts;
}

/** In the order of the cells. */
export function tally(cells: readonly Cell[], results: ReadonlyMap<string, CellResult>): Tally[] {
  const rows = new Map<string, Tally>();
  for (const { id, options } of cells) {
    const { target, faults } = options;
    const key = JSON.stringify([target, faults]);
    const row = rows.get(key) ?? { target, faults, counts: noCounts() };
    rows.set(key, row);
    row.counts[results.get(id)?.verdict ?? 'missing'] += 1;
  }
  return [...rows.values()];
}

const HEADER = ['target', 'faults', 'valid', 'invalid', 'unknown', 'no verdict', 'missing'];
/** The first columns are words, the rest numbers. */
const WORD_COLUMNS = 2;
const KINDS_SHOWN_MAX = 4;

/** Prints the table; answers the sums. */
export function printTable(progress: Progress, rows: readonly Tally[]): Counts {
  for (const line of tableLines(rows)) progress.print(line);
  const sums = noCounts();
  for (const { counts } of rows) {
    for (const verdict of Object.keys(sums) as (keyof Counts)[]) sums[verdict] += counts[verdict];
  }
  return sums;
}

export function tableLines(rows: readonly Tally[]): string[] {
  const cells = rows.map(({ target, faults, counts }) => {
    const { valid, invalid, unknown, none, missing } = counts;
    return [target, faultWords(faults), ...[valid, invalid, unknown, none, missing].map(String)];
  });
  const lines = [HEADER, ...cells];
  const widths = HEADER.map((_, at) => Math.max(...lines.map((line) => line[at]?.length ?? 0)));
  return lines.map((line) =>
    line
      .map((cell, at) => {
        const width = widths[at] ?? 0;
        return at < WORD_COLUMNS ? cell.padEnd(width) : cell.padStart(width);
      })
      .join('  '),
  );
}

function faultWords(faults: string): string {
  if (faults === DEFAULT_FAULT_KINDS.join(',')) return 'default';
  if (faults === TOLERABLE_FAULT_KINDS.join(',')) return 'all';
  const kinds = faults.split(',');
  const more = kinds.length - KINDS_SHOWN_MAX;
  const shown = kinds.slice(0, KINDS_SHOWN_MAX).join(' ');
  return more > 0 ? `${shown} and ${more} more` : shown;
}
