/** The modes of an exploration as text for people, Markdown for documents, JSON for programs. */
import { isByDesign, type Mode, type ModeBook } from './run-records.ts';

export interface About {
  readonly target: string;
  readonly version: string;
  readonly seed: number;
  readonly tookS: number;
  /** Does one run again; the number comes behind it. */
  readonly replay: string;
  readonly isOver: boolean;
}

const EVIDENCE_CHARACTERS_MAX = 260;

export function summaryLine(book: ModeBook, { tookS }: Pick<About, 'tookS'>): string {
  const real = book.modes.filter((mode) => !isByDesign(mode)).length;
  const minutes = (tookS / 60).toFixed(1);
  const design = book.modes.length - real;
  const more = design === 0 ? '' : `, ${design} more only under lying disks`;
  const unknown = book.unknownRuns === 0 ? '' : `, ${book.unknownRuns} of them unknown`;
  return `${real} distinct failure modes${more}; ${book.runs} runs${unknown} in ${minutes} min`;
}

/** One block a mode. */
export function modeLines(book: ModeBook, about: About): string[] {
  return book.modes.flatMap((mode, at) => [
    `${at + 1}. ${mode.name}${isByDesign(mode) ? '  [by design: a disk lied]' : ''}`,
    `   first after ${timeOf(mode)}, ${mode.runs} runs; faults: ${faultsOf(mode)}`,
    `   ${shortened(mode.evidence)}`,
    `   again: ${about.replay} ${mode.firstRun}${mode.directory === undefined ? '' : `   logs: ${mode.directory}`}`,
  ]);
}

export function markdownOf(book: ModeBook, about: About): string {
  const { target, version, seed } = about;
  const row = (mode: Mode, at: number): string => {
    const cells = [
      String(at + 1),
      mode.name,
      mode.checker,
      timeOf(mode),
      `${mode.runs} of ${book.runs}`,
      faultsOf(mode),
      shortened(mode.evidence),
      isByDesign(mode) ? 'yes' : 'no',
      `\`--only ${mode.firstRun}\``,
    ];
    return `| ${cells.map(cell).join(' | ')} |`;
  };
  const kinds = [...book.kinds].map(([kind, runs]) => `${kind} ${runs}`).join(', ');
  return [
    `# Exploration of ${target} (${version}), seed ${seed}`,
    '',
    `${summaryLine(book, about)}${about.isOver ? '' : ', so far'}.`,
    '',
    '| # | mode | checker | first seen | runs | faults in place | evidence | by design | replay |',
    '|---|---|---|---|---|---|---|---|---|',
    ...book.modes.map(row),
    '',
    `Replay: \`${about.replay} N\`.`,
    '',
    `Runs in which each fault took effect: ${kinds || 'none'}.`,
    '',
  ].join('\n');
}

export function jsonOf(book: ModeBook, about: About): string {
  const modes = book.modes.map((mode) => ({
    ...mode,
    byDesign: isByDesign(mode),
    faults: Object.fromEntries(mode.faults),
    replay: `${about.replay} ${mode.firstRun}`,
  }));
  const { runs, unknownRuns } = book;
  const kinds = Object.fromEntries(book.kinds);
  const format = 'storm-explore/1';
  const whole = { format, ...about, runs, unknownRuns, faultKinds: kinds, modes };
  return `${JSON.stringify(whole, null, 1)}\n`;
}

function timeOf({ firstAtS, firstAfterRuns }: Mode): string {
  return `${(firstAtS / 60).toFixed(1)} min, run ${firstAfterRuns}`;
}

function faultsOf({ faults }: Mode): string {
  const sorted = [...faults].toSorted(([, a], [, b]) => b - a);
  return sorted.map(([kind, runs]) => `${kind} ${runs}`).join(', ') || 'none';
}

function shortened(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ');
  return line.length <= EVIDENCE_CHARACTERS_MAX
    ? line
    : `${line.slice(0, EVIDENCE_CHARACTERS_MAX)}…`;
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|');
}
