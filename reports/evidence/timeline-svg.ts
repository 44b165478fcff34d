/** Draws a laid out counterexample as SVG. */
import { assertNever } from '../../src/lib/assert.ts';
import { clip, formatInstant, formatNs } from '../format.ts';
import { type Html, html } from '../html.ts';
import type { ShownOp } from './evidence-ops.ts';
import { askedWords, briefWords, outcomeWords } from './op-words.ts';
import type { Bar, TimelineLayout } from './timeline-layout.ts';

const CORE_BAR_PX = 40;
const CONTEXT_BAR_PX = 18;
const CONTEXT_CHAR_PX = 6.4;
const TITLE_CHARS_MAX = 400;

/** Once in a page, for all pictures in it. */
export const ARROW_MARKER: Html = html`<marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4"
markerWidth="7" markerHeight="7" orient="auto">
<path class="arrow-head" d="M0 0 8 4 0 8z"/></marker>`;

/** `sentence` is the picture's text alternative; the table below it tells the rest. */
export function timelineSvg(layout: TimelineLayout, sentence: string): Html {
  const { widthPx, heightPx } = layout;
  return html`<svg class="timeline" role="img" aria-label="${clip(sentence, TITLE_CHARS_MAX)}"
viewBox="0 0 ${widthPx} ${heightPx}" width="${widthPx}" height="${heightPx}">
${rowLines(layout)}
${faultBars(layout)}
${timeAxis(layout)}
${layout.context.map((bar) => contextBar(bar, layout))}
${orderArrows(layout.core)}
${layout.core.map((bar) => coreBar(bar, layout))}
</svg>`;
}

function rowLines({ rows, widthPx }: TimelineLayout): Html[] {
  return rows.map(({ name, y, heightPx }) => {
    const nameY = y + Math.min(26, heightPx / 2 + 4);
    return html`<line class="row-line" x1="0" x2="${widthPx}" y1="${y - 3}" y2="${y - 3}"/>
<text class="row-name" x="0" y="${nameY}">${name}</text>`;
  });
}

function faultBars({ faults, heightPx }: TimelineLayout): Html[] {
  return faults.map(({ mark, x, width, y }) => {
    const { fault, number, colour } = mark;
    const label = clip(`${number} ${fault.kind}`, Math.max(1, Math.floor((width - 8) / 6.6)));
    const effect = fault.effect === 'observed' ? 'had-effect' : 'no-effect';
    return html`<g class="${colour} ${effect}">
<title>${number}: ${fault.kind}, ${fault.description}</title>
<rect class="fault-shade" x="${n(x)}" y="${y}" width="${n(width)}" height="${heightPx - y}"/>
<rect class="fault" x="${n(x)}" y="${y}" width="${n(width)}" height="16" rx="2"/>
<text class="fault-number" x="${n(x + 4)}" y="${y + 12}">${label}</text></g>`;
  });
}

/** The first label counts from the run's base, the others from the first. */
function timeAxis({ ticks, axisY, heightPx, startNs }: TimelineLayout): Html[] {
  return ticks.map(({ timeNs, x }, at) => {
    const label = at === 0 ? formatInstant(timeNs) : `+${formatNs(timeNs - startNs)}`;
    return html`<line class="guide" x1="${n(x)}" x2="${n(x)}" y1="${axisY}" y2="${heightPx}"/>
<text class="tick" x="${n(x)}" y="${axisY - 6}">${label}</text>`;
  });
}

function coreBar(bar: Bar, { right }: TimelineLayout): Html {
  const { op, x, width, y, isOpen, lines } = bar;
  const top = y + 3;
  return html`<g class="core ${outcomeOf(op)}"><title>${fullWords(op)}</title>
<path class="bar" d="${barPath({ x, width, y: top, height: CORE_BAR_PX, isOpen })}"/>
${isOpen && openEnd(right, top + CORE_BAR_PX / 2)}
<text class="asked" x="${n(x + 9)}" y="${top + 17}">${lines[0]}</text>
<text class="outcome" x="${n(x + 9)}" y="${top + 32}">${lines[1]}</text></g>`;
}

function contextBar(bar: Bar, { right }: TimelineLayout): Html {
  const { op, x, width, y, isOpen, isInOwnRow } = bar;
  const words = `${isInOwnRow ? '' : `${op.process}: `}${briefWords(op)}`;
  const room = Math.floor((width - 8) / CONTEXT_CHAR_PX);
  const label = room >= 4 ? clip(words, room) : '';
  return html`<g class="context ${outcomeOf(op)}"><title>${fullWords(op)}</title>
<path class="bar" d="${barPath({ x, width, y, height: CONTEXT_BAR_PX, isOpen })}"/>
${isOpen && openEnd(right, y + CONTEXT_BAR_PX / 2)}
<text x="${n(x + 4)}" y="${y + 13}">${label}</text></g>`;
}

/** A rounded bar; on the right without an edge when nobody knows where it ends. */
function barPath(box: {
  readonly x: number;
  readonly width: number;
  readonly y: number;
  readonly height: number;
  readonly isOpen: boolean;
}): string {
  const { x, width, y, height, isOpen } = box;
  const r = Math.min(4, width / 2);
  const corner = `a${n(r)} ${n(r)} 0 0 1`;
  const left = `${corner} ${n(-r)} ${n(-r)}v${n(2 * r - height)}${corner} ${n(r)} ${n(-r)}`;
  const start = `M${n(x + width)} ${n(y + height)}H${n(x + r)}${left}H${n(x + width)}`;
  return isOpen ? start : `${start}z`;
}

function openEnd(x: number, y: number): Html {
  return html`<line class="open-end" x1="${n(x)}" x2="${n(x + 30)}" y1="${n(y)}" y2="${n(y)}"
marker-end="url(#arrow)"/>`;
}

/**
 * From each core operation's beginning back to the last that had ended before: the order that
 * every explanation must respect.
 */
function orderArrows(core: readonly Bar[]): Html[] {
  return core.flatMap((bar) => {
    const before = core
      .filter((other) => !other.isOpen && endIndex(other.op) < bar.op.invoke.index)
      .sort((a, b) => endIndex(b.op) - endIndex(a.op))
      .at(0);
    if (before === undefined) return [];
    return [orderArrow(before, bar)];
  });
}

function orderArrow(from: Bar, to: Bar): Html {
  const middle = CORE_BAR_PX / 2 + 3;
  const [x1, y1] = [from.x + from.width, from.y + middle];
  const [x2, y2] = [to.x, to.y + middle];
  const bend = Math.max(14, (x2 - x1) / 2);
  const curve = [x1 + bend, y1, x2 - bend, y2, x2 - 1, y2].map(n).join(' ');
  const d = `M${n(x1)} ${n(y1)}C${curve}`;
  return html`<path class="before" d="${d}" marker-end="url(#arrow)"/>`;
}

function endIndex({ invoke, completion }: ShownOp): number {
  return completion?.index ?? invoke.index;
}

function outcomeOf({ completion }: ShownOp): 'ok' | 'fail' | 'info' {
  if (completion === undefined) return 'info';
  switch (completion.type) {
    case 'ok':
    case 'fail':
    case 'info':
      return completion.type;
    case 'invoke':
      return 'info';
    default:
      return assertNever(completion.type);
  }
}

function fullWords(op: ShownOp): string {
  const { process, invoke, completion } = op;
  const node = completion?.node ?? invoke.node;
  const at = node === undefined ? '' : ` at ${node}`;
  const ops = `ops ${invoke.index}–${completion?.index ?? '…'}`;
  const words = `process ${process}${at}: ${askedWords(op)}, ${outcomeWords(op)} (${ops})`;
  return clip(words, TITLE_CHARS_MAX);
}

/** Coordinates to a tenth of a pixel. */
function n(value: number): number {
  return Math.round(value * 10) / 10;
}
