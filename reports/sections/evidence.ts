/** The counterexample of each check that found one: a sentence, a picture, a table. */
import type { CheckResult, Evidence } from '../../checkers/checker.ts';
import { type EvidenceOps, evidenceOps, type ShownOp } from '../evidence/evidence-ops.ts';
import { askedWords, outcomeWords } from '../evidence/op-words.ts';
import { layOutTimeline } from '../evidence/timeline-layout.ts';
import { timelineSvg } from '../evidence/timeline-svg.ts';
import type { FaultMark } from '../fault-marks.ts';
import { clip, formatCount, formatInstant, formatMany, formatNs } from '../format.ts';
import { type Html, html, type Part } from '../html.ts';
import type { ReportInput } from '../report-input.ts';
import { table } from './table.ts';

const ROWS_MAX = 200;
const TEXT_CHARS_MAX = 300;
const SENTENCE_CHARS_MAX = 2_000;

/** Nothing when no check has evidence. */
export function evidenceSection(input: ReportInput): Html | false {
  const found = input.record.checks.flatMap(({ name, evidence }) =>
    evidence === undefined ? [] : [counterexample(name, evidence, input)],
  );
  if (found.length === 0) return false;
  return html`<section id="evidence" aria-labelledby="evidence-title">
<h2 id="evidence-title">Counterexample</h2>
${found}
</section>`;
}

function counterexample(name: CheckResult['name'], evidence: Evidence, input: ReportInput): Html {
  const ops = evidenceOps(evidence, input.record.history);
  const rows = ops.core.map(evidenceRow);
  const sentence = clip(evidence.sentence, SENTENCE_CHARS_MAX);
  return html`<section class="counterexample" aria-label="Counterexample of ${name}">
<h3>${name}</h3>
<p class="sentence">${sentence}.</p>
${ops.drawn.length > 0 && picture(ops, sentence, input)}
${table({
  caption: 'The operations that cannot be explained together, in the order of invocation.',
  columns: ['Ops', 'Process', 'Member', 'Asked', 'Answer', 'Revision', 'Invoked', 'Took'],
  rows,
  rowsMax: ROWS_MAX,
})}
</section>`;
}

function picture(ops: EvidenceOps, sentence: string, { marks }: ReportInput): Html {
  const layout = layOutTimeline(ops, marks);
  const lastFault = layout.faults.length === 0 && lastFaultWords(marks, layout.startNs);
  const left = ops.core.length - ops.drawn.length;
  const cut = left > 0 && ` ${formatMany(left, 'earlier operation')} only in the table.`;
  const context =
    layout.context.length > 0 &&
    ` Grey: the ${formatCount(layout.context.length)} nearest other operations.`;
  return html`<figure>
<div class="scroll" tabindex="0" role="region" aria-label="Picture of the counterexample">
${timelineSvg(layout, sentence)}
</div>
<figcaption>Coloured bars are the operations that cannot be explained together, from invocation to
completion; a dashed bar with an arrow at its right end may take effect at any later time. Arrows
between bars: this one had ended before that one began.${context}${cut} The time axis is bent: the
order is exact, long gaps are drawn shorter.${lastFault}</figcaption>
</figure>`;
}

function lastFaultWords(marks: readonly FaultMark[], startNs: number): string {
  const last = marks.findLast(({ fault }) => fault.healEndNs <= startNs);
  if (last === undefined) return ' No fault had been injected by then.';
  const { fault, number } = last;
  const since = formatNs(startNs - fault.healEndNs);
  return ` No fault was in place; ${fault.kind} (${number}) had been healed ${since} before.`;
}

function evidenceRow(op: ShownOp): readonly Part[] {
  const { process, invoke, completion } = op;
  return [
    `${invoke.index}–${completion?.index ?? '…'}`,
    process,
    completion?.node ?? invoke.node ?? '–',
    clip(askedWords(op), TEXT_CHARS_MAX),
    clip(outcomeWords(op), TEXT_CHARS_MAX),
    completion?.revision ?? '–',
    formatInstant(invoke.time),
    completion === undefined ? '–' : formatNs(completion.time - invoke.time),
  ];
}
