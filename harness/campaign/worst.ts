/** From the verdicts of cells to one exit status. */
import { EXIT_ENVIRONMENT, exitCodeOf } from '../exit-code.ts';
import type { CellVerdict } from './results.ts';

/** How many cells have which verdict; `missing`: no result yet. */
export type Counts = { [verdict in CellVerdict | 'missing']: number };

export function noCounts(): Counts {
  return { valid: 0, invalid: 0, unknown: 0, none: 0, missing: 0 };
}

/** Of a campaign: 1 one is invalid; 3 one has no verdict; 2 one is unknown; 0 all are valid. */
export function exitCodeOfCampaign(counts: Counts): number {
  if (counts.invalid > 0) return exitCodeOf('invalid');
  if (counts.none + counts.missing > 0) return EXIT_ENVIRONMENT;
  return exitCodeOf(counts.unknown > 0 ? 'unknown' : 'valid');
}

/** Of a merge: 1 one is invalid; 2 one is not known to be valid; 0 all are valid. */
export function exitCodeOfMerge(counts: Counts): number {
  if (counts.invalid > 0) return exitCodeOf('invalid');
  const doubts = counts.unknown + counts.none + counts.missing;
  return exitCodeOf(doubts > 0 ? 'unknown' : 'valid');
}

/** `12 cells: 10 valid, 1 invalid, 1 missing`. */
export function describeCounts(counts: Counts): string {
  const total = Object.values(counts).reduce((sum, count) => sum + count, 0);
  const words = Object.entries(counts)
    .filter(([, count]) => count > 0)
    .map(([verdict, count]) => `${count} ${verdict === 'none' ? 'without verdict' : verdict}`);
  return `${total} cells${words.length === 0 ? '' : ': '}${words.join(', ')}`;
}

/** The verdict that weighs more. */
export function worseVerdict(some: CellVerdict, other: CellVerdict): CellVerdict {
  return WEIGHTS[other] > WEIGHTS[some] ? other : some;
}

/** A run without a verdict says nothing against another that has one. */
const WEIGHTS: { readonly [verdict in CellVerdict]: number } = {
  none: 0,
  valid: 1,
  unknown: 2,
  invalid: 3,
};
