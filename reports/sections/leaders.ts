/** Who led when: one lane a member, with the faults above, on the same time axis as the charts. */
import { assertNever } from '../../src/lib/assert.ts';
import type { FaultMark } from '../fault-marks.ts';
import { formatInstant, formatMany, formatNs } from '../format.ts';
import { type Html, html } from '../html.ts';
import type { ReportInput } from '../report-input.ts';
import { type Leadership, type RoleSpan, roleSpansOf } from '../series/leadership.ts';
import { type ChartSection, chartSection } from './chart-figure.ts';
import { table } from './table.ts';

const ID = 'leaders';

/** Spans drawn in one lane: the longest; flapping beyond shows as gaps. */
const SPANS_PER_LANE_MAX = 500;
const ROWS_MAX = 200;

const LANE_HEIGHT_PX = 26;
const FAULT_ROW_HEIGHT_PX = 15;

/** Bars narrower than this many per cent of the run bear no label. */
const LABEL_PERCENT_MIN = 2;
/** As {@link LABEL_PERCENT_MIN}, on a narrow screen. */
const NARROW_PERCENT = 5;

export function leadersSection(input: ReportInput): ChartSection {
  const { record, leaderships } = input;
  const frame = { id: ID, title: 'Leaders and terms' };
  if (record.members.every((member) => member.status.length === 0)) {
    return chartSection({ ...frame, caption: 'No member reported its state.' });
  }
  const lanes = record.members.map((member) =>
    memberLane(member.node, roleSpansOf(member, record.endNs), record.endNs),
  );
  const time = timeLane(record.endNs);
  const drawing = html`<div class="lanes">${faultLane(input)}${lanes}${time}</div>`;
  const caption = `What each member said of itself, several times a second: a thick bar with the
    term while it led, a thin line while it followed, hatched while it did not answer. Two may lead
    at once in different terms: the older one does not know yet. ${termWords(leaderships)}`;
  const more = html`<details><summary>Leaders by term</summary>${leadershipTable(input)}</details>`;
  return chartSection({ ...frame, caption, drawing, more });
}

function termWords(leaderships: readonly Leadership[]): string {
  const terms = leaderships.map((leadership) => leadership.term);
  const distinct = new Set(terms);
  const twice = [...distinct].filter((term) => terms.indexOf(term) !== terms.lastIndexOf(term));
  const seen = `Leaders were seen in ${formatMany(distinct.size, 'term')}`;
  if (twice.length === 0) return `${seen}, never two in the same.`;
  return `${seen}; TWO IN THE SAME TERM, which must never be: ${twice.join(', ')}.`;
}

function leadershipTable({ leaderships }: ReportInput): Html {
  return table({
    caption: 'Who led, by term.',
    columns: ['Term', 'Leader', 'First seen', 'Last seen', 'Lasted'],
    rows: leaderships.map(({ term, node, fromNs, toNs }) => [
      term,
      node,
      formatInstant(fromNs),
      formatInstant(toNs),
      formatNs(toNs - fromNs),
    ]),
    rowsMax: ROWS_MAX,
  });
}

function memberLane(node: string, spans: readonly RoleSpan[], endNs: number): Html {
  const drawn = longest(spans);
  const led = spans.filter((span) => span.role === 'leader');
  const ledNs = led.reduce((total, span) => total + span.toNs - span.fromNs, 0);
  const words = `${node} led for ${formatNs(ledNs)} in ${formatMany(led.length, 'span')}`;
  return lane(
    node,
    words,
    LANE_HEIGHT_PX,
    drawn.map((span) => spanBar(span, endNs)),
  );
}

function longest(spans: readonly RoleSpan[]): readonly RoleSpan[] {
  if (spans.length <= SPANS_PER_LANE_MAX) return spans;
  const length = (span: RoleSpan): number => span.toNs - span.fromNs;
  return spans.toSorted((a, b) => length(b) - length(a)).slice(0, SPANS_PER_LANE_MAX);
}

function spanBar(span: RoleSpan, endNs: number): Html {
  const { node, role, term, fromNs, toNs } = span;
  const { x, width } = extent(fromNs, toNs, endNs);
  const when = `${formatInstant(fromNs)} to ${formatInstant(toNs)}`;
  switch (role) {
    case 'leader': {
      return html`<g class="${roomFor(toNs - fromNs, endNs)}">
<title>${node} led in term ${term}, ${when}</title>
<rect class="leader" x="${x}" width="${width}" y="3" height="20" rx="3"/>
<text class="on-leader" x="${x}" dx="5" y="17">${term}</text></g>`;
    }
    case 'follower':
      return html`<rect class="follower" x="${x}" width="${width}" y="11.5" height="3">
<title>${node} followed, ${when}</title></rect>`;
    case 'unreachable':
      return html`<rect class="unreachable" x="${x}" width="${width}" y="6" height="14">
<title>${node} did not answer, ${when}</title></rect>`;
    default:
      return assertNever(role);
  }
}

function faultLane({ marks, record }: ReportInput): Html | false {
  if (marks.length === 0) return false;
  const rows = Math.max(...marks.map((mark) => mark.row)) + 1;
  const words = `${formatMany(marks.length, 'fault')}, numbered as in the table of faults`;
  const bars = marks.map((mark) => faultBar(mark, record.endNs));
  return lane('faults', words, rows * FAULT_ROW_HEIGHT_PX + 4, bars);
}

function faultBar({ fault, number, colour, row }: FaultMark, endNs: number): Html {
  const { x, width } = extent(fault.injectStartNs, fault.healEndNs, endNs);
  const y = row * FAULT_ROW_HEIGHT_PX;
  const effect = fault.effect === 'observed' ? 'had-effect' : 'no-effect';
  const room = roomFor(fault.healEndNs - fault.injectStartNs, endNs);
  const height = FAULT_ROW_HEIGHT_PX - 2;
  return html`<g class="${colour} ${effect} ${room}">
<title>${number}: ${fault.kind}, ${fault.description}</title>
<rect class="fault" x="${x}" width="${width}" y="${y + 1}" height="${height}" rx="2"/>
<text class="fault-number" x="${x}" dx="3" y="${y + 11.5}">${number}</text></g>`;
}

const TICKS_MAX = 8;

function timeLane(endNs: number): Html {
  const stepNs = roundStep(endNs / TICKS_MAX);
  const ticks = Array.from({ length: Math.floor(endNs / stepNs) + 1 }, (_, at) => at * stepNs);
  const labels = ticks.map((timeNs) => {
    const text = timeNs === 0 ? '0 s' : formatNs(timeNs);
    return html`<text x="${percent(timeNs, endNs)}%" y="12" text-anchor="middle">${text}</text>`;
  });
  return html`<div class="lane time" aria-hidden="true"><span></span>
<div class="lane-window"><svg height="16">${labels}</svg></div></div>`;
}

/** The next of 1, 2, 5, 10, 20 … */
function roundStep(least: number): number {
  const power = 10 ** Math.floor(Math.log10(Math.max(1, least)));
  return power * ([1, 2, 5].find((factor) => factor * power >= least) ?? 10);
}

function lane(name: string, words: string, heightPx: number, bars: readonly Html[]): Html {
  const svg = html`<svg role="img" aria-label="${words}" height="${heightPx}">${bars}</svg>`;
  return html`<div class="lane"><span class="lane-name">${name}</span>
<div class="lane-window">${svg}</div></div>
`;
}

/** Class of a bar: whether there is room for its label. */
function roomFor(lengthNs: number, endNs: number): 'tiny' | 'narrow' | 'roomy' {
  const share = percent(lengthNs, endNs);
  if (share < LABEL_PERCENT_MIN) return 'tiny';
  return share < NARROW_PERCENT ? 'narrow' : 'roomy';
}

function extent(fromNs: number, toNs: number, endNs: number): { x: string; width: string } {
  return { x: `${percent(fromNs, endNs)}%`, width: `${percent(toNs - fromNs, endNs)}%` };
}

function percent(ns: number, endNs: number): number {
  return Number(((Math.max(0, ns) / Math.max(1, endNs)) * 100).toFixed(3));
}
