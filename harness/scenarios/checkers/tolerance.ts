/** How many members may be lost: what was found against what a majority needs. */
import type { CheckResult } from '../../../checkers/checker.ts';

const NAME = 'tolerance';

/** A cluster of `size` members, and how it took the loss of `lost` of them. */
export interface Loss {
  readonly size: number;
  readonly lost: number;
  readonly goesOn: boolean;
}

/** Members that a cluster of `size` can lose: the rest must be more than half. */
export function tolerated(size: number): number {
  return Math.ceil(size / 2) - 1;
}

export function judgeTolerance(losses: readonly Loss[]): CheckResult {
  const details = { observations: losses.length };
  if (losses.length === 0) {
    return { name: NAME, validity: 'unknown', summary: 'no member was lost', details };
  }
  const wrong = losses.filter(({ size, lost, goesOn }) => goesOn !== lost <= tolerated(size));
  if (wrong.length > 0) {
    const summary = wrong.map(describe).join('; ');
    return { name: NAME, validity: 'invalid', summary, details };
  }
  const borne = losses.filter(({ goesOn }) => goesOn);
  const sizes = [...new Set(losses.map(({ size }) => size))];
  const table = sizes.map((size) => {
    const counts = borne.filter((loss) => loss.size === size).map(({ lost }) => lost);
    return `${size}: ${Math.max(0, ...counts)}`;
  });
  const summary = `losses borne by clusters of each size: ${table.join(', ')}`;
  return { name: NAME, validity: 'valid', summary, details };
}

function describe({ size, lost, goesOn }: Loss): string {
  return `${size} members ${goesOn ? 'go on' : 'stop'} without ${lost}`;
}
