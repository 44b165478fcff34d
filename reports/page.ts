/**
 * The page around the sections. It must work from a file and without a network: its policy
 * forbids everything that is not in the file itself.
 */
import type { ReportAssets } from './assets.ts';
import { CHART_FUNCTIONS } from './browser/charts.ts';
import { COPY_BUTTON_FUNCTIONS } from './browser/copy-buttons.ts';
import type { ChartData } from './chart-data.ts';
import { ARROW_MARKER } from './evidence/timeline-svg.ts';
import { bandOf } from './fault-marks.ts';
import { clip, formatNs } from './format.ts';
import { type Html, html, jsonScript, trusted } from './html.ts';
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
import { signOf, verdictSection } from './sections/verdict.ts';
import { STYLE } from './style.ts';

const POLICY = [
  "default-src 'none'",
  "style-src 'unsafe-inline'",
  "script-src 'unsafe-inline'",
  'img-src data:',
  "base-uri 'none'",
  "form-action 'none'",
].join('; ');

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
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${signOf(record.validity)} ${record.validity}: ${record.title}</title>
<link rel="icon" href="${iconUrl(record)}">
<style>${trusted(assets.chartStyle)}
${trusted(STYLE)}</style>
</head>
<body>
<a class="skip" href="#verdict">Skip to the verdict</a>
${pageHeader(record, evidence !== false)}
<main>
${verdictSection(input)}
${evidence}
${timeSection(input, charts)}
${faultsSection(input)}
${planSection(input)}
</main>
<footer>Written by <code>storm</code>. This file holds everything it shows and asks the network
for nothing.</footer>
<div id="status" class="unseen" role="status"></div>
<span id="colour-probe" hidden></span>
<svg width="0" height="0" class="unseen" aria-hidden="true"><defs><pattern id="hatch" width="6"
height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><path d="M0 0V6"/></pattern>
${ARROW_MARKER}</defs></svg>
${jsonScript('chart-data', chartData(input, charts))}
<script>${trusted(assets.chartScript)}</script>
<script>${trusted(pageScript())}</script>
</body>
</html>
`;
  return page.markup;
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

function timeSection(input: ReportInput, charts: readonly ChartSection[]): Html {
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

/** The functions as the browser gets them: types are gone by the time this runs. */
function pageScript(): string {
  const functions = [...CHART_FUNCTIONS, ...COPY_BUTTON_FUNCTIONS].map(String);
  const start = 'startCopyButtons();\nstartCharts();';
  return `(() => {\n'use strict';\n${functions.join('\n\n')}\n${start}\n})();`;
}

const ICON_COLOURS = { valid: '#0a6b4b', invalid: '#b3261e', unknown: '#8a5300' } as const;

/** The verdict's sign, to be found among many tabs. */
function iconUrl({ validity }: RunRecord): string {
  const icon = html`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><rect width="16"
height="16" rx="3" fill="${ICON_COLOURS[validity]}"/><text x="8" y="12.5" font-size="12"
text-anchor="middle" fill="#fff">${signOf(validity)}</text></svg>`;
  return `data:image/svg+xml,${encodeURIComponent(icon.markup)}`;
}
