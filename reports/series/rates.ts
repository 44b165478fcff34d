/** Latency quantiles and throughput over time. */
import { type Completions, latencyNs, OK, OUTCOMES } from './completions.ts';
import { latencyHistogram, recordNs } from './latency-histogram.ts';
import {
  cutIntoWindows,
  type TimeWindows,
  windowAt,
  windowEndNs,
  windowStartNs,
} from './time-windows.ts';

const QUANTILE_WINDOWS_MAX = 120;
const RATE_WINDOWS_MAX = 600;

/** Of one window; undefined where no operation that began in it ended `ok`. */
export type Quantiles =
  | {
      readonly p50Ns: number;
      readonly p95Ns: number;
      readonly p99Ns: number;
      readonly maxNs: number;
    }
  | undefined;

export interface QuantilesOverTime {
  readonly windows: TimeWindows;
  readonly quantiles: readonly Quantiles[];
}

/** Of `ok` operations, by the time of their invocation. */
export function quantilesOverTime(completions: Completions, endNs: number): QuantilesOverTime {
  const windows = cutIntoWindows(endNs, QUANTILE_WINDOWS_MAX);
  const rows = okRowsByWindow(completions, windows);
  const histogram = latencyHistogram();
  const quantiles = rows.map((inWindow): Quantiles => {
    if (inWindow.length === 0) return undefined;
    histogram.reset();
    let maxNs = 0;
    for (const row of inWindow) {
      const ns = latencyNs(completions, row);
      recordNs(histogram, ns);
      maxNs = Math.max(maxNs, ns);
    }
    return {
      p50Ns: histogram.getValueAtPercentile(50),
      p95Ns: histogram.getValueAtPercentile(95),
      p99Ns: histogram.getValueAtPercentile(99),
      maxNs,
    };
  });
  return { windows, quantiles };
}

function okRowsByWindow(completions: Completions, windows: TimeWindows): readonly number[][] {
  const rows = Array.from({ length: windows.count }, (): number[] => []);
  for (let row = 0; row < completions.count; row++) {
    if (completions.outcomes[row] !== OK) continue;
    rows[windowAt(windows, completions.invokedNs[row]!)]!.push(row);
  }
  return rows;
}

export interface RatesOverTime {
  readonly windows: TimeWindows;
  /** Completions per second, by outcome in the order of `OUTCOMES`, then by window. */
  readonly perSecond: readonly (readonly number[])[];
}

/** By the time of completion. */
export function ratesOverTime(completions: Completions, endNs: number): RatesOverTime {
  const windows = cutIntoWindows(endNs, RATE_WINDOWS_MAX);
  const counts = OUTCOMES.map(() => new Float64Array(windows.count));
  for (let row = 0; row < completions.count; row++) {
    counts[completions.outcomes[row]!]![windowAt(windows, completions.completedNs[row]!)]!++;
  }
  const perSecond = counts.map((column) =>
    Array.from(column, (count, at) => {
      return count / ((windowEndNs(windows, at) - windowStartNs(windows, at)) / 1e9);
    }),
  );
  return { windows, perSecond };
}
