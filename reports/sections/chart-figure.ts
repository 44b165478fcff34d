/** The frame of a chart: heading, a caption that says in words what it shows, and its place. */
import type { Chart } from '../chart-data.ts';
import { type Html, html, type Part } from '../html.ts';

/** A section, and what a script draws into it. */
export interface ChartSection {
  readonly markup: Html;
  readonly charts: readonly Chart[];
}

export interface ChartFrame {
  readonly id: string;
  readonly title: string;
  /** What is drawn and what it comes to: the chart's text alternative, shown to everybody. */
  readonly caption: Part;
  /** Drawn by a script. */
  readonly chart?: Chart;
  /** Drawn already. */
  readonly drawing?: Part;
  /** Below the chart. */
  readonly more?: Part;
}

/** Without chart and drawing there is nothing to see, and the caption says why. */
export function chartSection({
  id,
  title,
  caption,
  chart,
  drawing,
  more,
}: ChartFrame): ChartSection {
  const place = html`<div class="plot" id="${id}-plot" data-caption="${id}-caption"></div>`;
  const markup = html`<section class="chart" id="${id}" aria-labelledby="${id}-title">
<h3 id="${id}-title">${title}</h3>
<figure>
${chart !== undefined && place}${drawing}
<figcaption id="${id}-caption">${caption}</figcaption>
</figure>
${more}
</section>`;
  return { markup, charts: chart === undefined ? [] : [chart] };
}
