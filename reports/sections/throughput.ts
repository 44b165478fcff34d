/** Completions per second, by outcome. */
import { type Chart, type Series, secondsOf, short } from '../chart-data.ts';
import { formatCount, formatInstant, formatNs } from '../format.ts';
import type { ReportInput } from '../report-input.ts';
import { OUTCOMES } from '../series/completions.ts';
import { ratesOverTime } from '../series/rates.ts';
import { windowStartNs } from '../series/time-windows.ts';
import { type ChartSection, chartSection } from './chart-figure.ts';

const ID = 'throughput';

const LOOKS = {
  ok: { widthPx: 2, dash: [] },
  fail: { widthPx: 1.5, dash: [6, 3] },
  info: { widthPx: 1.5, dash: [2, 2] },
} as const;

export function throughputSection({ completions, record }: ReportInput): ChartSection {
  const frame = { id: ID, title: 'Throughput' };
  if (completions.count === 0) {
    return chartSection({ ...frame, caption: 'No operation completed.' });
  }
  const { windows, perSecond } = ratesOverTime(completions, record.endNs);
  const oks = perSecond[0] ?? [];
  const best = Math.max(...oks);
  const bestAt = formatInstant(windowStartNs(windows, oks.indexOf(best)));
  const idle = oks.filter((rate) => rate === 0).length;
  const caption = `Operations completed per second, by outcome, in windows of
    ${formatNs(windows.lengthNs)}. The best window had ${formatCount(best)} ok per second, at
    ${bestAt}; ${formatCount(idle)} of ${formatCount(oks.length)} windows had none.`;
  const series = OUTCOMES.map(
    (outcome, at): Series => ({
      label: outcome,
      colour: outcome,
      look: { type: 'steps', ...LOOKS[outcome] },
      values: (perSecond[at] ?? []).map(short),
    }),
  );
  const seconds = oks.map((_, at) => secondsOf(windowStartNs(windows, at)));
  const chart: Chart = { id: ID, scale: 'linear', unit: '/s', seconds, series };
  return chartSection({ ...frame, caption, chart });
}
