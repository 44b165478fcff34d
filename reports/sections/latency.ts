/** Latency of every operation over time, and its quantiles. */
import { type Chart, type Series, secondsOf, short } from '../chart-data.ts';
import { formatCount, formatInstant, formatMany, formatNs } from '../format.ts';
import { html } from '../html.ts';
import type { ReportInput } from '../report-input.ts';
import { latencyNs, OUTCOMES } from '../series/completions.ts';
import { type Quantiles, quantilesOverTime } from '../series/rates.ts';
import { SCATTER_POINTS_MAX, type Scatter, thinScatter } from '../series/scatter.ts';
import { windowMiddleNs } from '../series/time-windows.ts';
import { type ChartSection, chartSection } from './chart-figure.ts';

const SCATTER = { id: 'latency', title: 'Latency of each operation' } as const;
const QUANTILES_ID = 'quantiles';

const SHAPES = {
  ok: { shape: 'circle', sign: '●' },
  fail: { shape: 'triangle', sign: '▲' },
  info: { shape: 'square', sign: '■' },
} as const;

/** Where one page has several of them, each has its own id. */
export function latencySection(
  input: ReportInput,
  { id, title }: { readonly id: string; readonly title: string } = SCATTER,
): ChartSection {
  const { completions, record } = input;
  const scatter = thinScatter(completions, record.endNs);
  const frame = { id, title };
  if (completions.count === 0) {
    return chartSection({ ...frame, caption: 'No operation completed.' });
  }
  return chartSection({
    ...frame,
    caption: `Each point is an operation: across, when it was invoked; up, how long it took until
      it ended ok, failed for certain (fail) or ended with nobody knowing (info).
      ${slowestWords(input)} ${thinnedWords(input, scatter)}`,
    chart: scatterChart(id, input, scatter),
  });
}

function slowestWords({ completions }: ReportInput): string {
  let slowest = 0;
  for (let row = 1; row < completions.count; row++) {
    if (latencyNs(completions, row) > latencyNs(completions, slowest)) slowest = row;
  }
  const outcome = OUTCOMES[completions.outcomes[slowest]!];
  const length = formatNs(latencyNs(completions, slowest));
  const invoked = formatInstant(completions.invokedNs[slowest]!);
  return `The slowest took ${length}, invoked at ${invoked}, and ended ${outcome}.`;
}

function thinnedWords({ completions }: ReportInput, { rows, thinned }: Scatter): string {
  if (!thinned) return `All ${formatMany(completions.count, 'operation')} are drawn.`;
  return `Of ${formatCount(completions.count)} operations ${formatCount(rows.length)} are drawn
    (at most ${formatCount(SCATTER_POINTS_MAX)}): for every short span of time the fastest and the
    slowest of each outcome, and evenly many between.`;
}

function scatterChart(id: string, { completions }: ReportInput, { rows }: Scatter): Chart {
  return {
    id,
    scale: 'log',
    unit: 'ms',
    seconds: rows.map((row) => secondsOf(completions.invokedNs[row]!)),
    series: OUTCOMES.map((outcome, at) => ({
      label: `${SHAPES[outcome].sign} ${outcome}`,
      colour: outcome,
      look: { type: 'points', shape: SHAPES[outcome].shape },
      values: rows.map((row) =>
        completions.outcomes[row] === at ? short(latencyNs(completions, row) / 1e6) : null,
      ),
    })),
  };
}

const LINES = [
  { label: 'max', colour: 'q-max', of: 'maxNs', widthPx: 1, dash: [2, 3] },
  { label: 'p99', colour: 'q-99', of: 'p99Ns', widthPx: 2, dash: [] },
  { label: 'p95', colour: 'q-95', of: 'p95Ns', widthPx: 2, dash: [8, 4] },
  { label: 'p50', colour: 'q-50', of: 'p50Ns', widthPx: 2.5, dash: [] },
] as const;

export function quantilesSection({ completions, record }: ReportInput): ChartSection {
  const { windows, quantiles } = quantilesOverTime(completions, record.endNs);
  const worst = worstWindow(quantiles);
  const frame = { id: QUANTILES_ID, title: 'Latency quantiles' };
  if (worst === undefined) {
    return chartSection({ ...frame, caption: 'No operation ended ok.' });
  }
  const lengthWords = formatNs(windows.lengthNs);
  const worstAt = formatInstant(windowMiddleNs(windows, worst.at));
  const caption = html`Half of the operations were faster than p50, 95 of 100 faster than p95, 99 of
    100 faster than p99: of those that ended ok, by when they were invoked, in windows of
    ${lengthWords}. The worst p99 was ${formatNs(worst.p99Ns)}, around ${worstAt}.`;
  const series = LINES.map(
    ({ label, colour, of, widthPx, dash }): Series => ({
      label,
      colour,
      look: { type: 'line', widthPx, dash },
      values: quantiles.map((each) => (each === undefined ? null : short(each[of] / 1e6))),
    }),
  );
  const seconds = quantiles.map((_, at) => secondsOf(windowMiddleNs(windows, at)));
  const chart: Chart = { id: QUANTILES_ID, scale: 'log', unit: 'ms', seconds, series };
  return chartSection({ ...frame, caption, chart });
}

function worstWindow(
  quantiles: readonly Quantiles[],
): { readonly at: number; readonly p99Ns: number } | undefined {
  let worst: { readonly at: number; readonly p99Ns: number } | undefined;
  for (const [at, each] of quantiles.entries()) {
    if (each !== undefined && (worst === undefined || each.p99Ns > worst.p99Ns)) {
      worst = { at, p99Ns: each.p99Ns };
    }
  }
  return worst;
}
