/** The report of one run: its sections, in a page. */
import type { ReportAssets } from './assets.ts';
import type { ChartData } from './chart-data.ts';
import { bandOf } from './fault-marks.ts';
import { clip, formatNs } from './format.ts';
import { type Html, html } from './html.ts';
import { type ReportInput, reportInput } from './report-input.ts';
import type { RunRecord } from './run-record.ts';
import type { ChartSection } from './sections/chart-figure.ts';
import { evidenceSection } from './sections/evidence.ts';
import { faultLegend, faultsSection } from './sections/faults.ts';
import { fsyncSection } from './sections/fsync.ts';
import { latencySection, quantilesSection } from './sections/latency.ts';
import { leadersSection } from './sections/leaders.ts';
import { planSection } from './sections/plan.ts';
import { throughputSection } from './sections/throughput.ts';
import { verdictSection } from './sections/verdict.ts';
import { pageShell } from './shell.ts';

/** Faults that can be zoomed to from the menu. */
const MENU_FAULTS_MAX = 200;

/** Pure: the same record and assets give the same text. */
export function renderReportPage(record: RunRecord, assets: ReportAssets): string {
  const input = reportInput(record);
  const charts = [
    latencySection(input),
    quantilesSection(input),
    throughputSection(input),
    leadersSection(input),
    fsyncSection(input),
  ];
  const evidence = evidenceSection(input);
  return pageShell({
    title: record.title,
    validity: record.validity,
    header: pageHeader(record, evidence !== false),
    main: html`${verdictSection(input)}
${evidence}
${timeSection(input, charts)}
${faultsSection(input)}
${planSection(input)}`,
    charts: chartData(input, charts),
    assets,
  });
}

function pageHeader(record: RunRecord, hasEvidence: boolean): Html {
  const storm = formatNs(record.stormEndNs);
  const whole = formatNs(record.endNs);
  return html`<header>
<h1>${record.title}</h1>
<p class="subtitle">Started ${record.startedAt}. Storm of ${storm}, ${whole} in all.</p>
<nav aria-label="Sections"><ul>
<li><a href="#verdict">Verdict</a></li>
${hasEvidence && html`<li><a href="#evidence">Counterexample</a></li>`}
<li><a href="#time">Over time</a></li>
<li><a href="#faults">Faults</a></li>
<li><a href="#plan">Plan and environment</a></li>
</ul></nav>
</header>`;
}

/** Charts below each other, and what is needed to find one's way in them. */
export function timeSection(input: ReportInput, charts: readonly ChartSection[]): Html {
  const options = input.marks.slice(0, MENU_FAULTS_MAX).map(({ fault, number }) => {
    const words = clip(`${number} ${fault.kind} (${fault.nodes.join(', ')})`, 80);
    return html`<option value="${number}">${words}</option>`;
  });
  return html`<section id="time" aria-labelledby="time-title">
<h2 id="time-title">Over time</h2>
<div class="tools" id="chart-tools" hidden>
<label for="span">Show</label>
<select id="span"><option value="">the whole run</option>${options}</select>
<button type="button" id="whole-run">Whole run</button>
<span class="quiet">Drag in a chart to zoom, double-click to undo. Dotted: the end of the
storm.</span>
</div>
${faultLegend(input)}
<noscript><p>The charts need scripts; the words below them and all tables do not.</p></noscript>
${charts.map((chart) => chart.markup)}
</section>`;
}

function chartData({ record, marks }: ReportInput, sections: readonly ChartSection[]): ChartData {
  return {
    endSeconds: Math.max(record.endNs, 1) / 1e9,
    stormEndSeconds: record.stormEndNs / 1e9,
    bands: marks.map(bandOf),
    charts: sections.flatMap((section) => section.charts),
  };
}
