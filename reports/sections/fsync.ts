/** WAL fsync latency of each member over time. */
import { type Chart, type Series, secondsOf, short } from '../chart-data.ts';
import { formatCount, formatMs, formatNs } from '../format.ts';
import type { ReportInput } from '../report-input.ts';
import { type FsyncsOverTime, fsyncsOverTime } from '../series/fsyncs.ts';
import { windowMiddleNs } from '../series/time-windows.ts';
import { type ChartSection, chartSection } from './chart-figure.ts';
import { table } from './table.ts';

const ID = 'fsync';

/** Colours `--member-0` and up in the style sheet. */
const COLOURS = 7;
const DASHES: readonly (readonly number[])[] = [[], [8, 4], [2, 3], [12, 3, 2, 3]];

/** Smallest value on the logarithmic axis: a bucket bound of 0 means faster than any bucket. */
const LEAST_MS = 0.001;

const ROWS_MAX = 50;

export function fsyncSection({ record }: ReportInput): ChartSection {
  const fsyncs = fsyncsOverTime(record.members, record.endNs);
  const frame = { id: ID, title: 'WAL fsync latency' };
  if (fsyncs.members.length === 0) {
    return chartSection({ ...frame, caption: 'No member reported fsyncs.' });
  }
  const worst = fsyncs.members.reduce((a, b) => (b.worstP99Ms > a.worstP99Ms ? b : a));
  return chartSection({
    ...frame,
    caption: `The 99th percentile of each member's fsyncs of its WAL, as the upper bound of the
      bucket of its own histogram: the worst sample in windows of
      ${formatNs(fsyncs.windows.lengthNs)}. The worst of all was ${formatMs(worst.worstP99Ms)},
      at ${worst.node}.`,
    chart: fsyncChart(fsyncs),
    more: table({
      caption: 'WAL fsyncs of each member.',
      columns: ['Member', 'Fsyncs', 'Mean', 'Worst p99'],
      rows: fsyncs.members.map(({ node, count, meanMs, worstP99Ms }) => [
        node,
        formatCount(count),
        formatMs(meanMs),
        formatMs(worstP99Ms),
      ]),
      rowsMax: ROWS_MAX,
    }),
  });
}

function fsyncChart({ windows, members }: FsyncsOverTime): Chart {
  const seconds = Array.from({ length: windows.count }, (_, at) =>
    secondsOf(windowMiddleNs(windows, at)),
  );
  const series = members.map(
    ({ node, p99Ms }, at): Series => ({
      label: node,
      colour: `member-${at % COLOURS}`,
      look: { type: 'line', widthPx: 2, dash: DASHES[at % DASHES.length]! },
      values: p99Ms.map((ms) => (ms === null ? null : short(Math.max(LEAST_MS, ms)))),
    }),
  );
  return { id: ID, scale: 'log', unit: 'ms', seconds, series };
}
