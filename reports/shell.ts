/**
 * The page around the sections. It must work from a file and without a network: its policy
 * forbids everything that is not in the file itself.
 */

import type { Validity } from '../checkers/checker.ts';
import type { ReportAssets } from './assets.ts';
import { CHART_FUNCTIONS } from './browser/charts.ts';
import { COPY_BUTTON_FUNCTIONS } from './browser/copy-buttons.ts';
import type { ChartData } from './chart-data.ts';
import { CONTENT_POLICY } from './content-policy.ts';
import { ARROW_MARKER } from './evidence/timeline-svg.ts';
import { type Html, html, jsonScript, trusted } from './html.ts';
import { signOf } from './sections/verdict.ts';
import { STYLE } from './style.ts';

export interface Page {
  readonly title: string;
  readonly validity: Validity;
  readonly header: Html;
  /** Its first section has the id `verdict`. */
  readonly main: Html;
  readonly charts: ChartData;
  readonly assets: ReportAssets;
}

/** Pure: the same page gives the same text. */
export function pageShell({ title, validity, header, main, charts, assets }: Page): string {
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${CONTENT_POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${signOf(validity)} ${validity}: ${title}</title>
<link rel="icon" href="${iconUrl(validity)}">
<style>${trusted(assets.chartStyle)}
${trusted(STYLE)}</style>
</head>
<body>
<a class="skip" href="#verdict">Skip to the verdict</a>
${header}
<main>
${main}
</main>
<footer>Written by <code>storm</code>. This file holds everything it shows and asks the network
for nothing.</footer>
<div id="status" class="unseen" role="status"></div>
<span id="colour-probe" hidden></span>
<svg width="0" height="0" class="unseen" aria-hidden="true"><defs><pattern id="hatch" width="6"
height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><path d="M0 0V6"/></pattern>
${ARROW_MARKER}</defs></svg>
${jsonScript('chart-data', charts)}
<script>${trusted(assets.chartScript)}</script>
<script>${trusted(pageScript())}</script>
</body>
</html>
`;
  return page.markup;
}

/** The functions as the browser gets them: types are gone by the time this runs. */
function pageScript(): string {
  const functions = [...CHART_FUNCTIONS, ...COPY_BUTTON_FUNCTIONS].map(String);
  const start = 'startCopyButtons();\nstartCharts();';
  return `(() => {\n'use strict';\n${functions.join('\n\n')}\n${start}\n})();`;
}

const ICON_COLOURS = { valid: '#0a6b4b', invalid: '#b3261e', unknown: '#8a5300' } as const;

/** The verdict's sign, to be found among many tabs. */
function iconUrl(validity: Validity): string {
  const icon = html`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><rect width="16"
height="16" rx="3" fill="${ICON_COLOURS[validity]}"/><text x="8" y="12.5" font-size="12"
text-anchor="middle" fill="#fff">${signOf(validity)}</text></svg>`;
  return `data:image/svg+xml,${encodeURIComponent(icon.markup)}`;
}
