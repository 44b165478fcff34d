/** What was planned, and where it ran. */
import type { Json } from '../../checkers/history/op.ts';
import { clip, formatValue } from '../format.ts';
import { type Html, html, type Part } from '../html.ts';
import type { ReportInput } from '../report-input.ts';
import { table } from './table.ts';

const ROWS_MAX = 500;
const TEXT_CHARS_MAX = 2_000;
/** Of one nested value, written as JSON. */
const JSON_CHARS_MAX = 20_000;

export function planSection({ record }: ReportInput): Html {
  const plan = table({
    caption: 'Everything that was decided before the run.',
    columns: ['Field', 'Value'],
    rows: Object.entries(record.plan).map(([field, value]) => [field, planValue(value)]),
    rowsMax: ROWS_MAX,
  });
  const environment = table({
    caption: 'Backend, machine and what was not possible here.',
    columns: ['Name', 'Value'],
    rows: record.environment.map(({ name, value }) => [name, clip(value, TEXT_CHARS_MAX)]),
    rowsMax: ROWS_MAX,
  });
  return html`<section id="plan" aria-labelledby="plan-title">
<h2 id="plan-title">Plan and environment</h2>
<details><summary>Plan</summary>${plan}</details>
<details><summary>Environment</summary>${environment}</details>
</section>`;
}

function planValue(value: Json): Part {
  const isNested =
    typeof value === 'object' && value !== null && Object.values(value).some(isObject);
  if (!isNested) return clip(formatValue(value), TEXT_CHARS_MAX);
  const lines = Array.isArray(value)
    ? value.map((each) => JSON.stringify(each)).join('\n')
    : JSON.stringify(value, null, 2);
  return html`<pre>${clip(lines, JSON_CHARS_MAX)}</pre>`;
}

function isObject(value: Json): boolean {
  return typeof value === 'object' && value !== null;
}
