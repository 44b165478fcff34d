/** One plan on several targets, side by side. */
import type { ReportAssets } from '../assets.ts';
import type { Chart } from '../chart-data.ts';
import { bandOf } from '../fault-marks.ts';
import { formatNs } from '../format.ts';
import { type Html, html } from '../html.ts';
import { timeSection } from '../page.ts';
import type { ChartSection } from '../sections/chart-figure.ts';
import { latencySection } from '../sections/latency.ts';
import { commandList, validityMark } from '../sections/verdict.ts';
import { pageShell } from '../shell.ts';
import { type Comparison, type Side, sideOf } from './comparison.ts';
import { environmentTables, faultsTable, figuresTable } from './tables.ts';

/** Pure: the same comparison and assets give the same text. There is at least one run in it. */
export function renderComparisonPage(comparison: Comparison, assets: ReportAssets): string {
  const { title, validity, runs } = comparison;
  const sides = runs.map(sideOf);
  const charts = sides.map((side, at) => latencyOf(side, at));
  const extent = extentOf(charts);
  const records = runs.map(({ record }) => record);
  return pageShell({
    title,
    validity,
    header: pageHeader(comparison, sides),
    main: html`<section id="verdict" aria-labelledby="verdict-title">
<div class="verdict ${validity}">
<h2 id="verdict-title">${validityMark(validity)} ${validity}</h2>
<div class="verdict-words"><p class="lead">${verdictWords(sides)}</p></div>
</div>
${figuresTable(sides)}
${commandList(comparison)}
</section>
${timeSection(sides[0]!.input, charts)}
<section id="faults" aria-labelledby="faults-title">
<h2 id="faults-title">Faults</h2>
${faultsTable(sides)}
</section>
<section id="plan" aria-labelledby="plan-title">
<h2 id="plan-title">Environment</h2>
${environmentTables(sides)}
</section>`,
    charts: {
      endSeconds: Math.max(1, ...records.map(({ endNs }) => endNs)) / 1e9,
      stormEndSeconds: Math.max(...records.map(({ stormEndNs }) => stormEndNs)) / 1e9,
      bands: sides[0]!.input.marks.map(bandOf),
      charts: charts.flatMap((section) => section.charts.map((chart) => ({ ...chart, ...extent }))),
    },
    assets,
  });
}

/** With the faults as they were measured in this run. */
function latencyOf({ name, input }: Side, at: number): ChartSection {
  const { markup, charts } = latencySection(input, {
    id: `latency-${at + 1}`,
    title: `Latency of each operation: ${name}`,
  });
  const bands = input.marks.map(bandOf);
  const stormEndSeconds = input.record.stormEndNs / 1e9;
  return { markup, charts: charts.map((chart) => ({ ...chart, bands, stormEndSeconds })) };
}

/** Whole decades, the same for all: what is as high is as long. */
function extentOf(sections: readonly ChartSection[]): Pick<Chart, 'extent'> {
  let [least, most] = [Number.POSITIVE_INFINITY, 0];
  for (const { charts } of sections) {
    for (const value of charts.flatMap(({ series }) => series.flatMap(({ values }) => values))) {
      if (value === null) continue;
      least = Math.min(least, value);
      most = Math.max(most, value);
    }
  }
  if (!(least > 0 && most >= least)) return {};
  const decade = (value: number, round: (exponent: number) => number): number =>
    10 ** round(Math.log10(value));
  return { extent: [decade(least, Math.floor), decade(most * 1.01, Math.ceil)] };
}

function verdictWords(sides: readonly Side[]): string {
  return `${sides.map(({ name, input }) => `${name} is ${input.record.validity}`).join(', ')}.`;
}

function pageHeader({ title }: Comparison, sides: readonly Side[]): Html {
  const [first] = sides;
  const storm = formatNs(first!.input.record.stormEndNs);
  return html`<header>
<h1>${title}</h1>
<p class="subtitle">Started ${first!.input.record.startedAt}. The same plan of ${storm} on each, one
after the other.</p>
<nav aria-label="Sections"><ul>
<li><a href="#verdict">Figures</a></li>
<li><a href="#time">Over time</a></li>
<li><a href="#faults">Faults</a></li>
<li><a href="#plan">Environment</a></li>
${sides.map(({ name, href }) => html`<li><a href="${href}">Report of ${name}</a></li>`)}
</ul></nav>
</header>`;
}
