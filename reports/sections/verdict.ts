/** The head of a report: the verdict, why, and the figures and commands behind it. */

import type { CheckResult, Validity } from '../../checkers/checker.ts';
import { assertNever } from '../../src/lib/assert.ts';
import { clip, formatCount, formatInstant, formatNs, formatValue } from '../format.ts';
import { type Html, html, type Part } from '../html.ts';
import type { ReportInput } from '../report-input.ts';
import type { RunRecord } from '../run-record.ts';
import { type Figures, figuresOf } from '../series/figures.ts';
import type { Leadership } from '../series/leadership.ts';
import { table } from './table.ts';

/** The name under which the harness files reasons in the environment of a run. */
const REASON_NAME = 'why not valid';

const TEXT_CHARS_MAX = 2_000;
const DETAIL_CHARS_MAX = 300;
const DETAILS_MAX = 50;

export function verdictSection(input: ReportInput): Html {
  const { record } = input;
  const figures = figuresOf(record, input.completions);
  return html`<section id="verdict" aria-labelledby="verdict-title">
<div class="verdict ${record.validity}">
<h2 id="verdict-title">${validityMark(record.validity)} ${record.validity}</h2>
<div class="verdict-words">
<p class="lead">${verdictWords(record, figures)}</p>
${reasonList(record)}
</div>
</div>
<ul class="checks">${record.checks.map(checkItem)}</ul>
${figureCards(input, figures)}
${commandList(record)}
</section>`;
}

/** A sign that can be told without its colour. */
export function validityMark(validity: Validity): Html {
  return html`<span class="mark ${validity}" aria-hidden="true">${signOf(validity)}</span>`;
}

export function signOf(validity: Validity): string {
  switch (validity) {
    case 'valid':
      return '✓';
    case 'invalid':
      return '✗';
    case 'unknown':
      return '?';
    default:
      return assertNever(validity);
  }
}

function verdictWords({ validity, checks }: RunRecord, figures: Figures): string {
  const { ok, fail, info, unfinished } = figures;
  const operations = `${formatCount(ok + fail + info + unfinished)} operations`;
  const faults = `${formatCount(figures.faults.observed)} faults that took effect`;
  switch (validity) {
    case 'valid':
      return `Every check passed, over ${operations} and ${faults}.`;
    case 'invalid': {
      const broken = checks.filter((check) => check.validity === 'invalid');
      const names = broken.map((check) => check.name).join(', ');
      return `What the clients saw breaks what the store promises: ${names || 'see below'}.`;
    }
    case 'unknown':
      return `Nothing wrong was found over ${operations}, but this run does not prove it right.`;
    default:
      return assertNever(validity);
  }
}

function reasonList({ environment }: RunRecord): Html | false {
  const reasons = environment.filter(({ name }) => name === REASON_NAME);
  if (reasons.length === 0) return false;
  const items = reasons.map(({ value }) => html`<li>${clip(value, TEXT_CHARS_MAX)}</li>`);
  return html`<ul class="reasons">${items}</ul>`;
}

function checkItem(check: CheckResult): Html {
  const { name, validity, summary, details } = check;
  const rows = Object.entries(details).map(([field, value]) => [
    field,
    clip(formatValue(value), DETAIL_CHARS_MAX),
  ]);
  const figures = table({
    caption: `Figures of the check ${name}.`,
    columns: ['Figure', 'Value'],
    rows,
    rowsMax: DETAILS_MAX,
  });
  return html`<li>${validityMark(validity)}<div>
<p><strong>${name}</strong>: ${validity}. ${clip(summary, TEXT_CHARS_MAX)}</p>
${rows.length > 0 && html`<details><summary>Figures of this check</summary>${figures}</details>`}
</div></li>`;
}

function figureCards({ record, leaderships }: ReportInput, figures: Figures): Html {
  const { ok, fail, info, unfinished, latency, longestSilence, faults } = figures;
  const terms = new Set(leaderships.map((leadership) => leadership.term)).size;
  const pending = unfinished > 0 && `, ${formatCount(unfinished)} unfinished`;
  return html`<dl class="cards">
${card('Operations', formatCount(ok + fail + info + unfinished), [
  html`${formatCount(ok)} ok, ${formatCount(fail)} fail, ${formatCount(info)} info${pending}`,
])}
${card('Rate in the storm', `${formatCount(figures.stormPerSecond)}/s`, [
  `completions of any outcome, over ${formatNs(record.stormEndNs)}`,
])}
${card('Latency p50', latency === undefined ? '–' : formatNs(latency.p50Ns), [
  latency === undefined
    ? 'no operation ended ok'
    : html`p99 ${formatNs(latency.p99Ns)}, p99.9 ${formatNs(latency.p999Ns)},
      max ${formatNs(latency.maxNs)}`,
])}
${card('Longest silence', formatNs(longestSilence.lengthNs), [
  `no operation ended ok, from ${formatInstant(longestSilence.fromNs)}`,
])}
${card('Faults observed', `${faults.observed} of ${record.faults.length}`, [
  `${faults['no-effect']} without effect, ${faults.skipped} skipped`,
])}
${card('Terms with a leader', terms === 0 ? '–' : String(terms), [
  terms === 0 ? 'no member was seen to lead' : termRange(leaderships),
])}
</dl>`;
}

/** Leaderships are in the order of their terms. */
function termRange(leaderships: readonly Leadership[]): string {
  const first = leaderships.at(0)?.term;
  const last = leaderships.at(-1)?.term;
  return first === last ? `term ${first}` : `terms ${first} to ${last}`;
}

function card(name: string, value: string, notes: readonly Part[]): Html {
  return html`<div><dt>${name}</dt><dd><strong>${value}</strong><span>${notes}</span></dd></div>
`;
}

export function commandList({ commands }: Pick<RunRecord, 'commands'>): Html | false {
  if (commands.length === 0) return false;
  const items = commands.map(({ what, command }) => {
    const label = html`Copy<span class="unseen"> command: ${what}</span>`;
    return html`<li><span class="what">${what}</span>
<code>${command}</code>
<button type="button" data-copy="${command}">${label}</button></li>
`;
  });
  return html`<ul class="commands" aria-label="Commands">${items}</ul>`;
}
