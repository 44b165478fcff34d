/** The faults: a legend for everything that is drawn, and a table of what was done and seen. */

import { assertNever } from '../../src/lib/assert.ts';
import { colourOf, kindsOf } from '../fault-marks.ts';
import { clip, formatInstant, formatNs } from '../format.ts';
import { type Html, html, type Part } from '../html.ts';
import type { ReportInput } from '../report-input.ts';
import type { FaultRecord } from '../run-record.ts';
import { table } from './table.ts';

const ROWS_MAX = 1_000;
const TEXT_CHARS_MAX = 500;
/** Numbers of faults listed with a kind in the legend. */
const NUMBERS_MAX = 12;

/** Which colour is which kind, and which numbers are of it. */
export function faultLegend({ record, marks }: ReportInput): Html | false {
  if (marks.length === 0) return false;
  const kinds = kindsOf(record.faults);
  const items = kinds.flatMap((kind) => {
    const numbers = marks.filter(({ fault }) => fault.kind === kind).map(({ number }) => number);
    if (numbers.length === 0) return [];
    const listed = numbers
      .sort((a, b) => a - b)
      .slice(0, NUMBERS_MAX)
      .join(', ');
    const more = numbers.length > NUMBERS_MAX && ', …';
    return [
      html`<li>${swatch(kind, kinds)} ${kind} <span class="quiet">${listed}${more}</span></li>`,
    ];
  });
  return html`<ul class="legend" aria-label="Faults by kind, with their numbers">${items}</ul>`;
}

export function faultsSection({ record }: ReportInput): Html {
  const kinds = kindsOf(record.faults);
  const body =
    record.faults.length === 0
      ? html`<p>No faults were injected.</p>`
      : table({
          caption: 'Faults in the order of the plan, with what was measured of each.',
          columns: [
            'No.',
            'Kind',
            'Targets',
            'In place',
            'Inject',
            'Heal',
            'Effect',
            'Observation',
          ],
          rows: record.faults.map((fault, at) => faultRow(fault, at + 1, kinds)),
          rowsMax: ROWS_MAX,
        });
  return html`<section id="faults" aria-labelledby="faults-title">
<h2 id="faults-title">Faults</h2>
${body}
</section>`;
}

function faultRow(fault: FaultRecord, number: number, kinds: readonly string[]): readonly Part[] {
  const { kind, nodes, description, effect, observation } = fault;
  const { injectStartNs, injectEndNs, healStartNs, healEndNs } = fault;
  const wasThere = effect !== 'skipped';
  const targets = nodes.length > 0 ? nodes.join(', ') : '–';
  return [
    number,
    html`<span class="nowrap">${swatch(kind, kinds)} ${kind}</span>`,
    html`<strong>${targets}</strong><br>${clip(description, TEXT_CHARS_MAX)}`,
    wasThere
      ? html`<span class="nowrap">${formatInstant(injectEndNs)} –</span>
        <span class="nowrap">${formatInstant(healStartNs)}</span>`
      : '–',
    wasThere ? html`<span class="nowrap">${formatNs(injectEndNs - injectStartNs)}</span>` : '–',
    wasThere ? html`<span class="nowrap">${formatNs(healEndNs - healStartNs)}</span>` : '–',
    effectCell(effect),
    clip(observation, TEXT_CHARS_MAX),
  ];
}

export function effectCell(effect: FaultRecord['effect']): Html {
  switch (effect) {
    case 'observed':
      return html`<span class="effect observed">✓ observed</span>`;
    case 'no-effect':
      return html`<span class="effect no-effect">✗ no effect</span>`;
    case 'skipped':
      return html`<span class="effect skipped">○ skipped</span>`;
    default:
      return assertNever(effect);
  }
}

function swatch(kind: string, kinds: readonly string[]): Html {
  return html`<span class="swatch ${colourOf(kind, kinds)}" aria-hidden="true"></span>`;
}
